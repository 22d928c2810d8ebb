"""Exponential moving average of a network's weights: what an adversarial generator is sampled with."""

from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import nn

Network = TypeVar("Network", bound=nn.Module)


def averaged(network: Network) -> Network:
    """A copy of ``network`` that takes part in no training."""
    return copy.deepcopy(network).requires_grad_(False).eval()


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, keep: float) -> None:
    """Move ``average`` towards ``network`` by a share of ``1 - keep``; buffers are copied."""
    for mine, theirs in zip(average.parameters(), network.parameters(), strict=True):
        mine.lerp_(theirs.to(mine.dtype), 1 - keep)
    for held, buffer in zip(average.buffers(), network.buffers(), strict=True):
        held.copy_(buffer)


def keep_at(step: int, keep: float) -> float:
    """The share that is kept at ``step``: the first weights, which are random, are soon forgotten."""
    return min(keep, step / (step + 10))
