"""Parameters of the built-in scorers: pure data, so that a bad one is refused without loading RDKit."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from molgen.core.schema import Section

#: The substructure catalogs that RDKit carries.
Catalog = Literal[
    "PAINS",
    "PAINS_A",
    "PAINS_B",
    "PAINS_C",
    "BRENK",
    "NIH",
    "ZINC",
    "CHEMBL_BMS",
    "CHEMBL_Dundee",
    "CHEMBL_Glaxo",
    "CHEMBL_Inpharmatica",
    "CHEMBL_LINT",
    "CHEMBL_MLSMR",
    "CHEMBL_SureChEMBL",
]


class NoParams(Section):
    """A scorer without parameters."""


class SimilarityParams(Section):
    """Similarity to reference molecules."""

    references: list[str] | dict[str, str] = Field(
        default_factory=list, description="reference molecules as SMILES, or a table name: SMILES"
    )
    file: str | None = Field(
        None, description="file of reference molecules (CSV, SMI, SDF ...), instead or in addition"
    )
    radius: int = Field(2, ge=0, le=6, description="Morgan radius; 2 is ECFP4, 3 is ECFP6")
    n_bits: int = Field(2048, ge=64, le=65536, description="length of the fingerprint")
    counts: bool = Field(False, description="count fingerprints (how often) instead of bits (whether)")
    mode: Literal["max", "mean"] = Field("max", description="nearest reference, or the mean over all of them")

    @model_validator(mode="after")
    def _has_references(self) -> SimilarityParams:
        if not self.references and self.file is None:
            raise ValueError("give references (a list of SMILES) or file (molecules to compare with)")
        return self


class MatchParams(Section):
    """Substructures that a molecule should have."""

    smarts: list[str] = Field(min_length=1, description="SMARTS patterns")
    require: Literal["all", "any"] = Field("all", description="all of the patterns, or any one of them")
    chirality: bool = Field(False, description="stereo in the patterns counts")


class CountParams(Section):
    """How often a substructure occurs."""

    smarts: list[str] = Field(min_length=1, description="SMARTS patterns; their matches are added up")
    chirality: bool = Field(False, description="stereo in the patterns counts")


class AlertListParams(Section):
    """Substructures that a molecule should not have."""

    smarts: list[str] | dict[str, str] = Field(
        min_length=1,
        description="SMARTS patterns, as a list or as name: pattern (the name is shown in the reasons)",
    )
    chirality: bool = Field(False, description="stereo in the patterns counts")


class CatalogParams(Section):
    """Published alert collections."""

    catalogs: list[Catalog] = Field(
        default=["PAINS", "BRENK"],
        min_length=1,
        description="RDKit's catalogs of unwanted substructures",
    )
    allow: list[str] = Field(
        default_factory=list, description="names of alerts that are accepted all the same"
    )
