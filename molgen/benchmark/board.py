"""The table of a benchmark over several seeds: means, standard deviations, sums, diversity and synthesizability."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molgen.benchmark.result import LOTTERY, TaskResult

if TYPE_CHECKING:
    import pandas as pd

#: Molecules that diversity and synthesizability are the means of.
TOP = 100


@dataclass(frozen=True)
class Finished:
    """One run: its result, and of its 100 best molecules the mean distance between two and the mean SA score."""

    seed: int
    result: TaskResult
    diversity: float
    sa_score: float


@dataclass(frozen=True)
class BoardResult:
    """The runs of a queue; ``tasks`` and ``seeds`` are what was asked for, ``failed`` names what broke.

    ``unfinished`` names runs that were judged before their end.
    """

    path: Path
    about: str
    settings: dict[str, Any]
    tasks: list[str]
    seeds: list[int]
    runs: list[Finished]
    files: dict[str, Path] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)

    def rows(self) -> list[dict[str, Any]]:
        """One row per task that has a finished run, in the order of the suite."""
        found = []
        for task in self.tasks:
            runs = [run for run in self.runs if run.result.task == task]
            if not runs:
                continue
            scores = [run.result.score for run in runs]
            row: dict[str, Any] = {"task": task, "mean": statistics.fmean(scores), "sd": _spread(scores)}
            row |= {"seeds": len(runs), "calls": sum(run.result.calls for run in runs)}
            row["top10"] = statistics.fmean(run.result.top10 for run in runs)
            row["diversity"] = statistics.fmean(run.diversity for run in runs)
            row["sa_score"] = statistics.fmean(run.sa_score for run in runs)
            row["league"] = max(run.result.league.letter for run in runs)
            found.append(row | {f"seed_{run.seed}": run.result.score for run in runs})
        return found

    def sums(self) -> dict[str, Any]:
        """Sums of the means, with and without the lottery task; their spread over the seeds that have all tasks."""
        rows = self.rows()
        whole = []
        for seed in self.seeds:
            scores = {run.result.task: run.result.score for run in self.runs if run.seed == seed}
            if len(scores) == len(self.tasks):
                whole.append(scores)
        without = [sum(v for task, v in scores.items() if task != LOTTERY) for scores in whole]
        return {
            "tasks": len(rows),
            "sum": sum(row["mean"] for row in rows),
            "sum_without_valsartan": sum(row["mean"] for row in rows if row["task"] != LOTTERY),
            "whole_seeds": len(whole),
            "sum_sd": _spread([sum(scores.values()) for scores in whole]),
            "sum_without_valsartan_sd": _spread(without),
            "diversity": statistics.fmean(row["diversity"] for row in rows) if rows else None,
            "sa_score": statistics.fmean(row["sa_score"] for row in rows) if rows else None,
            "league": max((row["league"] for row in rows), default="A"),
        }

    def to_dict(self) -> dict[str, Any]:
        """Plain data: settings, rows, sums, each run, what is missing."""
        done = {(run.result.task, run.seed) for run in self.runs}
        missing = [f"seed-{s}/{t}" for s in self.seeds for t in self.tasks if (t, s) not in done]
        runs = [
            {"seed": r.seed, "diversity": r.diversity, "sa_score": r.sa_score, **r.result.to_row()}
            for r in self.runs
        ]
        about = {"format": 1, "suite": self.about, "settings": self.settings}
        return about | {
            "rows": self.rows(), "sums": self.sums(), "runs": runs, "missing": missing, "failed": self.failed,
            "unfinished": self.unfinished,
        }  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """One row per task, as in results.csv."""
        import pandas as pd

        return pd.DataFrame(self.rows())

    def table(self) -> list[dict[str, Any]]:
        """The rows that are printed, the sums last."""
        lines: list[dict[str, Any]] = []
        for row in self.rows():
            line = {"task": row["task"], "mean": _digits(row["mean"]), "sd": _digits(row["sd"])}
            line |= {
                "seeds": row["seeds"],
                "calls": f"{round(row['calls'] / row['seeds']):,}",
                "diversity": _digits(row["diversity"]),
            }
            lines.append({**line, "SA": _digits(row["sa_score"], 2), "league": row["league"]})
        sums = self.sums()
        if len(lines) > 1:
            line = {
                "task": f"sum of {len(lines)}",
                "mean": _digits(sums["sum"]),
                "sd": _digits(sums["sum_sd"]),
            }
            line |= {"seeds": sums["whole_seeds"], "diversity": _digits(sums["diversity"])}
            lines.append({**line, "SA": _digits(sums["sa_score"], 2), "league": sums["league"]})
            if any(row["task"] == LOTTERY for row in self.rows()):
                mean, spread = sums["sum_without_valsartan"], sums["sum_without_valsartan_sd"]
                lines.append({"task": "sum without valsartan", "mean": _digits(mean), "sd": _digits(spread)})
        return lines

    def notes(self) -> list[str]:
        """What a reader of the table must know."""
        wanted = len(self.tasks) * len(self.seeds)
        seeds = ", ".join(map(str, self.seeds))
        notes = [f"{self.about}, budget {self.settings['budget']}, seeds {seeds}."]
        if len(self.runs) < wanted:
            notes.append(f"{len(self.runs)} of {wanted} runs are there: the sums are of what is there.")
        if self.unfinished:
            notes.append(
                f"{len(self.unfinished)} of {len(self.runs)} runs have not used their budget and are judged as if they "
                "stopped now: what they have is a lower bound."
            )
        if self.settings["budget"] != 10_000 and self.about.startswith("PMO"):
            notes.append("Published sums of PMO are for 10,000 calls.")
        notes.append("diversity, SA: mean ECFP4 distance and mean SA score of the 100 best of a run.")
        reasons = dict.fromkeys(reason for run in self.runs for reason in run.result.league.reasons)
        if reasons:
            notes.append(f"League {self.sums()['league']}: {'; '.join(reasons)}.")
        return notes


def variety(scored: Sequence[tuple[str, float]], top: int = TOP) -> tuple[float, float]:
    """(mean ECFP4 distance between two, mean SA score) of the ``top`` best molecules; NaN where there are too few."""
    import numpy as np
    from rdkit import Chem

    from molgen.chem.fingerprints import morgan, tanimoto
    from molgen.chem.sa_score import sa_score

    best = sorted(scored, key=lambda pair: -pair[1])[:top]
    mols = [mol for text, _ in best if (mol := Chem.MolFromSmiles(text)) is not None]
    if not mols:
        return float("nan"), float("nan")
    sa = float(np.mean([sa_score(mol) for mol in mols]))
    if len(mols) < 2:
        return float("nan"), sa
    bits = morgan(mols)
    alike = tanimoto(bits, bits)[np.triu_indices(len(mols), 1)]
    return float(1 - alike.mean()), sa


def _spread(values: Sequence[float]) -> float | None:
    """Standard deviation of a sample; None of fewer than two."""
    return statistics.stdev(values) if len(values) > 1 else None


def _digits(value: float | None, digits: int = 3) -> str | None:
    return None if value is None else f"{value:.{digits}f}"


def settings_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Those settings that all runs share."""
    return {key: value for key, value in values.items() if key != "seed"}
