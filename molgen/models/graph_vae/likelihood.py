"""A lower bound on how likely the graph VAE is to write a molecule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from molgen.models.graph_vae.objective import divergence


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
