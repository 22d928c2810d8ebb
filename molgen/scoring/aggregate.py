"""Desirabilities of several components become one total in 0..1: weighted geometric or arithmetic mean.

With desirabilities d_i, weights w_i and W = sum of w_i over the components that count:

* geometric mean:  exp(sum(w_i ln d_i) / W), and exactly 0 if a d_i is 0: one bad component spoils it;
* arithmetic mean: sum(w_i d_i) / W: components trade off against each other.

A NaN desirability makes the total NaN, unless its component may be missing: then it drops out of both sums.
Where nothing is left, there is no total.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MEANS = ("geometric_mean", "arithmetic_mean")


def aggregate(
    desirabilities: Sequence[np.ndarray],
    weights: Sequence[float],
    optional: Sequence[bool] | None = None,
    how: str = "geometric_mean",
) -> np.ndarray:
    """Combine component desirabilities (each float64 ``[n]``) into totals ``[n]``; see the module for the
    formulas.

    ``optional[i]``: component ``i`` is left out of the mean where it is NaN (``on_missing: ignore``). The
    sums run over the components in their order, elementwise, so that a total does not depend on the rest of
    the batch.
    """
    assert how in MEANS, how
    assert desirabilities, "nothing to aggregate"
    optional = optional if optional is not None else [False] * len(desirabilities)
    n = len(desirabilities[0])
    top, bottom = np.zeros(n), np.zeros(n)
    zero = np.zeros(n, dtype=bool)
    for d, weight, may_miss in zip(desirabilities, weights, optional, strict=True):
        missing = np.isnan(d)
        counts = ~missing if may_miss else np.ones(n, dtype=bool)
        if how == "geometric_mean":
            zero |= d == 0.0
            term = np.log(np.where(d == 0.0, 1.0, d))  # zeros are put back exactly below
        else:
            term = d
        top += np.where(counts, weight * term, 0.0)
        bottom += np.where(counts, weight, 0.0)
    mean = np.divide(top, bottom, out=np.full(n, np.nan), where=bottom > 0)
    if how == "geometric_mean":
        mean = np.exp(mean)
        mean = np.where(zero & ~np.isnan(mean), 0.0, mean)
    return np.clip(mean, 0.0, 1.0)
