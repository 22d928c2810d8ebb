"""Moves in the latent space: neighbors of a molecule, the path between two, a bound on a molecule's likelihood."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from molgen.core.errors import DataError
from molgen.models.graph_vae.objective import divergence
from molgen.models.graph_vae.trees import cut_all


def neighbors(
    model: Any, smiles: str, *, radius: float, n: int, seed: int, temperature: float | None
) -> list[str]:
    """``n`` molecules decoded from points at distance ``radius`` (in posterior standard deviations of the data).

    Directions are uniform on the sphere of the whitened space of the prior. With a ``temperature`` choices are drawn,
    else the likeliest ones are taken.
    """
    center = encoded(model, [smiles])
    generator = torch.Generator(device=model.device).manual_seed(seed)
    direction = torch.randn(n, center.shape[1], generator=generator, device=model.device)
    step = radius * direction / direction.norm(dim=1, keepdim=True).clamp(min=1e-9)
    points = center + step * model.prior.scale
    return list(model.decode(points, greedy=temperature is None, temperature=temperature or 1.0, seed=seed))


def interpolate(model: Any, first: str, last: str, *, steps: int) -> list[str]:
    """Likeliest molecules at ``steps`` points on the straight line between two molecules, both ends included.

    The line is straight because the prior is learned: a great circle belongs to a standard normal.
    """
    ends = encoded(model, [first, last])
    share = torch.linspace(0, 1, steps, device=model.device).unsqueeze(1)
    return list(model.decode(ends[:1] * (1 - share) + ends[1:] * share))


def encoded(model: Any, smiles: Sequence[str]) -> Tensor:
    """Points ``[n, latent]`` of molecules that all have to be in the codec. Raises DataError with the reason."""
    found: Tensor = model.encode(smiles)
    for row, text in zip(found, smiles, strict=True):
        if bool(row.isnan().any()):
            reason = next(iter(cut_all([text]).outside()), "not covered")
            raise DataError(f"{text!r} cannot be encoded: {reason}")
    return found


@torch.no_grad()
def likelihood_bound(model: Any, smiles: Sequence[str], *, samples: int, seed: int) -> Tensor:
    """Importance-weighted lower bound (Burda et al., ICLR 2016) on ln p(molecule) under z ~ N(0, 1), nats ``[n]``.

    With one sample it is the evidence lower bound. NaN for what the codec or the vocabulary does not cover. It counts
    one order of building only, so that the true likelihood is higher still.
    """
    forest, index = model.covered(smiles)
    result = torch.full((len(smiles),), float("nan"), device=model.device)
    generator = torch.Generator(device=model.device).manual_seed(seed)
    for first in range(0, len(forest), 256):
        rows = np.arange(first, min(first + 256, len(forest)))
        batch = forest.batch(rows).to(model.device)
        draws = []
        for _ in range(samples):
            noise = torch.randn(len(rows), model.params.latent, generator=generator, device=model.device)
            nats, mean, log_variance, z = model.bound(batch, noise)
            if samples == 1:
                draws.append(nats.total - divergence(mean, log_variance).sum(1))
            else:
                prior = -0.5 * z.square().sum(1)
                posterior = -0.5 * (noise.square() + log_variance).sum(1)
                draws.append(nats.total + prior - posterior)
        result[index[rows]] = torch.stack(draws).logsumexp(0) - float(np.log(samples))
    return result
