"""What a benchmark says at its end: one row per task, the sums, as text, JSON and CSV."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molgen.benchmark import guacamol
from molgen.benchmark.features import Features
from molgen.benchmark.league import League
from molgen.benchmark.oracle import Suite
from molgen.benchmark.protocol import auc_top, guacamol_score, mean_top
from molgen.core.errors import MoleculeError

if TYPE_CHECKING:
    import pandas as pd

#: The lottery among the tasks: sums are given with and without it.
LOTTERY = "valsartan_smarts"


@dataclass(frozen=True)
class TaskResult:
    """One task. ``score`` is what the suite adds up: AUC of the top 10 (PMO), the top-k averages (GuacaMol)."""

    task: str
    score: float
    auc_top1: float
    auc_top10: float
    auc_top100: float
    top1: float
    top10: float
    top100: float
    calls: int
    invalid: int
    duplicate: int
    league: League
    without_value: int = 0
    best_of_data: float | None = None
    best: str = ""

    def to_row(self) -> dict[str, Any]:
        """Plain data, in the order of the table."""
        row = {key: value for key, value in vars(self).items() if key != "league"}
        return row | {"league": self.league.letter, "league_reasons": "; ".join(self.league.reasons)}


@dataclass(frozen=True)
class BenchmarkResult:
    """All tasks of a benchmark, and the settings they were run with."""

    path: Path
    suite: Suite
    settings: dict[str, Any]
    tasks: list[TaskResult]
    files: dict[str, Path] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """Sum of the scores."""
        return sum(row.score for row in self.tasks)

    @property
    def total_without_lottery(self) -> float:
        """Sum without valsartan_smarts."""
        return sum(row.score for row in self.tasks if row.task != LOTTERY)

    @property
    def league(self) -> str:
        """The lowest league among the tasks."""
        return max((row.league.letter for row in self.tasks), default="A")

    def to_dict(self) -> dict[str, Any]:
        """Plain data: settings, rows, sums."""
        return {
            "format": 1,
            "suite": self.suite.describe(),
            "settings": self.settings,
            "tasks": [row.to_row() for row in self.tasks],
            "n_tasks": len(self.tasks),
            "sum": self.total,
            "sum_without_valsartan": self.total_without_lottery,
            "league": self.league,
        }

    def to_frame(self) -> pd.DataFrame:
        """One row per task."""
        import pandas as pd

        return pd.DataFrame([row.to_row() for row in self.tasks])

    def table(self) -> list[dict[str, Any]]:
        """The rows that are printed, the sums last."""
        score = "AUC top-10" if self.suite.name == "pmo" else "score"
        rows: list[dict[str, Any]] = []
        for row in self.tasks:
            line: dict[str, Any] = {"task": row.task}
            if self.suite.name == "guacamol":
                line |= {score: _digits(row.score), "best of data": _digits(row.best_of_data)}
            line |= {"AUC top-1": _digits(row.auc_top1), "AUC top-10": _digits(row.auc_top10)}
            line |= {"AUC top-100": _digits(row.auc_top100), "top-10": _digits(row.top10)}
            rows.append({**line, "calls": row.calls, "league": row.league.letter})
        if len(self.tasks) > 1:
            calls = sum(row.calls for row in self.tasks)
            rows.append({"task": f"sum of {len(self.tasks)}", score: _digits(self.total), "calls": calls})
            rows[-1]["league"] = self.league
            if any(row.task == LOTTERY for row in self.tasks):
                rows.append({"task": "sum without valsartan", score: _digits(self.total_without_lottery)})
        return rows

    def notes(self) -> list[str]:
        """What a reader of the table must know."""
        notes = [f"{self.suite.describe()}, budget {self.settings['budget']}, seed {self.settings['seed']}."]
        if self.suite.name == "pmo":
            if len(self.tasks) < 23:
                notes.append(f"{len(self.tasks)} of 23 tasks: the sum compares with no published one.")
            if self.settings["budget"] != 10_000:
                notes.append("Published sums are for 10,000 calls.")
        elif len(self.tasks) < 20:
            notes.append(f"{len(self.tasks)} of 20 tasks: the sum compares with no published one.")
        reasons = dict.fromkeys(reason for row in self.tasks for reason in row.league.reasons)
        meaning = {
            "A": "every label is counted, the model has seen customary structures only",
            "B": "outside knowledge",
            "C": "labels outside of the count",
        }[self.league]
        notes.append(f"League {self.league}: {meaning}{': ' if reasons else ''}{'; '.join(reasons)}.")
        if missing := sum(row.without_value for row in self.tasks):
            notes.append(f"{missing} molecules have no value by definition and count as 0.")
        return notes


def judge(
    suite: Suite,
    task: str,
    scored: Sequence[tuple[str, float]],
    *,
    budget: int,
    league: League,
    invalid: int = 0,
    duplicate: int = 0,
) -> TaskResult:
    """The result of a task from its distinct valid molecules and their values, in the order of the calls.

    More than ``budget`` are not looked at. A molecule for which the oracle has no value counts as 0.
    """
    counted = list(scored[:budget])
    values = [0.0 if math.isnan(value) else value for _, value in counted]
    best = max(range(len(values)), key=values.__getitem__, default=-1)
    areas = {k: auc_top(values, k, budget) for k in (1, 10, 100)}
    score, best_of_data = areas[10], None
    if suite.name == "guacamol":
        about = guacamol.TASKS[task]
        flat = _without_stereo([counted[i][0] for i in _by_value(values)], max(about.top))
        score = guacamol_score(suite.oracle(task)(flat).tolist(), about.top)
        best_of_data = about.best_of_data
    return TaskResult(
        task=task,
        score=score,
        auc_top1=areas[1],
        auc_top10=areas[10],
        auc_top100=areas[100],
        top1=mean_top(values, 1),
        top10=mean_top(values, 10),
        top100=mean_top(values, 100),
        calls=len(counted),
        invalid=invalid,
        duplicate=duplicate,
        league=league,
        without_value=sum(math.isnan(value) for _, value in counted),
        best_of_data=best_of_data,
        best=counted[best][0] if best >= 0 else "",
    )


def _by_value(values: Sequence[float]) -> list[int]:
    return sorted(range(len(values)), key=lambda i: -values[i])


def _without_stereo(smiles: Sequence[str], n: int) -> list[Features]:
    """The first ``n`` that differ once stereo is left out, as GuacaMol compares them."""
    from rdkit import Chem

    found: dict[str, Features] = {}
    for text in smiles:
        if len(found) == n:
            break
        flat = Chem.MolToSmiles(Features.parse(text).mol, isomericSmiles=False)
        if flat not in found:
            with suppress(MoleculeError):  # GuacaMol leaves out what cannot be read again
                found[flat] = Features.parse(flat)
    return list(found.values())


def _digits(value: float | None) -> str | None:
    return None if value is None else f"{value:.3f}"
