"""Kernel ChemNet distance: an unbiased squared maximum mean discrepancy, whose value does not depend on sample size.

The kernel is that of the kernel inception distance (Binkowski et al. 2018, arXiv:1801.01401): ``(x.y / d + 1)^3``. The
estimate is unbiased, so around a perfect sample it scatters about zero and is negative half of the time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from molgen.core.errors import DataError


@dataclass(frozen=True)
class KernelDistance:
    """``value`` over all pairs, ``deviation`` its standard deviation as seen between disjoint parts."""

    value: float
    deviation: float
    n: int
    n_reference: int


def kernel_distance(
    sample: np.ndarray, reference: np.ndarray, *, parts: int = 10, seed: int = 0
) -> KernelDistance:
    """Unbiased MMD^2 of activations ``[n, d]`` and ``[m, d]``.

    Raises:
        DataError: fewer than two molecules on one side.
    """
    if min(len(sample), len(reference)) < 2:
        raise DataError("a kernel distance needs at least 2 molecules on both sides")
    x, y = (np.asarray(v, dtype=np.float64) for v in (sample, reference))
    value = _unbiased(x, y)
    parts = min(parts, len(x) // 2, len(y) // 2)
    if parts < 2:
        return KernelDistance(value, float("nan"), len(x), len(y))
    rng = np.random.default_rng(seed)
    groups = zip(
        np.array_split(rng.permutation(len(x)), parts),
        np.array_split(rng.permutation(len(y)), parts),
        strict=True,
    )
    values = [_unbiased(x[a], y[b]) for a, b in groups]
    # Disjoint parts are independent; the mean over parts has the standard deviation of one over their root.
    return KernelDistance(value, float(np.std(values, ddof=1) / parts**0.5), len(x), len(y))


def _unbiased(x: np.ndarray, y: np.ndarray) -> float:
    n, m = len(x), len(y)
    within_x = _kernel_sum(x, x) - _diagonal(x)
    within_y = _kernel_sum(y, y) - _diagonal(y)
    return float(within_x / (n * (n - 1)) + within_y / (m * (m - 1)) - 2.0 * _kernel_sum(x, y) / (n * m))


def _kernel_sum(a: np.ndarray, b: np.ndarray, chunk: int = 2048) -> float:
    total = 0.0
    for start in range(0, len(a), chunk):
        block = a[start : start + chunk] @ b.T
        block /= a.shape[1]
        block += 1.0
        total += float((block * block * block).sum())
    return total


def _diagonal(a: np.ndarray) -> float:
    return float(((np.square(a).sum(axis=1) / a.shape[1] + 1.0) ** 3).sum())
