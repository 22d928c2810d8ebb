"""How far a number can be trusted: intervals for shares, means and distances, and the sizes that metrics need."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import NormalDist

import numpy as np

Interval = tuple[float, float]
_Z = NormalDist().inv_cdf(0.975)


def share_interval(successes: int, n: int) -> Interval:
    """95 % interval of a share (Wilson 1927): right at 0 and 1 and for small ``n`` too."""
    if n <= 0:
        return (0.0, 1.0)
    p = successes / n
    center = (p + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * math.sqrt(p * (1 - p) / n + _Z**2 / (4 * n * n))
    low, high = max(0.0, center - half), min(1.0, center + half)
    return (low if successes else 0.0, high if successes < n else 1.0)


def mean_interval(values: np.ndarray, *, seed: int = 0, resamples: int = 400) -> Interval:
    """95 % bootstrap interval (percentiles) of the mean of ``values [n]``."""
    values = np.asarray(values, dtype=np.float64)
    if len(values) < 2:
        return (math.nan, math.nan)
    rng = np.random.default_rng(seed)
    means = [values[rng.integers(0, len(values), len(values))].mean() for _ in range(resamples)]
    low, high = np.percentile(means, [2.5, 97.5])
    return (float(low), float(high))


def fold_deviation(
    statistic: Callable[[np.ndarray], float], n: int, *, folds: int = 5, seed: int = 0
) -> float:
    """Standard deviation of a statistic of a sample by leaving out each fold in turn (grouped jackknife).

    A bootstrap draws molecules twice, which a Frechet distance takes for less variety; leaving out does not. All folds
    have one size, so that a bias which depends on it cancels. ``statistic`` gets the indices to use.
    """
    order = np.random.default_rng(seed).permutation(n)
    parts = np.array_split(order, folds)
    values = np.array([statistic(np.concatenate(parts[:i] + parts[i + 1 :])) for i in range(folds)])
    return float(np.sqrt((folds - 1) / folds * np.square(values - values.mean()).sum()))


#: Metric (or its beginning) -> how many molecules it should have, and what happens with fewer.
SIZES: tuple[tuple[str, int, str], ...] = (
    ("FCD", 10_000, "it grows about as 1/n with smaller samples; the published protocol has 30,000"),
    ("KL", 10_000, "GuacaMol's protocol has 10,000"),
    ("valid", 1_000, "the interval is wider than 6 points"),
    ("gate", 1_000, "the intervals of all shares are wider than 4 points"),
    ("precision", 2_000, "the spread between neighbors is not that of the whole set"),
    ("coverage", 2_000, "the spread between neighbors is not that of the whole set"),
    ("KCD", 1_000, "its standard deviation is of the size of the value"),
    ("ring system recall", 2_000, "a small sample cannot show many ring systems, however good it is"),
)


def size_warnings(n: int, names: Sequence[str]) -> list[str]:
    """One sentence for each computed metric that ``n`` molecules are too few for, with the number needed."""
    return [
        f"{metric} from {n:,} molecules: {needed:,} or more would be needed ({why})"
        for metric, needed, why in SIZES
        if n < needed and any(name.startswith(metric) for name in names)
    ]
