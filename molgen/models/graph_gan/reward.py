"""The reward network: reads a property from a dense graph, so that the generator can be paid for it (MolGAN, 2018)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from molgen.models.graph_gan.critic import Trunk
from molgen.models.graph_gan.graphs import Batch


class RewardNetwork(nn.Module):
    """A property in standard deviations of the training molecules; learned from them alone.

    It only ever saw molecules: what it says of anything else is a guess, so its word is bounded and invalid graphs get
    nothing.
    """

    def __init__(self, max_atoms: int, types: int, width: int, layers: int) -> None:
        super().__init__()
        self.trunk = Trunk(max_atoms, types, width, layers)
        self.head = nn.Sequential(nn.Linear(self.trunk.out, width), nn.SiLU(), nn.Linear(width, 1))

    def forward(self, atoms: Tensor, bonds: Tensor) -> Tensor:
        """``[B]`` from one-hot atoms ``[B, M, T]`` and bonds ``[B, P, 3]``."""
        found: Tensor = self.head(self.trunk(atoms, bonds)).squeeze(-1)
        return found

    def value(self, atoms: Tensor, bonds: Tensor) -> Tensor:
        """The same within three standard deviations."""
        return 3 * torch.tanh(self(atoms, bonds).float() / 3)

    def step(self, batch: Batch, real: tuple[Tensor, Tensor]) -> tuple[str, Tensor, dict[str, float]]:
        """Huber loss on the molecules whose property is known."""
        told = batch.labels[: len(real[0]), 0]
        known = ~told.isnan()
        predicted = self(*real).float()
        loss = functional.huber_loss(predicted, torch.where(known, told, predicted), reduction="sum")
        loss = loss / known.sum().clamp(min=1)
        return "reward", loss, {"reward_loss": float(loss.detach())}
