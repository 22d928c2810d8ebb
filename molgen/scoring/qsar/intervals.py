"""Prediction intervals by split conformal prediction, wider where the model is unsure or far from what it knows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize


@dataclass(frozen=True)
class Intervals:
    """Half widths ``quantile(scores) * difficulty(spread, distance)``.

    ``scores``: sorted |residual| / difficulty of compounds that the model had not seen, float64 ``[k]``.
    ``difficulty = exp(on_spread * log(spread / spread_center) + on_distance * (distance - distance_center))``.
    Lei et al., J. Am. Stat. Assoc. 113 (2018) 1094; Svensson et al., J. Chem. Inf. Model. 58 (2018) 1132.
    """

    scores: np.ndarray
    on_spread: float
    on_distance: float
    spread_center: float
    distance_center: float

    def difficulty(self, spread: np.ndarray, distance: np.ndarray) -> np.ndarray:
        """How much harder than a typical compound, float64 ``[n]``; grows with the distance (1 - similarity)."""
        ratio = np.maximum(spread, 1e-3 * self.spread_center) / self.spread_center
        grown = self.on_spread * np.log(ratio) + self.on_distance * (distance - self.distance_center)
        return np.asarray(np.exp(np.clip(grown, -3.0, 3.0)))

    def quantile(self, coverage: float) -> float:
        """The factor that holds ``coverage`` of unseen compounds; infinite if there are too few to tell."""
        k = math.ceil((len(self.scores) + 1) * coverage)
        return float(self.scores[k - 1]) if k <= len(self.scores) else math.inf

    def half_width(self, spread: np.ndarray, distance: np.ndarray, coverage: float) -> np.ndarray:
        """Half the length of each interval, float64 ``[n]``."""
        return self.quantile(coverage) * self.difficulty(spread, distance)

    def settings(self) -> dict[str, Any]:
        """The numbers beside the scores."""
        return {
            "on_spread": self.on_spread,
            "on_distance": self.on_distance,
            "spread_center": self.spread_center,
            "distance_center": self.distance_center,
        }


def calibrate(
    residuals: np.ndarray,
    spread: np.ndarray,
    distance: np.ndarray,
    *,
    further: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
) -> Intervals:
    """From residuals of held-back compounds, the model's spread for them, and their distance to what it knew.

    ``further``: the same three of compounds that were held back by scaffold; they only teach how errors grow with the
    distance, and the scores are those of the first.
    """
    r, s, d = residuals, spread, distance
    if further is not None:
        r, s, d = (np.concatenate(pair) for pair in zip((r, s, d), further, strict=True))
    usable = s > 0
    s_center = float(np.exp(np.log(s[usable]).mean())) if usable.any() else 1.0
    d_center = float(d.mean())
    log_s = np.log(np.maximum(s, 1e-3 * s_center) / s_center)
    size, away = np.maximum(np.abs(r), 1e-6 * (np.abs(r).max() + 1e-12)), d - d_center

    def loss(p: np.ndarray) -> float:
        scale = p[0] + p[1] * log_s + p[2] * away
        # Laplace likelihood: a few gross errors of an assay must not decide. Priors: what other series taught.
        likelihood = (size * np.exp(-scale) + scale).sum()
        return float(likelihood + (p[1] - 0.5) ** 2 / (2 * 0.4**2) + (p[2] - 0.8) ** 2 / (2 * 0.5**2))

    start = np.array([math.log(size.mean()), 0.5, 0.8])
    found = optimize.minimize(loss, start, method="L-BFGS-B", bounds=[(None, None), (0.0, 1.0), (0.2, 2.5)]).x
    plain = Intervals(np.empty(0), float(found[1]), float(found[2]), s_center, d_center)
    scores = np.sort(np.abs(residuals) / plain.difficulty(spread, distance))
    return Intervals(scores, plain.on_spread, plain.on_distance, s_center, d_center)
