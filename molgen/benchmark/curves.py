"""Score curves and means of GuacaMol (Brown et al., J. Chem. Inf. Model. 59 (2019) 1096) as plain functions."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

Curve = Callable[[float], float]


def gaussian(mu: float, sigma: float) -> Curve:
    """A bell that is 1 at ``mu``."""

    def curve(x: float) -> float:
        return math.exp(-0.5 * ((x - mu) / sigma) ** 2.0)

    return curve


def at_most(mu: float, sigma: float) -> Curve:
    """1 up to ``mu``, then the falling half of a bell (``MinGaussian`` of the paper)."""
    bell = gaussian(mu, sigma)
    return lambda x: bell(max(x, mu))


def at_least(mu: float, sigma: float) -> Curve:
    """1 from ``mu`` on, before that the rising half of a bell (``MaxGaussian`` of the paper)."""
    bell = gaussian(mu, sigma)
    return lambda x: bell(min(x, mu))


def up_to(full: float) -> Curve:
    """Proportional, 1 from ``full`` on (``Thresholded`` of the paper, ``ClippedScoreModifier`` of its code)."""
    slope = 1.0 / (full - 0.0)
    intercept = 1.0 - slope * full
    return lambda x: min(max(slope * x + intercept, 0.0), 1.0)


def product_root(values: Sequence[float]) -> float:
    """Geometric mean as GuacaMol computes it: the root of the product."""
    return float(np.array(values).prod() ** (1.0 / len(values)))


def log_mean(values: Sequence[float]) -> float:
    """Geometric mean as TDC computes it, through logarithms (the last digit differs from :func:`product_root`).

    NaN where a value is negative: such a mean does not exist.
    """
    if min(values) <= 0.0:
        return math.nan if min(values) < 0.0 else 0.0
    return float(np.exp(np.mean(np.log(values))))


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean."""
    return float(np.mean(values))
