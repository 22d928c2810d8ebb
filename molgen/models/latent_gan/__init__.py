"""Latent GAN: generator and critic in the latent space of a graph VAE, whose decoder makes every point a molecule."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from molgen.core.schema import Section
from molgen.models.protocol import Family


class LatentGanParams(Section):
    """Architecture and rules of the latent GAN. The defaults are those of the shipped one."""

    decoder: str = Field(
        "graph-vae-moses",
        description="graph VAE in whose latent space it works, a shipped model or a folder; becomes a part of the GAN",
    )
    begin_with: str | None = Field(
        None,
        description="another latent GAN, by name or folder, whose generator and critic it begins with: for a decoder "
        "that was trained on",
    )
    noise: int = Field(
        128, ge=1, description="random numbers of a draw; at least as many as the VAE's latent vector"
    )
    width: int = Field(384, ge=8, description="width of the generator")
    depth: int = Field(3, ge=1, description="residual blocks of the generator")
    critic_width: int = Field(384, ge=8, description="width of the critic")
    critic_depth: int = Field(3, ge=1, description="layers of the critic")
    pac: int = Field(4, ge=1, le=16, description="points that the critic sees together (PacGAN)")
    loss: Literal["rpgan", "wgan-gp"] = Field(
        "rpgan",
        description="rpgan: relativistic pairing with R1 and R2; wgan-gp: the classical Wasserstein GAN",
    )
    gamma: float = Field(0.02, ge=0, description="rpgan: weight of the penalties R1 and R2")
    generator_rate: float = Field(
        0.3,
        gt=0,
        description="learning rate of the generator as a multiple of the critic's, which is the trainer's",
    )
    average: float = Field(
        0.999, ge=0, lt=1, description="share of the averaged weights that each step keeps"
    )
    mode_seeking: float = Field(
        0.0, ge=0, description="weight of the term that pushes draws of different noise apart"
    )
    conditions: list[str] = Field(
        default_factory=list,
        description="what draws can be asked for: properties of the VAE's head (logp, qed), columns of data.labels",
    )
    molecules: int = Field(
        400_000,
        ge=100,
        description="random training molecules that are encoded, at most; each is drawn from anew",
    )


FAMILY = Family(
    name="latent_gan",
    summary="latent GAN on a graph VAE: draws in one step, valid molecules only, critic as off-manifold detector",
    builder="molgen.models.latent_gan.model:LatentGan",
    params=LatentGanParams,
    capabilities=frozenset(
        {"encode", "decode", "prior", "properties", "labels", "constrain", "beam", "conditions"}
    ),
    objective_params=frozenset({"loss", "gamma", "generator_rate", "average", "mode_seeking", "molecules"}),
)
