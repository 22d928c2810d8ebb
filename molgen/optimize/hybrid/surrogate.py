"""A Gaussian process on molecules: what is a molecule worth before it is paid for, and how sure is that.

The kernel is a sum: Tanimoto kernels of count fingerprints (Gower 1971; Ralaivola et al., Neural Networks 18 (2005)
1093) and a squared-exponential kernel of descriptors with a length scale each. How much each part counts is read
from the data by marginal likelihood. The factor of the covariance grows with every batch (block Cholesky), and is
begun anew with other points when the table is full: the best, the latest and some of the rest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from molgen.core.seeding import numpy_generator
from molgen.optimize.hybrid.features import FINGERPRINTS, Row
from molgen.optimize.hybrid.hyper import Hyper, fit
from molgen.optimize.hybrid.kernels import Table, descriptors, near

_SLACK = 256  # molecules that come in before the points are chosen anew
_FIRST = 64  # molecules whose mean score is what an unknown molecule is expected to have
_NEGLIGIBLE = 1e-4  # a kernel with less than this share of the amplitude is left out


@dataclass(frozen=True)
class Belief:
    """What the surrogate thinks of ``n`` molecules: ``mean`` and ``spread`` (standard deviation), float64 ``[n]``."""

    mean: np.ndarray
    spread: np.ndarray


def seen_as(score: float) -> float:
    """The score as the surrogate sees it: by its root, differences between poor molecules count more.

    Products of desirabilities are easier to predict that way (measured: docs/decisions.md).
    """
    return math.sqrt(max(score, 0.0))


class Surrogate:
    """Posterior of the score. All numbers follow from the rows and scores it was told, in that order.

    ``points``: how many molecules it rests on at most.
    """

    def __init__(self, points: int, seed: int) -> None:
        self.points, self.seed = points, seed
        self.rows: list[Row] = []
        self.scores: list[float] = []
        self.hyper: Hyper | None = None
        self.batches: list[list[int]] = []  # what the factor was built from, in order
        self._reset()

    def _reset(self) -> None:
        self._capacity = self.points + _SLACK
        self._table = Table(min(512, self._capacity))
        self._factor = torch.zeros(0, 0, dtype=torch.float64)
        self._half = torch.zeros(0, 0)
        self._built = 0
        self._weights = torch.zeros(0, dtype=torch.float64)

    def __len__(self) -> int:
        return len(self.rows)

    def add(self, rows: Sequence[Row], scores: Sequence[float]) -> None:
        """Learn molecules with their scores. Dearer when the points are chosen anew."""
        first = len(self.rows)
        self.rows += rows
        self.scores += [float(score) for score in scores]
        new = list(range(first, len(self.rows)))
        held = sum(map(len, self.batches))
        if self.hyper is None or held + len(new) > self._capacity or self._due():
            self._renew()
        elif new:
            self.batches.append(new)
        self._build()

    def rescore(self, changed: Mapping[int, float]) -> None:
        """Give known molecules (by position) other scores."""
        for index, score in changed.items():
            self.scores[index] = float(score)
        if self.hyper is not None:
            self._build()

    def _due(self) -> bool:
        """Whether there are enough new scores to weigh the kernels again: after a third more, at most 500."""
        assert self.hyper is not None
        return len(self.rows) >= self.hyper.fitted + min(500, max(32, self.hyper.fitted // 3))

    def _renew(self) -> None:
        scores = np.array(self.scores)
        rng = numpy_generator(self.seed, "points", len(self.rows))
        chosen = choose_points(scores, self.points, rng)
        if self.hyper is None or self._due():
            few = choose_points(scores, 384, rng)
            mean = float(scores[:_FIRST].mean()) if self.hyper is None else self.hyper.mean
            self.hyper = fit([self.rows[i] for i in few], scores[few], len(self.rows), self.hyper, mean)
        self.batches = [chosen.tolist()]
        self._reset()

    def _build(self) -> None:
        """Bring table and factor up to the batches; the same operations in the same order wherever it starts."""
        assert self.hyper is not None
        for batch in self.batches[self._built :]:
            rows = [self.rows[i] for i in batch]
            old = self._table.count
            across, _ = self._kernel(rows)
            self._extend(rows)
            within, _ = self._kernel(rows)
            within = within[:, old:].double()
            within = within + self.hyper.noise * torch.eye(len(rows), dtype=torch.float64)
            factor = torch.zeros(old + len(rows), old + len(rows), dtype=torch.float64)
            if old:
                lower = torch.linalg.solve_triangular(self._factor, across.double().T, upper=False).T
                within = within - lower @ lower.T
                factor[:old, :old], factor[old:, :old] = self._factor, lower
            factor[old:, old:] = _cholesky(within)
            self._factor = factor
            self._built += 1
        held = [i for batch in self.batches for i in batch]
        residual = torch.tensor([self.scores[i] for i in held], dtype=torch.float64) - self.hyper.mean
        self._weights = torch.cholesky_solve(residual.unsqueeze(1), self._factor).squeeze(1)
        self._half = self._factor.float()

    def _extend(self, rows: Sequence[Row]) -> None:
        if self._table.count + len(rows) > self._table.capacity:
            held = [i for batch in self.batches[: self._built] for i in batch]
            need = self._table.count + len(rows)
            self._table = Table(max(need, min(self._capacity, 2 * self._table.capacity)))
            self._table.add([self.rows[i] for i in held])
        self._table.add(rows)

    def _kernel(self, rows: Sequence[Row]) -> tuple[Tensor, Tensor]:
        """Covariances ``[len(rows), points]`` with the points, and the rows' own variances."""
        assert self.hyper is not None
        amplitudes = self.hyper.amplitudes
        total = torch.zeros(len(rows), self._table.count)
        for k in range(len(FINGERPRINTS)):
            if amplitudes[k] > _NEGLIGIBLE * sum(amplitudes):
                total += amplitudes[k] * self._table.similarity(rows, k)
        lengths = torch.tensor(self.hyper.lengths, dtype=torch.float64)
        if amplitudes[-1] > _NEGLIGIBLE * sum(amplitudes):
            total += (
                amplitudes[-1] * near(descriptors(rows), self._table.known_descriptors(), lengths).float()
            )
        own = sum(a for a in amplitudes if a > _NEGLIGIBLE * sum(amplitudes))
        return total, torch.full((len(rows),), own)

    def believe(self, rows: Sequence[Row], block: int = 512) -> Belief:
        """Mean and spread of molecules, without the noise of a measurement."""
        means, spreads = [np.zeros(0)], [np.zeros(0)]
        assert self.hyper is not None
        for start in range(0, len(rows), block):
            across, own = self._kernel(rows[start : start + block])
            half = torch.linalg.solve_triangular(self._half, across.T, upper=False)
            variance = (own - half.square().sum(0)).clamp(min=1e-8 * float(own[0]))
            mean = across.double() @ self._weights + self.hyper.mean
            means.append(mean.numpy())
            spreads.append(variance.double().sqrt().numpy())
        return Belief(np.concatenate(means), np.concatenate(spreads))

    def together(self, rows: Sequence[Row]) -> np.ndarray:
        """Covariance ``[n, n]`` of the posterior of molecules, float64."""
        assert self.hyper is not None
        table = Table(max(1, len(rows)))
        table.add(rows)
        across, _ = self._kernel(rows)
        half = torch.linalg.solve_triangular(self._half, across.T, upper=False)
        mine, self._table = self._table, table
        try:
            among, _ = self._kernel(rows)
        finally:
            self._table = mine
        return (among - half.T @ half).double().numpy()

    # -- keeping -------------------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """JSON-able; rows and scores are the caller's to keep."""
        hyper = None if self.hyper is None else vars(self.hyper)
        return {"hyper": hyper, "batches": [list(batch) for batch in self.batches]}

    def load_state(self, state: Mapping[str, Any], rows: Sequence[Row], scores: Sequence[float]) -> None:
        """Inverse of :meth:`state`: the factor is built again by the same operations, so it has the same bits."""
        self.rows, self.scores = list(rows), list(scores)
        self.hyper = None if state["hyper"] is None else Hyper(**state["hyper"])
        self.batches = [list(batch) for batch in state["batches"]]
        self._reset()
        if self.hyper is not None:
            self._build()


def choose_points(scores: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Positions, ascending: all if they fit, else the best half, the latest quarter and a random rest."""
    if len(scores) <= n:
        return np.arange(len(scores))
    best = np.argsort(-scores, kind="stable")[: n // 2]
    latest = np.arange(len(scores))[::-1][: n // 4]
    chosen = np.union1d(best, latest)
    rest = np.setdiff1d(np.arange(len(scores)), chosen)
    return np.sort(np.concatenate([chosen, rng.choice(rest, n - len(chosen), replace=False)]))


def _cholesky(matrix: Tensor) -> Tensor:
    """Lower factor; the diagonal is raised as far as it takes."""
    scale = float(matrix.diagonal().mean())
    for jitter in (0.0, 1e-6, 1e-4, 1e-2, 1.0):
        eye = torch.eye(len(matrix), dtype=matrix.dtype)
        factor, failed = torch.linalg.cholesky_ex(matrix + jitter * scale * eye)
        if not int(failed):
            return factor
    raise ValueError("the covariance of the surrogate has values that are no numbers")
