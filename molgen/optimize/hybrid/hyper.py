"""How much each part of the kernel counts: amplitudes, length scales and noise by marginal likelihood."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from molgen.optimize.hybrid.features import DESCRIPTORS, FINGERPRINTS, Row
from molgen.optimize.hybrid.kernels import Table, descriptors, near

_STEPS, _RATE = 50, 0.15
_NOISE = 1e-4  # at least, of the mean square: kernels are computed in float32
_LENGTH = 3.0  # expected length scale of a descriptor, in its small changes


@dataclass(frozen=True)
class Hyper:
    """Of the kernel: in units of the score (amplitudes and noise: squared). ``fitted``: to how many scores."""

    amplitudes: list[float]  # of the fingerprints, then of the descriptors
    lengths: list[float]  # of the descriptors
    noise: float
    mean: float
    fitted: int


def fit(rows: Sequence[Row], scores: np.ndarray, known: int, before: Hyper | None, mean: float) -> Hyper:
    """Maximize the posterior density of the hyperparameters, from where the last fit ended."""
    y = torch.from_numpy(np.asarray(scores, dtype=np.float64)) - mean
    scale = max(float(y.square().mean()), 1e-12)
    y = y / math.sqrt(scale)
    table = Table(len(rows))
    table.add(rows)
    kernels = [table.similarity(rows, k).double() for k in range(len(FINGERPRINTS))]
    points = descriptors(rows)
    parts = len(FINGERPRINTS) + 1
    if before is None:
        amplitude = torch.full((parts,), math.log(1.0 / parts), dtype=torch.float64)
        length = torch.full((len(DESCRIPTORS),), math.log(_LENGTH), dtype=torch.float64)
        noise = torch.tensor(math.log(0.01), dtype=torch.float64)
    else:
        amplitude = torch.tensor([max(a / scale, 1e-3) for a in before.amplitudes], dtype=torch.float64).log()
        length = torch.tensor(before.lengths, dtype=torch.float64).log()
        noise = torch.tensor(max(before.noise / scale, 1e-5), dtype=torch.float64).log()
    free = [amplitude.requires_grad_(True), length.requires_grad_(True), noise.requires_grad_(True)]
    optimizer = torch.optim.Adam(free, lr=_RATE)
    eye = torch.eye(len(rows), dtype=torch.float64)
    with torch.enable_grad():
        for _ in range(_STEPS):
            weights = amplitude.exp()
            covariance = (noise.exp() + _NOISE) * eye + weights[-1] * near(points, points, length.exp())
            for weight, kernel in zip(weights[:-1], kernels, strict=True):
                covariance = covariance + weight * kernel
            loss = _evidence(covariance, y) + (length - math.log(_LENGTH)).square().sum() / 2
            loss = loss + (noise - math.log(0.01)).square() / 8 + (amplitude + 1.5).square().sum() / 18
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.no_grad():
        return Hyper(
            (amplitude.exp() * scale).tolist(),
            length.exp().tolist(),
            float((noise.exp() + _NOISE) * scale),
            mean,
            known,
        )


def _evidence(covariance: Tensor, y: Tensor) -> Tensor:
    """Negative log marginal likelihood, without its constant."""
    factor, failed = torch.linalg.cholesky_ex(covariance)
    if int(failed):
        factor = torch.linalg.cholesky(covariance + 1e-2 * torch.eye(len(y), dtype=y.dtype))
    half = torch.linalg.solve_triangular(factor, y.unsqueeze(1), upper=False)
    return 0.5 * half.square().sum() + factor.diagonal().log().sum()
