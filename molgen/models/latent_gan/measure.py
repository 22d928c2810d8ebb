"""How close the points of a latent GAN are to those of molecules: energy distance, precision, recall, coverage."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from molgen.models.adversarial.health import uniqueness
from molgen.models.latent_gan.data import Posteriors, PosteriorSet

_MOST = 2000


@torch.no_grad()
def reality(prior: Any, batch: Posteriors) -> Tensor:
    """Energy distance of draws to a batch, whitened; 0 for one distribution (Szekely and Rizzo 2013).

    With the batch's own conditions where there are any, and always the same noise.
    """
    generator = torch.Generator(device=batch.mean.device).manual_seed(0)
    x = prior.to_white(batch.drawn(generator))
    draws = _draws(prior, batch, generator)
    apart = torch.cdist(x, draws).mean()
    return 2 * apart - _within(x) - _within(draws)


def _within(x: Tensor) -> Tensor:
    return torch.cdist(x, x).sum() / max(1, len(x) * (len(x) - 1))


def _draws(prior: Any, batch: Posteriors, generator: torch.Generator) -> Tensor:
    noise = torch.randn(len(batch.mean), prior.generator.noise, generator=generator, device=batch.mean.device)
    result: Tensor = prior.generator(noise, batch.conditions if batch.conditions.shape[1] else None)
    return result


@torch.no_grad()
def held_out_metrics(prior: Any, data: PosteriorSet, k: int = 5) -> dict[str, float]:
    """Precision and recall (Kynkaanniemi et al. 2019), coverage (Naeem et al. 2020), uniqueness of draws; k = 5."""
    rows = np.random.default_rng(0).permutation(data.molecules)[:_MOST]
    if len(rows) <= k:
        return {}
    with torch.autocast(prior.shift.device.type, enabled=False):
        batch = data.batch(rows).to(prior.shift.device)
        generator = torch.Generator(device=batch.mean.device).manual_seed(0)
        x, draws = prior.to_white(batch.drawn(generator)), _draws(prior, batch, generator)
        real_ball, draw_ball = (torch.cdist(a, a).kthvalue(k + 1, 1).values for a in (x, draws))
        apart = torch.cdist(draws, x)
        return {
            "latent_precision": float((apart < real_ball).any(1).float().mean()),
            "latent_recall": float((apart < draw_ball.unsqueeze(1)).any(0).float().mean()),
            "latent_coverage": float((apart.min(0).values < real_ball).float().mean()),
            "latent_uniqueness": uniqueness(draws, x),
        }
