"""The volume that a set of points dominates above the origin, and what each point alone adds to it.

Desirabilities lie in 0..1 and the reference point is 0: the volume is the share of the unit cube in which a wish could
lie that some molecule already fulfills (Zitzler and Thiele, IEEE Trans. Evol. Comput. 3 (1999) 257).
"""

from __future__ import annotations

import numpy as np

from molgen.core.seeding import stream

EXACT = 400  # points up to which three objectives are cut into boxes; it takes a second for the last
SAMPLES = 1 << 14  # random points otherwise: a standard error of at most 0.004 of the box around the points
_BLOCK = 1 << 22


def hypervolume(points: np.ndarray) -> float:
    """Volume of what ``points`` float64 ``[n, m]`` in 0..1 dominate above 0; see :func:`volumes`."""
    return volumes(points)[0]


def volumes(points: np.ndarray) -> tuple[float, np.ndarray]:
    """The dominated volume, and float64 ``[n]``: the part of it that only this point dominates.

    Exact for up to three objectives (and up to 400 points where there are three), otherwise from random points that
    are the same in every call. NaN counts as 0. Equal points share their part: each gets the whole of it.
    """
    points = np.nan_to_num(np.asarray(points, dtype=np.float64), nan=0.0).clip(0.0, 1.0)
    n, m = points.shape
    if n == 0 or m == 0:
        return 0.0, np.zeros(n)
    distinct, place = np.unique(points, axis=0, return_inverse=True)
    if m <= 2:
        total, alone = _plane(distinct)
    elif m == 3 and len(distinct) <= EXACT:
        total, alone = _space(distinct)
    else:
        total, alone = _sampled(distinct)
    return total, alone[place.reshape(-1)]


def _plane(points: np.ndarray) -> tuple[float, np.ndarray]:
    """Up to two objectives: the steps of a staircase, and how far each reaches beyond its neighbors."""
    alone = np.zeros(len(points))
    if points.shape[1] == 1:
        points = np.column_stack([points, np.ones(len(points))])
    order = np.lexsort([points[:, 1], points[:, 0]])[::-1]  # from the right; higher first where x is equal
    steps: list[int] = []
    height = 0.0
    for k in order.tolist():
        if points[k, 1] > height:
            steps.append(k)
            height = float(points[k, 1])
    total = height = 0.0
    for k in steps:
        total += float(points[k, 0] * (points[k, 1] - height))
        height = float(points[k, 1])
    on_steps = set(steps)
    hidden = points[[k for k in range(len(points)) if k not in on_steps]]
    for at, k in enumerate(steps):
        x, y = points[k]
        left = points[steps[at + 1], 0] if at + 1 < len(steps) else 0.0
        below = points[steps[at - 1], 1] if at else 0.0
        inside = hidden[(hidden[:, 0] > left) & (hidden[:, 1] > below)]
        taken = _plane(inside - [left, below])[0] if len(inside) else 0.0
        alone[k] = (x - left) * (y - below) - taken
    return total, alone


def _space(points: np.ndarray) -> tuple[float, np.ndarray]:
    """Three objectives: slab by slab along the third, a grid whose cells count who dominates them."""
    n = len(points)
    xs, ys = (np.concatenate([[0.0], np.unique(points[:, axis])]) for axis in (0, 1))
    across, up = np.searchsorted(xs, points[:, 0]), np.searchsorted(ys, points[:, 1])
    area = np.diff(xs)[:, None] * np.diff(ys)[None, :]
    count, owners = np.zeros(area.shape, dtype=np.int32), np.zeros(area.shape, dtype=np.int64)
    total, alone = 0.0, np.zeros(n)
    levels = np.unique(points[:, 2])[::-1]
    for top, bottom in zip(levels, [*levels[1:], 0.0], strict=True):
        for k in np.flatnonzero(points[:, 2] == top):
            count[: across[k], : up[k]] += 1
            owners[: across[k], : up[k]] += k
        total += float(area[count > 0].sum() * (top - bottom))
        single = count == 1
        alone += np.bincount(owners[single], area[single], minlength=n) * (top - bottom)
    return total, alone


def _sampled(points: np.ndarray) -> tuple[float, np.ndarray]:
    n, m = points.shape
    box = points.max(axis=0)
    drawn = np.random.default_rng(stream(0, "hypervolume", m)).random((SAMPLES, m)) * box
    hits, alone = 0, np.zeros(n)
    step = max(1, _BLOCK // (n * m))
    for start in range(0, SAMPLES, step):
        below = (drawn[start : start + step, None, :] < points[None, :, :]).all(axis=2)
        count = below.sum(axis=1)
        hits += int((count > 0).sum())
        alone += below[count == 1].sum(axis=0)
    share = float(np.prod(box)) / SAMPLES
    return hits * share, alone * share
