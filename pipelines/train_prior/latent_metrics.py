"""What a card says about a graph VAE beside its samples: coverage, exact reconstruction, rate, the prior's part."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from evaluate import flat_smiles

from molgen.core.seeding import numpy_generator
from molgen.models.graph_vae.forest import Forest
from molgen.models.graph_vae.model import GraphVae
from molgen.models.graph_vae.posterior import assess, posterior
from molgen.models.latent.prior import drawn

BATCH = 512


def latent_metrics(
    model: GraphVae, held_out: Sequence[str], *, most: int, seed: int, fcd: Callable[[list[str]], float]
) -> dict[str, float]:
    """Measured on ``most`` random held-out molecules, without stereo; ``fcd`` gives the distance of a sample.

    ``reconstructed``: share of all of them, those outside the codec or vocabulary counted as lost, that come back
    exactly from their posterior mean, choices greedy. ``FCD, ...``: samples of the same size from three sources of
    latent vectors; posteriors of held-out molecules show what a perfect prior would give.
    """
    picked = [held_out[i] for i in numpy_generator(seed, "reconstruction").permutation(len(held_out))[:most]]
    forest, _ = model.covered([flat_smiles(text) for text in picked])
    health = assess(model, forest, len(forest))
    covered = len(forest) / len(picked)
    return {
        "n": float(len(picked)),
        "covered": covered,
        "reconstructed": covered * health["rebuilt"],
        **{name: health[name] for name in ("reconstruction_nats", "kl_nats", "active_units")},
        **{f"FCD, {name}": fcd(decoded(model, z)) for name, z in _sources(model, forest, seed).items()},
    }


def _sources(model: GraphVae, forest: Forest, seed: int) -> dict[str, torch.Tensor]:
    """Latent vectors by where they are from, as many each as there are molecules."""
    generator = torch.Generator().manual_seed(seed)
    mean, log_variance = posterior(model, forest, np.arange(len(forest)))
    with torch.no_grad():
        return {
            "standard normal": torch.randn(mean.shape, generator=generator),
            "learned prior": model.prior.sample(len(mean), generator),
            "posteriors": drawn(mean, log_variance, generator),
        }


def decoded(model: GraphVae, z: torch.Tensor, seed: int = 0) -> list[str]:
    """One drawn molecule of each latent vector."""
    return model.decode(z, greedy=False, seed=seed, batch_size=BATCH)
