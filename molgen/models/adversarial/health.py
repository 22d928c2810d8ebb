"""How healthy a generator of vectors is: how distinct its draws are, and how much of the data they reach."""

from __future__ import annotations

import torch
from torch import Tensor


@torch.no_grad()
def uniqueness(draws: Tensor, data: Tensor) -> float:
    """Share of ``draws`` ``[n, d]`` that keep their distance from one another.

    That is half of what nine in ten examples of as much ``data`` keep; 1 of 1 for a generator like the data.
    """
    n = min(len(draws), len(data))
    usual = _nearest(data[:n], data[:n], itself=True).kthvalue(max(1, n // 10)).values
    return float((_nearest(draws[:n], draws[:n], itself=True) >= 0.5 * usual).float().mean())


@torch.no_grad()
def coverage(draws: Tensor, data: Tensor, k: int = 5) -> float:
    """Share of the examples with a draw nearer than their ``k``-th neighbor (Naeem et al., ICML 2020).

    As many draws as examples reach about 1 - 2^-k of them if they are of one distribution.
    """
    ball = torch.cdist(data, data).kthvalue(k + 1, 1).values
    return float((_nearest(data, draws, itself=False) < ball).float().mean())


def _nearest(a: Tensor, b: Tensor, *, itself: bool) -> Tensor:
    return torch.cdist(a, b).kthvalue(2 if itself else 1, 1).values
