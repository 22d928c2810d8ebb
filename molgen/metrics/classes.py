"""Chemical class score: the inception score with clusters of reference molecules in the place of image classes.

``exp(E_x KL(p(class | x) || p(class)))``, between 1 and the number of classes: high when each molecule belongs clearly
to one class and all classes occur equally often (Salimans et al. 2016, arXiv:1606.03498).

It can be gamed: one typical molecule per class, repeated, or a copy of the training set scores as high as anything,
and it does not notice what lies between or outside the classes. Never quote it without FCD and novelty.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from molgen.core.errors import DataError

GAMEABLE = (
    "gameable by copies of the reference and by one typical molecule per class; never without FCD and novelty"
)
_POINTS_PER_CLASS = 5
_CONFIDENCE, _TUNED = 0.9, 2000


@dataclass(frozen=True)
class Classes:
    """Cluster centers ``[c, bits]`` and the squared distance by which a membership changes e-fold.

    The temperature is that at which the median reference molecule belongs to one class with 0.9.
    """

    centers: np.ndarray
    temperature: float

    def membership(self, fingerprints: np.ndarray) -> np.ndarray:
        """Soft assignment ``[n, c]`` of packed fingerprints; rows sum to 1."""
        logits = -_squared(fingerprints, self.centers) / self.temperature
        logits -= logits.max(axis=1, keepdims=True)
        weights = np.exp(logits)
        return weights / weights.sum(axis=1, keepdims=True)


def fit_classes(reference: np.ndarray, count: int = 200, *, seed: int = 0) -> Classes:
    """k-means on packed fingerprints, and the temperature found by bisection.

    Raises:
        DataError: fewer than five molecules per class.
    """
    from sklearn.cluster import MiniBatchKMeans

    if len(reference) < _POINTS_PER_CLASS * count:
        raise DataError(f"{count} classes need at least {_POINTS_PER_CLASS * count} reference molecules")
    bits = np.unpackbits(reference, axis=1).astype(np.float32)
    found = MiniBatchKMeans(count, random_state=seed, n_init=3, batch_size=1024).fit(bits)
    centers = found.cluster_centers_.astype(np.float64)
    low, high = 1e-6, 1e4  # the median confidence falls from 1 to 1 / count in between
    for _ in range(60):
        temperature = math.sqrt(low * high)
        confidence = Classes(centers, temperature).membership(reference[:_TUNED]).max(axis=1)
        low, high = (temperature, high) if np.median(confidence) > _CONFIDENCE else (low, temperature)
    return Classes(centers, math.sqrt(low * high))


def class_score(membership: np.ndarray) -> float:
    """``exp(mean KL)`` of soft assignments ``[n, c]``."""
    marginal = membership.mean(axis=0)
    ratio = np.log(np.maximum(membership, 1e-300)) - np.log(np.maximum(marginal, 1e-300))
    return float(np.exp((membership * ratio).sum(axis=1).mean()))


def _squared(packed: np.ndarray, centers: np.ndarray) -> np.ndarray:
    bits = np.unpackbits(packed, axis=1).astype(np.float32)
    cross = bits @ centers.astype(np.float32).T
    squares = np.square(centers).sum(axis=1)
    return np.asarray(bits.sum(axis=1)[:, None] + squares[None] - 2.0 * cross, dtype=np.float64)
