"""The property head: reads properties from points, learns from labels of which many are missing, tells its error."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from molgen.learn.labels import metric_name
from molgen.models.graph_vae.forest import Forest
from molgen.models.graph_vae.posterior import posterior

_HIDDEN = 128


def property_head(latent: int, properties: int) -> nn.Sequential:
    """Points ``[n, latent]`` to z-scored properties ``[n, P]``."""
    return nn.Sequential(nn.Linear(latent, _HIDDEN), nn.SiLU(), nn.Linear(_HIDDEN, properties))


def widen(head: nn.Sequential, more: int, seed: int) -> None:
    """Append outputs, in place; they begin at the mean of their property, with what is known left as it is."""
    old = head[2]
    assert isinstance(old, nn.Linear)
    new = nn.Linear(_HIDDEN, old.out_features + more).to(old.weight)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        new.weight[: old.out_features], new.bias[: old.out_features] = old.weight, old.bias
        rows = torch.randn(more, _HIDDEN, generator=generator) * 0.1 * _HIDDEN**-0.5
        new.weight[old.out_features :], new.bias[old.out_features :] = rows.to(new.weight), 0.0
    head[2] = new


def property_loss(predicted: Tensor, labels: Tensor) -> Tensor:
    """Huber loss over the labels that are there, each property weighing the same; 0 without any. Both ``[B, P]``.

    A plain mean over all values would drown an assay of a hundred compounds in the computed properties of thousands.
    """
    known = ~labels.isnan()
    losses = functional.huber_loss(predicted, torch.where(known, labels, predicted), reduction="none")
    counts = known.sum(0)
    return (losses.sum(0) / counts.clamp(min=1)).sum() / (counts > 0).sum().clamp(min=1)


@torch.no_grad()
def assess_labels(model: Any, data: Forest) -> dict[str, float]:
    """Of each measured column on held-out molecules: mean absolute error (its unit), R2, and of how many values.

    R2 is against the mean of the training values: 0 is no better than that, and below 0 it is worse.
    """
    found: dict[str, float] = {}
    if data.labels is None or not model.measured:
        return found
    names = list(model.properties)
    columns = [names.index(name) for name in model.measured]
    known = np.isfinite(data.labels[:, columns])
    rows = np.flatnonzero(known.any(1))
    if not len(rows):
        return found
    with torch.autocast(model.device.type, enabled=False):
        mean, _ = posterior(model, data, rows)
        predicted = model.property_head(mean).double().cpu().numpy()
    for column, name in zip(columns, model.measured, strict=True):
        true, scale = data.labels[rows, column].astype(np.float64), model.properties[name][1]
        there = np.isfinite(true)
        if there.any():
            error = predicted[there, column] - true[there]
            found[metric_name(name, "error")] = float(scale * np.abs(error).mean())
            found[metric_name(name, "r2")] = float(
                1 - (error**2).mean() / max(1e-12, float((true[there] ** 2).mean()))
            )
            found[metric_name(name, "values")] = float(there.sum())
    return found
