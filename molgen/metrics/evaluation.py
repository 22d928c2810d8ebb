"""The result of an evaluation as plain records: what the JSON, the CSV and the page are written from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from molgen.metrics.collapse import Curve
from molgen.metrics.drift import Drift, ShareShift
from molgen.metrics.funnel import Funnel
from molgen.metrics.verdicts import FEWEST, Verdict

FORMAT = 1


@dataclass(frozen=True)
class Metric:
    """One number: in which suite, under which name, from how many molecules, with its interval where there is one.

    ``floor`` is what a perfect sample of this size gets, ``note`` what a reader must know beside it.
    """

    suite: str
    name: str
    value: float | None
    n: int
    low: float | None = None
    high: float | None = None
    floor: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Pair:
    """A sampled molecule beside its nearest training molecule."""

    smiles: str
    nearest: str
    similarity: float


@dataclass
class Evaluation:
    """Everything that was found out about one list of molecules."""

    name: str
    n_raw: int
    n_valid: int
    n_distinct: int
    suites: list[str]
    reference: str | None = None
    training: str | None = None
    metrics: list[Metric] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    funnel: Funnel | None = None
    gates: dict[str, float] = field(default_factory=dict)
    drifts: list[Drift] = field(default_factory=list)
    scaffold_shifts: list[ShareShift] = field(default_factory=list)
    distributions: dict[str, tuple[list[float], list[float]]] = field(default_factory=dict)
    nearest: tuple[list[float], list[float]] | None = None
    curves: dict[str, list[tuple[str, Curve]]] = field(default_factory=dict)
    pairs: list[Pair] = field(default_factory=list)
    inputs: dict[str, str] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def value(self, name: str, suite: str | None = None) -> float | None:
        """The value of a metric. Raises KeyError where it was not computed."""
        for metric in self.metrics:
            if metric.name == name and suite in (None, metric.suite):
                return metric.value
        raise KeyError(name)

    @property
    def no_verdict(self) -> str:
        """What it means that there is no verdict, in a sentence; empty where there are some."""
        if self.verdicts:
            return ""
        if self.n_raw < FEWEST:
            return f"No verdict: {self.n_raw} strings are too few to look for one."
        return (
            "No verdict: the list is not a copy, not one molecule varied, not repeats, and not unlike known chemistry, "
            "as far as the checks see. That is no praise."
        )

    def rows(self) -> list[dict[str, Any]]:
        """The metrics as table rows."""
        return [asdict(metric) for metric in self.metrics]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; numbers that are none become None. Distributions are left to the page."""
        content = {
            "format": FORMAT,
            "kind": "evaluation",
            **{key: value for key, value in asdict(self).items() if key not in ("distributions", "nearest")},
        }
        return dict(_plain(content))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
