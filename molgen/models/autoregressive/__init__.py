"""SMILES language models that write a molecule token by token (recurrent networks)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from molgen.core.schema import Section
from molgen.models.protocol import Family


class RecurrentParams(Section):
    """Architecture of the recurrent SMILES language model."""

    cell: Literal["gru", "lstm"] = Field("gru", description="recurrent cell")
    hidden: int = Field(512, ge=8, description="units per layer")
    layers: int = Field(2, ge=1, description="recurrent layers")
    embedding: int = Field(256, ge=4, description="size of a token's vector")
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout between layers, in training only")
    pieces: int = Field(
        480, ge=0, description="multi-character tokens learned from the data; 0: atom-level tokens"
    )
    max_tokens: int = Field(128, ge=8, description="longest sequence that is trained or sampled")
    temperature: float = Field(1.0, gt=0, description="sampling, unless told otherwise")
    min_p: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="sampling, unless told otherwise: a token less probable than this share of the most probable "
        "one is not drawn",
    )


FAMILY = Family(
    name="autoregressive",
    summary="SMILES language model (GRU or LSTM)",
    builder="molgen.models.autoregressive.model:SmilesLanguageModel",
    params=RecurrentParams,
    capabilities=frozenset({"likelihood", "finetune", "unlikelihood"}),
    objective_params=frozenset({"dropout", "temperature", "min_p"}),
)
