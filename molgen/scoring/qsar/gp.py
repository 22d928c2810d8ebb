"""Gaussian process with the Tanimoto kernel on count fingerprints: exact, for up to 5,000 compounds."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import linalg

from molgen.scoring.qsar.features import Features
from molgen.scoring.qsar.kernel import tanimoto_counts

KIND = "gp"
MOST_ROWS = 5000
#: Noise as a share of the signal is chosen from these by the marginal likelihood.
_NOISE = np.geomspace(0.02, 10.0, 41)
_PRIOR_CENTER, _PRIOR_WIDTH = np.log(0.4), 1.5  # of log(noise / signal): assay data are never noise-free
_ENOUGH = 1000  # rows from which the noise is learned; more change it little and cost their cube
_ROUNDS = 4


class GaussianProcess:
    """A fitted process: prediction ``mean + k(x) @ weights``. Rasmussen and Williams, GPML (2006), algorithm 2.1.

    ``ratio``: noise variance over ``signal`` variance, the latter in squared target units.
    """

    kind = KIND

    def __init__(
        self, train: Features, weights: np.ndarray, mean: float, signal: float, ratio: float
    ) -> None:
        self.train, self.weights = train, weights
        self.mean, self.signal, self.ratio = mean, signal, ratio
        self._factor: tuple[np.ndarray, bool] | None = None

    def mean_of(self, x: Features) -> np.ndarray:
        """Predicted values float64 ``[n]``."""
        return np.asarray(self.mean + tanimoto_counts(x, self.train) @ self.weights)

    def predict(self, x: Features) -> tuple[np.ndarray, np.ndarray]:
        """Predicted values and their standard deviations (noise included), float64 ``[n]``."""
        across = tanimoto_counts(x, self.train)
        half = linalg.solve_triangular(self._cholesky(), across.T, lower=True, check_finite=False)
        variance = np.maximum(1.0 - np.square(half).sum(axis=0), 0.0) + self.ratio
        return self.mean + across @ self.weights, np.sqrt(self.signal * variance)

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything that the process is made of."""
        numbers = np.array([self.mean, self.signal, self.ratio])
        return {
            "gp.weights": self.weights,
            "gp.numbers": numbers,
            "gp.indptr": self.train.indptr,
            "gp.hashes": self.train.hashes.astype(np.int64),
            "gp.counts": self.train.counts.astype(np.uint8),
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> GaussianProcess:
        """Inverse of :meth:`arrays`."""
        train = Features(
            arrays["gp.indptr"], arrays["gp.hashes"].astype(np.uint64), arrays["gp.counts"].astype(np.int64)
        )
        mean, signal, ratio = arrays["gp.numbers"].tolist()
        return cls(train, arrays["gp.weights"], mean, signal, ratio)

    def _cholesky(self) -> np.ndarray:
        if self._factor is None:
            matrix = tanimoto_counts(self.train, self.train)
            matrix[np.diag_indices_from(matrix)] += self.ratio
            self._factor = linalg.cholesky(matrix, lower=True, overwrite_a=True, check_finite=False), True
        return self._factor[0]


def fit(x: Features, y: np.ndarray, side: np.ndarray, seed: int, **_: Any) -> GaussianProcess:
    """Fit to ``y`` float64 ``[n]``; ``side`` -1 or +1: the true value is below or above it (imputed one-sidedly)."""
    kernel = tanimoto_counts(x, x)
    some = np.arange(len(x))
    if len(x) > _ENOUGH:
        some = np.sort(np.random.default_rng(seed).choice(len(x), _ENOUGH, replace=False))
    eigenvalues, vectors = linalg.eigh(kernel[np.ix_(some, some)], check_finite=False)
    target = y.astype(np.float64).copy()
    open_ended = side != 0
    ratio = _ratio(eigenvalues, vectors, target[some])
    matrix = kernel + ratio * np.eye(len(x))
    factor = linalg.cho_factor(matrix, lower=True, overwrite_a=True, check_finite=False)
    ones = linalg.cho_solve(factor, np.ones(len(x)), check_finite=False)
    for left in range(_ROUNDS, -1, -1):
        mean = float(target @ ones / ones.sum())
        weights = linalg.cho_solve(factor, target - mean, check_finite=False)
        if not left or not open_ended.any():
            break
        guess = mean + kernel[open_ended] @ weights
        bound, below = y[open_ended], side[open_ended] < 0
        target[open_ended] = np.where(below, np.minimum(bound, guess), np.maximum(bound, guess))
    signal = float((target - mean) @ weights / len(x))
    return GaussianProcess(x, weights, mean, max(signal, 1e-12), ratio)


def _ratio(eigenvalues: np.ndarray, vectors: np.ndarray, y: np.ndarray) -> float:
    """The noise ratio with the highest marginal likelihood times prior; mean and signal are solved for."""
    ones, values = vectors.sum(axis=0), vectors.T @ y
    weight = 1.0 / (np.maximum(eigenvalues, 0.0)[None, :] + _NOISE[:, None])
    mean = (weight * ones * values).sum(axis=1) / (weight * ones * ones).sum(axis=1)
    residual = values[None, :] - mean[:, None] * ones[None, :]
    signal = np.maximum((weight * residual**2).mean(axis=1), 1e-12)
    evidence = -0.5 * len(y) * np.log(signal) + 0.5 * np.log(weight).sum(axis=1)
    evidence -= (np.log(_NOISE) - _PRIOR_CENTER) ** 2 / (2 * _PRIOR_WIDTH**2)
    return float(_NOISE[int(evidence.argmax())])
