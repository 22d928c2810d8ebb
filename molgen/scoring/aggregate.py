"""Desirabilities of several components become one total in 0..1: weighted geometric or arithmetic mean.

With desirabilities d_i, weights w_i and W = sum of w_i over the components that count:

* geometric mean:  exp(sum(w_i ln d_i) / W), and exactly 0 if a d_i is 0: one bad component spoils it;
* arithmetic mean: sum(w_i d_i) / W: components trade off against each other.

A NaN desirability makes the total NaN, unless its component may be missing: then it drops out of both sums.
Where nothing is left, there is no total.

What each component adds to a total, exactly (:func:`contributions`), with P the product of the penalties p_j:

* geometric mean:  c_i = (w_i / W) ln d_i and c_j = ln p_j, so that the sum is ln(total): exp(c) is the factor by
  which a component multiplies the total;
* arithmetic mean: c_i = w_i d_i / W, and penalties take away what is left of the mean one after the other, in their
  order, c_j = mean p_1 ... p_(j-1) (p_j - 1), so that the sum is the total.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def contributions(
    desirability: Mapping[str, np.ndarray],
    weights: Mapping[str, float],
    penalties: Sequence[str] = (),
    how: str = "geometric_mean",
) -> dict[str, np.ndarray]:
    """What each component adds to the total, float64 ``[n]`` by name; see the module for the formulas.

    ``weights``: of the components of role score; ``penalties``: names of those of role penalty. NaN where a
    desirability is NaN: such a component was left out of the mean. -inf where a geometric mean was spoiled by a 0.
    """
    assert how in MEANS, how
    found: dict[str, np.ndarray] = {}
    n = len(next(iter(desirability.values()), np.zeros(0)))
    total = np.zeros(n)
    for name, weight in weights.items():
        total += np.where(np.isnan(desirability[name]), 0.0, weight)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.zeros(n)
        for name, weight in weights.items():
            d = desirability[name]
            found[name] = weight * (np.log(d) if how == "geometric_mean" else d) / total
            mean += np.nan_to_num(found[name], neginf=-np.inf)
        mean = mean if weights else np.ones(n)
        for name in penalties:
            p = desirability[name]
            if how == "geometric_mean":
                found[name] = np.log(p)
            else:
                found[name] = mean * (p - 1.0)
                mean = mean + np.nan_to_num(found[name])
    return found
