"""Parameters of the scorer ``shape``: pure data, so that a bad one is refused without loading RDKit."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from molgen.core.schema import Section


class ShapeParams(Section):
    """The ligand to be alike in space, and how much work is spent on each molecule."""

    file: str | None = Field(
        None,
        description="reference ligand in its pose (SDF or MOL); of a file of SMILES a conformer is computed",
    )
    references: list[str] | dict[str, str] = Field(
        default_factory=list,
        description="reference ligands as SMILES, or as name: SMILES, instead or in addition; a conformer is computed",
    )
    score: Literal["combo", "shape", "color"] = Field(
        "combo",
        description="the value: volume overlap (shape), pharmacophore (color), or the mean of both (combo)",
    )
    conformers: int = Field(10, ge=1, le=200, description="conformers tried of each molecule")
    time_limit: float = Field(
        20, ge=1, description="seconds per molecule; a molecule that takes longer has no value"
    )
    seed: int = Field(0, ge=0, le=2**31 - 1, description="seed of the conformers")

    @model_validator(mode="after")
    def _has_references(self) -> ShapeParams:
        if not self.references and self.file is None:
            raise ValueError("give file (the reference ligand in its pose) or references (SMILES)")
        return self
