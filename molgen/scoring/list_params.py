"""Parameters of the scorers that read a list of the user's (known compounds, building blocks): pure data."""

from __future__ import annotations

from pydantic import Field, model_validator

from molgen.core.schema import Section


class NoveltyParams(Section):
    """A list of known compounds to compare with."""

    references: list[str] | dict[str, str] = Field(
        default_factory=list, description="known compounds as SMILES, or a table name: SMILES"
    )
    file: str | None = Field(
        None, description="file of known compounds instead (structures, or InChIKeys only), of any length"
    )
    cores: list[str] | dict[str, str] = Field(
        default_factory=list, description="cores to look for, as SMARTS or as name: SMARTS"
    )
    smiles_column: str | None = Field(None, description="column with the structures; default: guessed")
    id_column: str | None = Field(None, description="column with the ids; default: guessed")

    @model_validator(mode="after")
    def _has_one_list(self) -> NoveltyParams:
        if bool(self.references) == (self.file is not None):
            raise ValueError("give references (a list of SMILES) or file (known compounds), one of the two")
        return self


class PreferenceParams(Section):
    """Molecules that somebody has judged."""

    likes: list[str] = Field(default_factory=list, description="molecules that you like, as SMILES")
    dislikes: list[str] = Field(default_factory=list, description="molecules that you do not like, as SMILES")
    file: str | None = Field(
        None, description="table of structures with a column `like` (yes / no) instead; feedback writes one"
    )

    @model_validator(mode="after")
    def _has_verdicts(self) -> PreferenceParams:
        if bool(self.likes or self.dislikes) == (self.file is not None):
            raise ValueError(
                "give likes and dislikes (lists of SMILES) or file (with a column like), one of the two"
            )
        return self


class BlocksParams(Section):
    """Building blocks that are on the shelf."""

    references: list[str] = Field(default_factory=list, description="building blocks as SMILES")
    file: str | None = Field(None, description="file of building blocks instead, of any length")
    id_column: str | None = Field(None, description="column with the ids of the blocks; default: guessed")
    max_steps: int = Field(2, ge=1, le=2, description="reactions at most, from blocks to molecule")
    without: list[str] = Field(
        default_factory=list,
        description="names of reactions that you do not run, see docs/synthesizability.md",
    )

    @model_validator(mode="after")
    def _has_one_list(self) -> BlocksParams:
        if bool(self.references) == (self.file is not None):
            raise ValueError("give references (a list of SMILES) or file (building blocks), one of the two")
        return self
