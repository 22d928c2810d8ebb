"""The encoder of the warm start: where a molecule lies in the noise; thrown away when the training is over."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Encoder(nn.Module):
    """Mean and log-variance ``[B, Z]`` of the noise of a molecule in canonical order."""

    def __init__(self, max_atoms: int, types: int, width: int, noise: int) -> None:
        super().__init__()
        inputs = max_atoms * types + 3 * max_atoms * (max_atoms - 1) // 2
        self.enter = nn.Linear(inputs, width)
        self.block = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.leave = nn.Linear(width, 2 * noise)

    def forward(self, atoms: Tensor, bonds: Tensor) -> tuple[Tensor, Tensor]:
        """From one-hot atoms ``[B, M, T]`` and bonds ``[B, P, 3]``."""
        h = self.enter(torch.cat([atoms.flatten(1), bonds.flatten(1)], -1))
        h = h + self.block(h)
        mean, log_variance = self.leave(nn.functional.silu(h)).float().chunk(2, -1)
        return mean, log_variance
