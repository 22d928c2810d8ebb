"""Parameters of the scorer ``admet``: pure data, so that a bad one is refused without loading anything."""

from __future__ import annotations

from pydantic import Field, field_validator

from molgen.core.schema import Section
from molgen.core.suggest import did_you_mean
from molgen.scoring.admet.endpoints import ENDPOINTS


class AdmetParams(Section):
    """Which end point is the value; all are predicted in one pass, whatever number of components ask."""

    endpoint: str = Field(description="one of the 41 end points of docs/admet.md, e.g. hERG")

    @field_validator("endpoint")
    @classmethod
    def _is_known(cls, value: str) -> str:
        if value not in ENDPOINTS:
            raise ValueError(
                f"no such end point: {value!r}{did_you_mean(value, list(ENDPOINTS))}; docs/admet.md lists all"
            )
        return value
