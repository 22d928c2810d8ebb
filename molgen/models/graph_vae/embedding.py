"""Vectors of fragments and sites: learned rows beside features, so that what was never seen has a vector too."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from molgen.models.graph_vae.features import FRAGMENT_FEATURES, SITE_FEATURES
from molgen.models.graph_vae.table import FragmentTable


class RowsAndFeatures(nn.Module):
    """``learned row (where there is one) + MLP(features)``, ``[K, width]``.

    While training, ``dropout`` of the rows are left out, so that the features alone learn to say enough.
    """

    def __init__(self, rows: int, features: int, width: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.rows = nn.Embedding(max(1, rows), width)
        nn.init.normal_(self.rows.weight, std=0.3)
        self.count = rows
        self.features = nn.Sequential(nn.Linear(features, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, number: Tensor, features: Tensor) -> Tensor:
        """Vectors of the items ``number`` ``[K]`` with ``features`` ``[K, .]``."""
        known = number < self.count
        if self.training and self.dropout:
            known = known & (torch.rand(number.shape, device=number.device) >= self.dropout)
        rows = self.rows(number.clamp(max=self.count - 1) if self.count else torch.zeros_like(number))
        result: Tensor = self.features(features) + rows * known.unsqueeze(1)
        return result


def fragment_embedding(count: int, width: int, dropout: float) -> RowsAndFeatures:
    """Vectors of fragments."""
    return RowsAndFeatures(count, FRAGMENT_FEATURES, width, dropout)


def site_embedding(count: int, width: int, dropout: float) -> RowsAndFeatures:
    """Vectors of sites."""
    return RowsAndFeatures(count, SITE_FEATURES, width, dropout)


@torch.no_grad()
def all_vectors(model: Any, table: FragmentTable) -> tuple[Tensor, Tensor]:
    """Vectors of all fragments ``[F, width]`` and of all sites ``[N, site_width]`` of a table, in evaluation mode."""
    fragments = torch.arange(len(table), device=model.device)
    sites = torch.arange(len(table.atoms), device=model.device)
    was = model.training
    model.eval()
    found = (
        model.fragments(fragments, torch.from_numpy(table.fragment_features).to(model.device)),
        model.sites(sites, torch.from_numpy(table.site_features).to(model.device)),
    )
    model.train(was)
    return found
