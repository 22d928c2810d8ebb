"""Keeping watch over a run: the metrics of each step, when to stop early, and the alarms: collapse, gaming, drift."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from molgen.optimize import control, drift
from molgen.optimize.memory import Entry, Memory

WINDOW = 10  # steps that a running mean covers
FEW_NEW = 0.2  # share of proposals that are new molecules, below which variety has collapsed
NOTHING_NEW = 50  # steps without one new molecule after which the run ends


class Watch:
    """Running means over the last steps, rebuilt exactly from :meth:`state`.

    ``controls`` and ``prior`` say what the alarms for gaming and drift look at; they are no part of the state.
    """

    def __init__(self, controls: Sequence[control.Pair] = (), prior: drift.PriorDrift | None = None) -> None:
        self._controls, self._prior = list(controls), prior
        self.raised: list[str] = []  # names of the alarms that are on
        self.means: deque[float] = deque(maxlen=WINDOW)
        self.new: deque[float] = deque(maxlen=WINDOW)
        self.best_mean = -math.inf
        self.since_best = 0
        self.without_new = 0
        self.alarmed = False

    def row(self, step: int, memory: Memory, entries: Sequence[Entry]) -> dict[str, float]:
        """The metrics of a step. Shares are of all proposals; means are over molecules that have a total."""
        n = max(1, len(entries))
        counts = Counter(entry.status for entry in entries)
        totals = np.array([e.total for e in entries if not math.isnan(e.total)])
        mean = float(totals.mean()) if len(totals) else math.nan
        fresh = (len(entries) - counts["invalid"] - counts["duplicate"]) / n
        self._update(mean, fresh)
        row = {
            "step": step,
            "calls": memory.calls,
            "mean_score": mean,
            "best_score": memory.top[-1] if memory.top else math.nan,
            "top10_score": float(np.mean(memory.top[-10:])) if memory.top else math.nan,
            "top100_score": float(np.mean(memory.top)) if memory.top else math.nan,
            "valid": 1 - counts["invalid"] / n,
            "new": fresh,
            "passed_share": sum(e.total > 0 for e in entries if not math.isnan(e.total)) / n,
            "filtered_share": counts["filtered"] / n,
            "failed_share": counts["failed"] / n,
            "scaffold_entropy": _entropy([e.scaffold for e in entries if e.scaffold]),
        }
        for name in entries[0].values if entries else ():
            values = [e.values[name] for e in entries if not math.isnan(e.values.get(name, math.nan))]
            if values:
                row[f"raw/{name}"] = float(np.mean(values))
        row |= control.means(self._controls, entries)
        if self._prior is not None and step % drift.EVERY == 0:
            row |= {f"drift/{name}": effect for name, (_, _, effect) in self._prior.look(memory).items()}
        return row

    def restart(self, controls: Sequence[control.Pair] = ()) -> None:
        """Another objective: scores of before say nothing of what comes."""
        self._controls = list(controls)
        self.means.clear()
        self.best_mean, self.since_best, self.without_new = -math.inf, 0, 0

    def _update(self, mean: float, fresh: float) -> None:
        if not math.isnan(mean):
            self.means.append(mean)
        self.new.append(fresh)
        self.without_new = 0 if fresh > 0 else self.without_new + 1
        running = float(np.mean(self.means)) if self.means else -math.inf
        if running > self.best_mean + 1e-4:
            self.best_mean, self.since_best = running, 0
        else:
            self.since_best += 1

    def alarms(self, step: int, memory: Memory) -> list[str]:
        """Sentences for the log, each once until its cause is gone: collapse, a gamed score, drift from the prior."""
        found = self.collapse()
        if step % drift.EVERY:
            return found
        on = self.findings(memory)
        news = [words for name, words in on.items() if name not in self.raised]
        self.raised = list(on)
        return found + news

    def findings(self, memory: Memory) -> dict[str, str]:
        """What is wrong with the search as it stands, by name: ``gaming NAME`` and ``drift PROPERTY``, in sentences."""
        found: dict[str, str] = {}
        for pair in self._controls:
            gap = control.gap(pair, memory)
            if gap is not None and gap.gamed:
                found[f"gaming {pair.control}"] = (
                    f"The score may be gamed: {gap.words()}. Do not trust the ranking by it: candidates that the "
                    "control likes too, lower_bound, a filter on the control, or measuring some help."
                )
        if self._prior is not None:
            for name, words in drift.sentences(self._prior.look(memory)).items():
                found[f"drift {name}"] = (
                    f"The search has drifted from its prior: {words}. If nobody asked for that, bound it with a "
                    "component or a filter."
                )
        return found

    def collapse(self) -> list[str]:
        """The sentence that variety has collapsed (once, until it recovers)."""
        collapsed = len(self.new) == WINDOW and float(np.mean(self.new)) < FEW_NEW
        news = collapsed and not self.alarmed
        self.alarmed = collapsed
        if not news:
            return []
        return [
            f"collapse: only {np.mean(self.new):.0%} of the proposals of the last {WINDOW} steps were new molecules; "
            "smaller diversity.bucket_size or optimizer.params.sigma, or a higher temperature, keeps the search wider"
        ]

    def reached(self, target: float | None) -> bool:
        """Whether the last step's mean total is at the target."""
        return target is not None and bool(self.means) and self.means[-1] >= target

    def tired(self, patience: int | None) -> bool:
        """Whether the running mean has not risen for ``patience`` steps."""
        return patience is not None and self.since_best >= patience

    @property
    def exhausted(self) -> bool:
        """Whether the generator has not drawn a new molecule for many steps."""
        return self.without_new >= NOTHING_NEW

    def state(self) -> dict[str, Any]:
        """JSON-able."""
        values = {key: value for key, value in vars(self).items() if not key.startswith("_")}
        return {**values, "means": list(self.means), "new": list(self.new)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Inverse of :meth:`state`."""
        for key, value in state.items():
            setattr(self, key, deque(value, maxlen=WINDOW) if key in ("means", "new") else value)


def _entropy(labels: Sequence[str]) -> float:
    """Shannon entropy of the labels in nats, over its maximum: 1 where all differ, 0 where all are one."""
    if len(labels) < 2:
        return math.nan
    shares = np.array(list(Counter(labels).values())) / len(labels)
    return float(-(shares * np.log(shares)).sum() / math.log(len(labels)))
