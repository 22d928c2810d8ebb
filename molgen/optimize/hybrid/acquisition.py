"""Which few of many candidates to pay for: upper confidence bounds from greedy to curious, each knowing the others."""

from __future__ import annotations

import numpy as np

from molgen.optimize.hybrid.surrogate import Belief

_SMALLEST = 0.01  # of the weight of the spread: the greedy end of a batch


def curiosities(n: int, largest: float, rng: np.random.Generator) -> np.ndarray:
    """``n`` weights of the spread, log-uniform from a hundredth of ``largest``: random order, one in each stretch."""
    if n == 0 or largest == 0:
        return np.zeros(n)
    places = (np.arange(n) + rng.random(n)) / n
    return rng.permutation(largest * _SMALLEST ** (1 - places))


def shortlist(belief: Belief, n: int, largest: float) -> np.ndarray:
    """Positions of candidates that at least one weight of the spread ranks among its best; at most ``n``."""
    ranks = np.full(len(belief.mean), len(belief.mean))
    for weight in (0.0, 0.3 * largest, largest):
        order = np.argsort(-(belief.mean + weight * belief.spread), kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        ranks = np.minimum(ranks, rank)
    return np.argsort(ranks, kind="stable")[:n]


def choose(mean: np.ndarray, covariance: np.ndarray, weights: np.ndarray, noise: float) -> list[int]:
    """Positions of the chosen, one for each weight of the spread.

    After each choice the covariance is what it would be had the molecule been paid for: its neighbors are known
    better then, so the next choice goes elsewhere (GP-BUCB; Desautels et al., JMLR 15 (2014) 3873).
    """
    left = np.ones(len(mean), dtype=bool)
    rest = covariance.copy()
    chosen: list[int] = []
    for weight in weights[: len(mean)]:
        spread = np.sqrt(np.clip(rest.diagonal(), 0.0, None))
        value = np.where(left, mean + weight * spread, -np.inf)
        best = int(value.argmax())
        chosen.append(best)
        left[best] = False
        column = rest[:, best].copy()
        rest -= np.outer(column, column) / max(float(rest[best, best]) + noise, 1e-12)
    return chosen
