"""Parameters of the strategy ``hybrid``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from molgen.core.schema import Section

#: The parts that can be left out, for an ablation.
Part = Literal["language_model", "genetic", "recombination", "latent", "surrogate", "bandit"]
PARTS: tuple[Part, ...] = ("language_model", "genetic", "recombination", "latent", "surrogate", "bandit")


class HybridParams(Section):
    """Many proposers, one pool, and a surrogate that chooses which few to pay for."""

    parts: list[Part] = Field(
        default_factory=lambda: list(PARTS),
        description="what takes part; a part that the model cannot do is left out by itself",
    )
    paid: int = Field(
        16, ge=1, description="molecules paid for in a step at most: fewer, and each choice knows more"
    )
    start: int = Field(
        64, ge=2, description="molecules with a score, drawn from the prior, before choosing; seeds count"
    )
    candidates: int = Field(
        16, ge=1, description="molecules looked at for each one that is paid for; more cost time"
    )
    generations: int = Field(
        4, ge=1, description="rounds of children of candidates within a step, before anything is paid"
    )
    pool: int = Field(200, ge=1, description="best unpaid candidates that are kept for the next step")
    parents: int = Field(400, ge=2, description="best molecules, paid or not, that children are made of")
    points: int = Field(
        2000, ge=50, description="molecules that the surrogate rests on at most; time grows with their square"
    )
    exploration: float = Field(
        1.0, ge=0, description="largest weight of the spread in the choice, in standard deviations"
    )
    patience: int = Field(
        256,
        ge=0,
        description="paid molecules without better ones after which the search begins anew; 0: it never does",
    )
    largest: int | None = Field(
        None,
        ge=1,
        description="heavy atoms of a candidate at most; default: half more than the largest of the seed compounds "
        "and of the model's draws, and at least 50",
    )
    strange: float = Field(
        0.3,
        ge=0,
        le=1,
        description="how readily atom environments unknown to ZINC250k pass: 0 never, 1 always",
    )
    teach_every: int = Field(
        128, ge=1, description="paid molecules between two lessons of the language model"
    )
