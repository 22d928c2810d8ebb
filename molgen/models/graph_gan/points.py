"""Points of molecules: the noise that the warm start's encoder gives them, and their size as the last coordinate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from molgen.core.errors import ModelError
from molgen.models.graph_gan.decoding import write
from molgen.models.graph_gan.graphs import GraphSet, one_hot, read

GraphGan = Any  # model.GraphGan, which imports this module


def joined(model: GraphGan, z: Tensor, sizes: Tensor) -> Tensor:
    """Noise ``[n, Z]`` and sizes ``[n]`` as points ``[n, Z + 1]``; sizes in their spreads, at least one atom."""
    center, spread = _scale(model)
    return torch.cat([z, ((sizes - center) / spread).to(z)[:, None]], 1)


def parted(model: GraphGan, points: Tensor) -> tuple[Tensor, Tensor]:
    """Inverse of :func:`joined`; the nearest size that there is."""
    center, spread = _scale(model)
    sizes = (points[:, -1] * spread + center).round().long()
    return points[:, :-1].to(model.device), sizes.clamp(1, model.params.max_atoms).to(model.device)


def _scale(model: GraphGan) -> tuple[float, float]:
    number = np.arange(1, len(model.sizes) + 1)
    center = float(np.dot(number, model.sizes))
    return center, max(1.0, float(np.dot((number - center) ** 2, model.sizes)) ** 0.5)


@torch.no_grad()
def encode(model: GraphGan, smiles: Sequence[str], batch_size: int) -> Tensor:
    """Posterior means and sizes ``[n, Z + 1]``; NaN for a molecule that the model does not cover.

    Raises ModelError for a model without a warm start: nothing has taught its encoder.
    """
    if not (model.params.warm_steps or model.params.rebuild_weight):
        raise ModelError(
            "this graph GAN was trained without warm start and rebuilding, so that its encoder has learned nothing; "
            "use one with model.params.warm_steps above 0"
        )
    data = GraphSet(read(list(smiles), model.params.max_atoms), model.types)
    result = torch.full((len(smiles), model.params.noise + 1), float("nan"), device=model.device)
    for first in range(0, len(data), batch_size):
        rows = np.arange(first, min(first + batch_size, len(data)))
        batch = data.batch(rows).to(model.device)
        mean, _ = model.encoder(*one_hot(batch, len(model.types)))
        result[torch.from_numpy(data.index[rows]).to(model.device)] = joined(model, mean, batch.sizes)
    return result


def outside(model: GraphGan, smiles: str) -> str:
    """Why a molecule has no point, in words; empty where it has one."""
    data = GraphSet(read([smiles], model.params.max_atoms), model.types)
    if len(data):
        return ""
    if data.too_long:
        return f"more than {model.params.max_atoms} heavy atoms"
    if data.unknown and data.unknown[0].startswith(f"{smiles}: "):
        return data.unknown[0].removeprefix(f"{smiles}: ")
    return f"an atom that the model does not know; it knows {', '.join(model.types.names)}"


@torch.no_grad()
def decode(model: GraphGan, points: Tensor, batch_size: int) -> list[str]:
    """The molecule of each point ``[n, Z + 1]``, valences kept."""
    smiles: list[str] = []
    for part in points.split(batch_size) if len(points) else ():
        chosen, _ = model.decode_graphs(*parted(model, part.float()), corrected=True)
        smiles += write(chosen, model.generator.layout, model.types)
    return smiles
