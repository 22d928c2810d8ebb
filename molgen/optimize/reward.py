"""What a proposal is worth to the strategy: the objective's total, or its place beside the Pareto front so far.

The order is that of SMS-EMOA (Beume, Naujoks and Emmerich, Eur. J. Oper. Res. 181 (2007) 1653): non-dominated sorting
with the exclusive hypervolume in the place of NSGA-II's crowding. It is made dense, because a strategy that learns from
numbers learns nothing from a thousand equal zeros:

* on the front: 1/2 + 1/2 of the share of the front that adds no more volume than this point does;
* behind it: 1/2 of how far along its own ray from the origin to the front the point has come (Farrell, J. R. Stat.
  Soc. A 120 (1957) 253);
* with a desirability of 0, and so without any volume: half of that;
* rejected by a filter: 0, so that whatever is feasible stands above (constrained domination, Deb et al. 2002).

What is dominated is never worth more than what dominates it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from molgen.optimize.hypervolume import volumes
from molgen.optimize.memory import Entry
from molgen.optimize.pareto import fronts

_BLOCK = 1 << 21


class Reward(Protocol):
    """Turns what was found in a step into what the strategy is told."""

    #: Whether the worth of known molecules changes with what is found later.
    moves: bool

    def add(self, entries: Sequence[Entry]) -> None:
        """Take note of molecules."""
        ...

    def rate(self, entries: Sequence[Entry]) -> list[float]:
        """What each is worth after all that was added, 0..1; NaN where there is no total."""
        ...

    def metrics(self) -> Mapping[str, float]:
        """For the log of each step."""
        ...


class TotalReward:
    """The objective's total, whatever else was found."""

    moves = False

    def add(self, entries: Sequence[Entry]) -> None:
        """Nothing to note."""

    def rate(self, entries: Sequence[Entry]) -> list[float]:
        """The totals."""
        return [entry.total for entry in entries]

    def metrics(self) -> Mapping[str, float]:
        """None of its own."""
        return {}


class ParetoReward:
    """The front of the desirabilities of ``names``. It does not depend on the order of what was added."""

    moves = True

    def __init__(self, names: Sequence[str]) -> None:
        if len(names) < 2:
            raise ValueError("a Pareto front needs two components or more of role score or penalty")
        self.names = list(names)
        self.front = np.zeros((0, len(self.names)))
        self._share = np.zeros(0)
        self._volume: float | None = 0.0

    def add(self, entries: Sequence[Entry]) -> None:
        """Let the feasible ones (all filters passed, a value for all that must have one) into the front."""
        points = self._points([entry for entry in entries if _feasible(entry)])
        if len(points) == 1 and (self.front >= points).all(axis=1).any():
            return  # a ledger is read line by line, and most of it is behind the front
        if len(points):
            together = np.unique(np.concatenate([self.front, points]), axis=0)
            front = together[next(fronts(together))]
            if not np.array_equal(front, self.front):
                self.front, self._volume = front, None

    def rate(self, entries: Sequence[Entry]) -> list[float]:
        """See the module; the entries must have been added."""
        self._measure()
        worth = [0.0 if entry.status == "filtered" else math.nan for entry in entries]
        able = [k for k, entry in enumerate(entries) if _feasible(entry)]
        for k, value in zip(able, self._rate(self._points([entries[k] for k in able])), strict=True):
            worth[k] = float(value)
        return worth

    def metrics(self) -> Mapping[str, float]:
        """Volume above 0 that is dominated, and how many different points are on the front."""
        return {"hypervolume": self._measure(), "front_size": float(len(self.front))}

    def _points(self, entries: Sequence[Entry]) -> np.ndarray:
        rows = [[entry.desirability.get(name, math.nan) for name in self.names] for entry in entries]
        return np.nan_to_num(np.array(rows, dtype=np.float64).reshape(len(rows), len(self.names)), nan=0.0)

    def _measure(self) -> float:
        if self._volume is None:
            self._volume, alone = volumes(self.front)
            # Volumes that differ by rounding alone are equal: their order must not depend on the machine.
            alone = np.round(alone, 12)
            self._share = np.searchsorted(np.sort(alone), alone, side="right") / len(alone)
        return self._volume

    def _rate(self, points: np.ndarray) -> np.ndarray:
        worth = np.zeros(len(points))
        step = max(1, _BLOCK // max(1, self.front.size))
        for start in range(0, len(points), step):
            block = points[start : start + step]
            with np.errstate(divide="ignore", invalid="ignore"):
                reach = np.where(block[:, None] > 0, self.front[None] / block[:, None], np.inf)
            way = 1 / np.maximum(reach.min(axis=2).max(axis=1), 1.0)  # 1 on the front, 0 at the origin
            same = (block[:, None] == self.front[None]).all(axis=2)
            on_front = 0.5 + 0.5 * self._share[same.argmax(axis=1)]
            without = np.where((block > 0).all(axis=1), 1.0, 0.5)
            worth[start : start + step] = np.where(
                same.any(axis=1) & (without == 1.0), on_front, 0.5 * way * without
            )
        return worth


def _feasible(entry: Entry) -> bool:
    return entry.status == "scored" and not math.isnan(entry.total)
