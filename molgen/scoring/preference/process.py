"""A Gaussian process that classifies by a handful of likes and dislikes: Tanimoto kernel, Laplace's approximation."""

from __future__ import annotations

import math

import numpy as np
from scipy import linalg
from scipy.special import expit

#: Prior variance of the log odds: one like moves its own compound to 0.73, and nothing unlike it.
VARIANCE = 9.0
_ROUNDS, _ENOUGH = 50, 1e-10
#: On the diagonal: two examples with the same bits must not make the matrix singular.
_JITTER = 1e-6


class PreferenceProcess:
    """Fitted to similarities ``[m, m]`` of the examples and ``liked`` bool ``[m]``.

    Rasmussen and Williams, GPML (2006), algorithms 3.1 and 3.2. Without an opinion on anything alike the answer is 0.5.
    """

    def __init__(self, similarity: np.ndarray, liked: np.ndarray) -> None:
        kernel = VARIANCE * similarity.astype(np.float64) + _JITTER * np.eye(len(liked))
        target = liked.astype(np.float64)
        latent = np.zeros(len(liked))
        for _ in range(_ROUNDS):
            chance = expit(latent)
            weight = np.sqrt(chance * (1.0 - chance))
            factor = self._factor(kernel, weight)
            b = weight**2 * latent + target - chance
            a = b - weight * linalg.cho_solve((factor, True), weight * (kernel @ b))
            before, latent = latent, kernel @ a
            if np.abs(latent - before).max() < _ENOUGH:
                break
        chance = expit(latent)
        weight = np.sqrt(chance * (1.0 - chance))
        self.slope = target - chance
        factor = self._factor(kernel, weight)
        self._whiten = linalg.solve_triangular(factor, np.diag(weight), lower=True)

    @staticmethod
    def _factor(kernel: np.ndarray, weight: np.ndarray) -> np.ndarray:
        matrix = np.eye(len(weight)) + weight[:, None] * kernel * weight[None, :]
        return np.asarray(linalg.cholesky(matrix, lower=True))

    def chance(self, similarity: np.ndarray) -> float:
        """Probability of a like for one molecule with these similarities ``[m]`` to the examples."""
        # One molecule at a time: a product over the whole batch would differ in its last digits with the batch
        across = VARIANCE * similarity.astype(np.float64)
        mean = float(across @ self.slope)
        half = self._whiten @ across
        variance = max(VARIANCE - float(half @ half), 0.0)
        return float(expit(mean / math.sqrt(1.0 + math.pi * variance / 8.0)))
