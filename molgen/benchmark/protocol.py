"""How runs are judged: the area under the top-k curve of PMO, and the top-k averages of GuacaMol."""

from __future__ import annotations

import heapq
from collections.abc import Sequence

import numpy as np

#: PMO's own: calls to the oracle, and calls between two points of the curve.
BUDGET, EVERY = 10_000, 100


def auc_top(scores: Sequence[float], k: int, budget: int = BUDGET, every: int = EVERY) -> float:
    """Area under the mean of the ``k`` best so far against the calls, over ``budget`` (Gao et al. 2022).

    ``scores``: of the distinct valid molecules in the order of their calls; those past the budget do not count, and
    duplicates and invalid strings are not among them. A point every ``every`` calls, straight lines from 0 between
    them; the last stretch ends at the mean over all of them, and a run that stopped early holds its last value.
    """
    counted = [float(score) for score in scores[:budget]]
    if not counted:
        return 0.0
    area, before, called = 0.0, 0.0, 0
    for calls in range(every, len(counted), every):
        now = mean_top(counted[:calls], k)
        area += every * (now + before) / 2
        before, called = now, calls
    now = mean_top(counted, k)
    area += (len(counted) - called) * (now + before) / 2
    area += (budget - len(counted)) * now
    return area / budget


def mean_top(scores: Sequence[float], k: int) -> float:
    """Mean of the ``k`` best, of all where there are fewer (PMO); 0 for none."""
    return float(np.mean(heapq.nlargest(k, scores))) if scores else 0.0


def padded_top(scores: Sequence[float], k: int) -> float:
    """Mean of the ``k`` best, with zeros where there are fewer (GuacaMol)."""
    return sum(heapq.nlargest(k, scores)) / k


def guacamol_score(scores: Sequence[float], top: Sequence[int]) -> float:
    """Score of a GuacaMol task: the mean over the top-k averages, short lists padded with zeros."""
    return sum(padded_top(scores, k) for k in top) / len(top)
