"""Parameters of the scorer ``docking``: pure data, so that a bad one is refused without loading anything."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from molgen.core.schema import Section

_Three = Annotated[list[float], Field(min_length=3, max_length=3)]


class DockingParams(Section):
    """Where a molecule is docked, and how much work is spent on it."""

    receptor: str | None = Field(
        None, description="your receptor, prepared: PDBQT with hydrogens and atom types"
    )
    target: str | None = Field(
        None,
        description="instead: one of the 58 prepared targets of the package dockstring, e.g. DRD2, with its box",
    )
    center: _Three | None = Field(
        None, description="center of the box in the receptor's coordinates, angstrom"
    )
    size: _Three | None = Field(None, description="sides of the box, angstrom; 20 to 30 are usual")
    around: str | None = Field(
        None,
        description="instead of center (and size): a ligand in its pose (SDF or MOL) that the box encloses",
    )
    exhaustiveness: int = Field(
        8, ge=1, le=256, description="independent searches per molecule; more is slower"
    )
    protonation: Literal["pH 7.4", "drawn"] = Field(
        "pH 7.4",
        description="charges of the ligand: acids and amines as they are in water, or none but the drawn",
    )
    seed: int = Field(0, ge=0, le=2**31 - 2, description="seed of conformer and search")
    time_limit: float = Field(300, gt=0, description="seconds per molecule; then its docking is ended")
    parallel: int = Field(1, ge=1, le=256, description="molecules docked at the same time, one core each")
    cost: float = Field(30.0, gt=0, description="rough CPU seconds per molecule; dear scorers run last")
    cache: str | None = Field(
        None,
        description="file that keeps values and poses between runs (JSON Lines); without it poses are docked anew",
    )

    @model_validator(mode="after")
    def _says_where(self) -> DockingParams:
        if (self.receptor is None) == (self.target is None):
            raise ValueError(
                "give receptor (your PDBQT file) or target (a name of dockstring), one of the two"
            )
        if self.receptor is not None and self.around is None and (self.center is None or self.size is None):
            raise ValueError("a receptor needs a box: center and size, or around (a ligand in its pose)")
        if self.around is not None and self.center is not None:
            raise ValueError("give center or around, one of the two")
        if self.size is not None and not all(3 <= side <= 126 for side in self.size):
            raise ValueError("size: each side of the box must be 3 to 126 angstrom")
        return self
