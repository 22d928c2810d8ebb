"""Graph VAE: one latent vector per molecule, and a decoder over fragment trees that can only build valid molecules."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from molgen.core.schema import Section
from molgen.models.protocol import Family


class GraphVaeParams(Section):
    """Architecture and objective of the graph VAE. The defaults are the CPU profile."""

    latent: int = Field(64, ge=1, le=128, description="numbers in the latent vector")
    width: int = Field(192, ge=16, description="size of a token's vector in encoder and decoder")
    layers: int = Field(4, ge=1, description="decoder layers")
    heads: int = Field(6, ge=1, description="attention heads of the decoder; divides width")
    encoder_layers: int = Field(4, ge=1, description="GINE layers over the fragment tree")
    site_width: int = Field(64, ge=8, description="size of a site's vector")
    min_count: int = Field(2, ge=1, description="rarer fragments are not learned; they can still be read in")
    common: int = Field(255, ge=1, description="fragments in the first level of the two-level softmax")
    learned_fragments: int = Field(
        5000, ge=1, description="most frequent fragments that get vectors of their own beside their features"
    )
    learned_sites: int = Field(
        400, ge=0, description="fragments whose sites get vectors of their own beside their features"
    )
    row_dropout: float = Field(
        0.05, ge=0, lt=1, description="share of fragments and sites that are seen by their features only"
    )
    kl_weight: float = Field(0.05, ge=0, description="weight of the Kullback-Leibler term after its warm-up")
    kl_warmup: int = Field(
        2000, ge=0, description="steps in which that weight rises from 0; those of a base count"
    )
    free_bits: float = Field(
        0.05, ge=0, description="nats per latent number, mean of a batch, that cost nothing"
    )
    random_order: float = Field(
        0.25,
        ge=0,
        le=1,
        description="share of molecules learned in a random order of building, which scaffold mode needs",
    )
    property_weight: float = Field(0.2, ge=0, description="weight of the property head's loss")
    property_molecules: int = Field(
        20_000, ge=0, description="molecules whose properties are computed for the property head"
    )
    prior: Literal["normal", "mixture", "flow", "gan"] = Field(
        "flow", description="what latent vectors are drawn from; fitted at the end of the training"
    )
    prior_minutes: float = Field(
        6.0, gt=0, description="time limit of fitting that, in minutes after the training"
    )


FAMILY = Family(
    name="graph_vae",
    summary="graph VAE: latent vectors, valid molecules only, scaffolds",
    builder="molgen.models.graph_vae.model:GraphVae",
    params=GraphVaeParams,
    capabilities=frozenset({"encode", "decode", "prior", "properties", "labels", "constrain", "beam"}),
    objective_params=frozenset(
        {"kl_weight", "kl_warmup", "free_bits", "random_order", "row_dropout", "property_weight"}
        | {"property_molecules", "prior", "prior_minutes"}
    ),
    refitted={"prior": "prior."},
)
