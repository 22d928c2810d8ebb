"""DRD2, GSK3B and JNK3: the published activity classifiers evaluated from plain arrays, to the last digit of TDC.

The arrays come from ``molgen data fetch drd2`` and the like (:mod:`molgen.data.converters`). Forests see ECFP4 bits
(2,048), the support-vector machine FCFP6 counts folded modulo 2,048.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from molgen.benchmark.features import N_BITS, Features
from molgen.core.errors import DataError
from molgen.data.catalog import locate
from molgen.data.converters import read_arrays

#: Values float64 ``[n]`` of many molecules.
BatchScore = Callable[[Sequence[Features]], np.ndarray]
_BLOCK = 256  # molecules at a time: bounds the scratch memory


def classifier(name: str, path: Path | None = None) -> BatchScore:
    """A new instance of ``drd2``, ``gsk3b`` or ``jnk3``; ``path``: its arrays, default: those in the cache.

    Raises DataError with the line that fetches them.
    """
    arrays = read_arrays(path or locate(name))
    wanted = {"vectors", "weights", "intercept", "gamma", "platt"}
    if name != "drd2":
        wanted = {"left", "right", "feature", "threshold", "active", "root"}
    if set(arrays) != wanted:
        raise DataError(
            f"{path or name}: not the arrays of {name}; fetch them with: molgen data fetch {name}"
        )
    return _machine(arrays) if name == "drd2" else _forest(arrays)


def _forest(arrays: dict[str, np.ndarray]) -> BatchScore:
    """Mean over the trees of the share of actives in the leaf."""
    active, roots = arrays["active"], arrays["root"]
    # A fingerprint is 0 or 1: every threshold lies between, and the right child is that of a bit that is on.
    children = np.stack([arrays["left"], arrays["right"]], axis=1).ravel()
    if not ((arrays["threshold"] >= 0) & (arrays["threshold"] < 1))[arrays["left"] != arrays["right"]].all():
        raise DataError("a forest that does not ask for bits")
    feature = arrays["feature"].astype(np.int64)
    leaf = arrays["left"] == arrays["right"]

    def block(molecules: Sequence[Features]) -> np.ndarray:
        on = np.zeros((len(molecules), N_BITS), dtype=np.int32)
        for row, molecule in enumerate(molecules):
            on[row, molecule.ecfp4_bits] = 1
        flat = on.ravel()
        node = np.tile(roots, len(molecules)).astype(np.int64)
        base = np.repeat(np.arange(len(molecules)) * N_BITS, len(roots))
        walking = np.flatnonzero(~leaf[node])
        while len(walking):
            here = node[walking]
            here = children[2 * here + flat[base[walking] + feature[here]]].astype(np.int64)
            node[walking] = here
            walking = walking[~leaf[here]]
        shares = active[node].reshape(len(molecules), len(roots))
        return np.add.accumulate(shares, axis=1)[:, -1] / len(roots)  # tree after tree, as scikit-learn adds

    return _blockwise(block)


def _machine(arrays: dict[str, np.ndarray]) -> BatchScore:
    """Radial kernel, Platt's sigmoid, and libsvm's iteration that couples the probabilities."""
    vectors = np.ascontiguousarray(arrays["vectors"].T.astype(np.float64))  # [2048, n]
    norms = (arrays["vectors"].astype(np.int64) ** 2).sum(axis=1).astype(np.float64)
    weights, intercept, gamma = arrays["weights"], float(arrays["intercept"][0]), float(arrays["gamma"][0])
    slope, offset = (float(value) for value in arrays["platt"])

    def one(molecule: Features) -> float:
        places, counts = molecule.fcfp6_folded
        distance = norms + float(counts @ counts)
        distance -= 2.0 * (counts @ vectors[places]) if len(places) else 0.0
        decision = float(np.exp(-gamma * distance) @ weights) + intercept
        return _coupled(_sigmoid(decision, slope, offset))

    def score(molecules: Sequence[Features]) -> np.ndarray:
        return np.array([one(molecule) for molecule in molecules], dtype=np.float64)

    return score


def _sigmoid(decision: float, slope: float, offset: float) -> float:
    """Platt's probability of the first class, kept off 0 and 1 as libsvm does."""
    exponent = decision * slope + offset
    value = (
        math.exp(-exponent) / (1.0 + math.exp(-exponent))
        if exponent >= 0
        else 1.0 / (1.0 + math.exp(exponent))
    )
    return min(max(value, 1e-7), 1.0 - 1e-7)


def _coupled(first: float) -> float:
    """Probability of the second class after the pairwise coupling of Wu, Lin and Weng (JMLR 5 (2004) 975), method 2.

    For two classes the fixed point is ``1 - first``; libsvm stops its iteration a little before, and that shows in
    the sixth digit.
    """
    second = 1.0 - first
    matrix = ((second * second, -second * first), (-second * first, first * first))
    p = [0.5, 0.5]
    for _ in range(100):
        product = [matrix[t][0] * p[0] + matrix[t][1] * p[1] for t in range(2)]
        whole = p[0] * product[0] + p[1] * product[1]
        if max(abs(value - whole) for value in product) < 0.005 / 2:
            break
        for t in range(2):
            step = (whole - product[t]) / matrix[t][t]
            p[t] += step
            whole = (whole + step * (step * matrix[t][t] + 2 * product[t])) / (1 + step) / (1 + step)
            for j in range(2):
                product[j] = (product[j] + step * matrix[t][j]) / (1 + step)
                p[j] /= 1 + step
    return p[1]


def _blockwise(block: BatchScore) -> BatchScore:
    def score(molecules: Sequence[Features]) -> np.ndarray:
        ends = [*range(0, len(molecules), _BLOCK), len(molecules)]
        return np.concatenate([np.zeros(0), *(block(molecules[a:b]) for a, b in pairwise(ends))])

    return score
