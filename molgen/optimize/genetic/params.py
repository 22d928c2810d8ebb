"""Parameters of the strategy ``genetic``."""

from __future__ import annotations

from pydantic import Field

from molgen.core.schema import Section


class GeneticParams(Section):
    """A population of the best molecules and their children (Tripp and Hernandez-Lobato 2023)."""

    population: int = Field(500, ge=2, description="best molecules kept as possible parents")
    start: int = Field(
        100,
        ge=2,
        description="molecules with a score, drawn from the prior, before the first children; seeds count",
    )
    elite: float = Field(
        0.002,
        gt=0,
        description="share of the population up to which parents are preferred alike; lower is greedier",
    )
    mutation: float = Field(0.5, ge=0, le=1, description="share of children with one parent, not two")
    recombination: float = Field(0.15, ge=0, le=1, description="share of molecules made of the best pieces")
    fresh: float = Field(
        0.02, ge=0, le=1, description="share of molecules drawn from the prior after the start"
    )
    strange: float = Field(
        0.3,
        ge=0,
        le=1,
        description="how readily atom environments unknown to ZINC250k pass: 0 never, 1 always",
    )
    per_scaffold: int = Field(
        50, ge=0, description="most members of the population with one Murcko scaffold; 0: no limit"
    )
