"""Which few of many candidates to pay for: upper confidence bounds from greedy to curious, each knowing the others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from molgen.optimize.hybrid.surrogate import Belief

_SMALLEST = 0.01  # of the weight of the spread in quiet times: the greedy end of a batch
_MOST = 32.0  # times as curious as told, at most
_TEN = 10  # molecules whose mean has to rise
_BETTER = 0.002  # by this share of itself: what rises more slowly stands still


def curiosities(n: int, largest: float, rng: np.random.Generator, factor: float = 1.0) -> np.ndarray:
    """``n`` weights of the spread, log-uniform, in random order, one in each stretch.

    From a hundredth of ``largest`` to ``factor`` times it: who grows curious stays greedy in part.
    """
    if n == 0 or largest == 0:
        return np.zeros(n)
    places = (np.arange(n) + rng.random(n)) / n
    return rng.permutation(largest * _SMALLEST * (factor / _SMALLEST) ** places)


class Patience:
    """How curious the search is: as it was told, and the more so the longer nothing better comes.

    After every ``patience`` paid molecules that do not raise the mean of the ten best the weight doubles, up to
    ``_MOST`` times; when the mean rises it is what it was.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.mark, self.since = -math.inf, 0

    @property
    def factor(self) -> float:
        """By which the weight of the spread is larger than it was told to be."""
        return min(_MOST, 2.0 ** (self.since // self.patience)) if self.patience else 1.0

    def tell(self, scores: Sequence[float], new: int) -> None:
        """All scores, as the surrogate sees them; the last ``new`` are new."""
        if not new:
            return
        mean = float(np.sort(np.asarray(scores))[-_TEN:].mean())
        self.since += new
        if not math.isfinite(self.mark) or mean > self.mark + _BETTER * abs(self.mark):
            self.mark, self.since = mean, 0

    def state(self) -> dict[str, Any]:
        """JSON-able."""
        return {"mark": self.mark if math.isfinite(self.mark) else None, "since": self.since}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Inverse of :meth:`state`."""
        self.mark = -math.inf if state["mark"] is None else state["mark"]
        self.since = state["since"]


def shortlist(belief: Belief, n: int, largest: float) -> np.ndarray:
    """Positions of candidates that at least one weight of the spread ranks among its best; at most ``n``."""
    ranks = np.full(len(belief.mean), len(belief.mean))
    for weight in (0.0, 0.3 * largest, largest):
        order = np.argsort(-(belief.mean + weight * belief.spread), kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        ranks = np.minimum(ranks, rank)
    return np.argsort(ranks, kind="stable")[:n]


def choose(mean: np.ndarray, covariance: np.ndarray, weights: np.ndarray, noise: float) -> list[int]:
    """Positions of the chosen, one for each weight of the spread.

    After each choice the covariance is what it would be had the molecule been paid for: its neighbors are known
    better then, so the next choice goes elsewhere (GP-BUCB; Desautels et al., JMLR 15 (2014) 3873).
    """
    left = np.ones(len(mean), dtype=bool)
    rest = covariance.copy()
    chosen: list[int] = []
    for weight in weights[: len(mean)]:
        spread = np.sqrt(np.clip(rest.diagonal(), 0.0, None))
        value = np.where(left, mean + weight * spread, -np.inf)
        best = int(value.argmax())
        chosen.append(best)
        left[best] = False
        column = rest[:, best].copy()
        rest -= np.outer(column, column) / max(float(rest[best, best]) + noise, 1e-12)
    return chosen
