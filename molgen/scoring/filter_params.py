"""Parameters of the filter stage: pure data, the same for the objective's component and for ``molgen filter``."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from molgen.core.schema import Section


class FilterPresetParams(Section):
    """Which rules are in force, which are relaxed, and whose faults are excused."""

    preset: Literal["default", "strict", "lead-like", "none"] = Field(
        "default",
        description="default: graph sanity, ring systems, tier 1 motifs, PAINS, Glaxo; strict adds more",
    )
    add: list[str] = Field(
        default_factory=list, description="more groups or rules, e.g. BRENK, CNS, nitroarene"
    )
    relax: list[str] = Field(
        default_factory=list, description="groups or rules that may be broken; the report says so"
    )
    show: list[str] = Field(default_factory=list, description="groups whose hits are told and reject nothing")
    limits: dict[str, float] = Field(
        default_factory=dict, description="other bars, e.g. stereo_centers: 6, sa_score: 5"
    )
    elements: list[str] = Field(
        default_factory=list, description="elements allowed in any form, e.g. P, B, Si"
    )
    windows: dict[str, tuple[float | None, float | None]] = Field(
        default_factory=dict, description="your own windows, descriptor: [low, high], null for an open end"
    )
    own: str | None = Field(None, description="your table of motifs (YAML, docs/filters.md)")
    allow_inherited_from: str | None = Field(
        None, description="file of parents: what they break, no worse, is excused and said to be inherited"
    )
    rescue_rings: bool = Field(
        False,
        description="a rare ring system passes if both ChEMBL and SureChEMBL know it (needs data fetch)",
    )
