"""Non-dominated fronts and crowding: a ranking that needs no weights (Deb et al., IEEE Trans. Evol. Comput. 2002).

A molecule dominates another if it is at least as good in every desirability and better in one. Front 1 is what nobody
dominates, front 2 what only front 1 dominates, and so on. Within a front, those with more room around them come first.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def fronts(points: np.ndarray) -> Iterator[np.ndarray]:
    """Indices (int64, ascending) of one front after the other; ``points`` float64 ``[n, m]``, higher is better.

    A NaN counts as the worst. Equal points are on the same front. Lazy: whoever needs ten molecules pays for one front.
    """
    points = np.where(np.isnan(points), -np.inf, np.asarray(points, dtype=np.float64))
    distinct, place = np.unique(points, axis=0, return_inverse=True)
    place = place.reshape(-1)
    # Whoever dominates a point has a larger sum, and where rounding makes sums equal, is lexicographically larger.
    left = np.lexsort([*distinct.T[::-1], distinct.sum(axis=1)])[::-1]
    while len(left):
        kept = np.empty((len(left), distinct.shape[1]))
        front: list[int] = []
        rest: list[int] = []
        for at in left:
            point = distinct[at]
            if (kept[: len(front)] >= point).all(axis=1).any():
                rest.append(at)
            else:
                kept[len(front)] = point
                front.append(at)
        yield np.flatnonzero(np.isin(place, front))
        left = np.array(rest, dtype=np.int64)


def crowding(points: np.ndarray) -> np.ndarray:
    """Crowding distance float64 ``[n]`` within one front: the sum, over the objectives, of the distance between the two
    neighbors as a share of the front's range; infinite for those at an end."""
    n, m = points.shape
    distance = np.zeros(n)
    for column in np.where(np.isnan(points), 0.0, points).T if m else ():
        order = np.argsort(column, kind="stable")
        low, high = column[order[0]], column[order[-1]]
        if high > low:
            distance[order[1:-1]] += (column[order[2:]] - column[order[:-2]]) / (high - low)
            distance[column == low] = np.inf
            distance[column == high] = np.inf
    return distance
