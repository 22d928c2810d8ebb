"""Precision, recall, density and coverage: does a sample stay where the reference is, and does it reach all of it?

Precision and recall: Kynkaanniemi et al. 2019 (arXiv:1904.06991). Density and coverage, which a few outliers do not
spoil: Naeem et al. 2020 (arXiv:2002.09797). A ball around a molecule reaches to its k-th neighbor in its own set.
Precision that rises while coverage falls is the sign of dropped modes. All in blocks, memory is bounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from molgen.core.errors import DataError
from molgen.metrics.similarity import similarity_blocks, without_self

Blocks = Iterator[tuple[slice, slice, Tensor]]
Distances = Callable[[np.ndarray, np.ndarray], Blocks]


@dataclass(frozen=True)
class Manifold:
    """The four shares, what a perfect sample of this size would cover, and the k that they were computed with."""

    precision: float
    recall: float
    density: float
    coverage: float
    coverage_ceiling: float
    k: int
    n: int
    n_reference: int


def euclidean(a: np.ndarray, b: np.ndarray, *, chunk: int = 2048) -> Blocks:
    """Euclidean distances of features ``float [n, d]``, block by block."""
    x, y = (torch.from_numpy(np.ascontiguousarray(v, dtype=np.float32)) for v in (a, b))
    for start in range(0, len(x), chunk):
        rows = slice(start, min(start + chunk, len(x)))
        for first in range(0, len(y), chunk):
            columns = slice(first, min(first + chunk, len(y)))
            yield rows, columns, torch.cdist(x[rows], y[columns])


def tanimoto_distance(a: np.ndarray, b: np.ndarray, *, chunk: int = 2048) -> Blocks:
    """1 - Tanimoto of packed fingerprints, block by block."""
    for rows, columns, block in similarity_blocks(a, b, chunk=chunk):
        yield rows, columns, 1.0 - block


def manifold(sample: np.ndarray, reference: np.ndarray, distances: Distances, k: int = 5) -> Manifold:
    """Compare a sample with a reference, both as features or packed fingerprints that ``distances`` understands.

    Raises:
        DataError: not more than ``k`` molecules on one side.
    """
    if min(len(sample), len(reference)) <= k:
        raise DataError(
            f"precision and coverage with k = {k} need more than {k} molecules on both sides, "
            f"there are {len(sample)} and {len(reference)}"
        )
    reach, own_reach = _reach(reference, distances, k), _reach(sample, distances, k)
    inside = torch.zeros(len(sample))  # balls of the reference that hold each sampled molecule
    recalled = torch.zeros(len(reference), dtype=torch.bool)
    nearest = torch.full((len(reference),), math.inf)
    for rows, columns, block in distances(sample, reference):
        inside[rows] += (block <= reach[columns]).sum(dim=1)
        recalled[columns] |= (block <= own_reach[rows, None]).any(dim=0)
        nearest[columns] = torch.minimum(nearest[columns], block.amin(dim=0))
    return Manifold(
        precision=float((inside > 0).double().mean()),
        recall=float(recalled.double().mean()),
        density=float(inside.double().mean() / k),
        coverage=float((nearest <= reach).double().mean()),
        coverage_ceiling=expected_coverage(len(sample), len(reference), k),
        k=k,
        n=len(sample),
        n_reference=len(reference),
    )


def expected_coverage(n: int, n_reference: int, k: int) -> float:
    """Coverage that ``n`` molecules of the reference's own distribution are expected to reach (Naeem 2020, lemma 2)."""
    missed = math.prod((n_reference - i) / (n + n_reference - i) for i in range(1, k + 1))
    return 1.0 - missed


def _reach(points: np.ndarray, distances: Distances, k: int) -> Tensor:
    """Distance of each point to its k-th nearest other point."""
    best = torch.full((len(points), k), math.inf)
    for rows, columns, block in distances(points, points):
        without_self(block, rows, columns, math.inf)
        best[rows] = torch.cat([best[rows], block], dim=1).topk(k, dim=1, largest=False).values
    return best[:, -1]
