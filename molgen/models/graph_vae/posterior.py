"""What the encoder makes of many molecules, and how well the decoder gets them back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from molgen.data.cache import has_rdkit
from molgen.models.graph_vae.forest import Forest
from molgen.models.graph_vae.growth import grow
from molgen.models.graph_vae.objective import divergence
from molgen.models.latent.prior import LatentPrior, drawn


class RecentPosteriors:
    """Posteriors of the last training molecules, which stand in for the prior until that is fitted."""

    def __init__(self, most: int = 2048) -> None:
        self.most = most
        self.held: list[tuple[Tensor, Tensor]] = []

    def add(self, mean: Tensor, log_variance: Tensor) -> None:
        """Remember those of a batch; forget the oldest."""
        self.held.append((mean.detach(), log_variance.detach()))
        while sum(len(m) for m, _ in self.held[1:]) >= self.most:
            self.held.pop(0)

    @torch.no_grad()
    def stand_in(self, prior: LatentPrior, n: int, generator: torch.Generator) -> Tensor:
        """``n`` latent vectors: from ``prior`` where it is fitted or nothing was seen, else from what is remembered."""
        if bool(prior.fitted) or not self.held:
            return prior.sample(n, generator)
        mean, log_variance = (torch.cat(x) for x in zip(*self.held, strict=True))
        rows = torch.randint(len(mean), (n,), generator=generator, device=mean.device)
        return drawn(mean[rows], log_variance[rows], generator)


@torch.no_grad()
def posterior(model: Any, data: Forest, rows: np.ndarray, batch_size: int = 1024) -> tuple[Tensor, Tensor]:
    """Mean and log-variance ``[n, latent]`` of the rows of a training set."""
    training = model.training
    model.eval()
    order = np.argsort(data.lengths[rows], kind="stable")
    means = torch.zeros(len(rows), model.params.latent, device=model.device)
    spreads = torch.zeros_like(means)
    for first in range(0, len(rows), batch_size):
        part = order[first : first + batch_size]
        batch = data.batch(rows[part]).to(model.device)
        at = torch.from_numpy(part).to(model.device)
        means[at], spreads[at] = model.encoder(batch, *model.vectors(batch))
    model.train(training)
    return means, spreads


@torch.no_grad()
def assess(model: Any, data: Forest, most: int) -> dict[str, float]:
    """Nats, divergence, active units (variance of the mean above 0.02; Burda et al., ICLR 2016) and the share rebuilt.

    ``rebuilt``: the likeliest choices from the posterior mean give the same molecule. In order of the training set's
    ``random_share``, so that the nats are those of the training objective.
    """
    rows = np.random.default_rng(0).permutation(len(data))[:most]
    means, same, nats, rate = [], 0, 0.0, 0.0
    with torch.autocast(model.device.type, enabled=False):
        for part in np.array_split(rows, max(1, -(-len(rows) // 256))):
            batch = data.batch(part).to(model.device)
            found, mean, log_variance, _ = model.bound(batch)
            means.append(mean)
            nats -= float(found.total.sum())
            rate += float(divergence(mean, log_variance).sum())
            trees = data.padded(part)
            fields = (trees.fragment, trees.parent, trees.entry, trees.parent_site)
            true = [
                model.writer.write(*(x[k, : trees.n[k]].tolist() for x in fields)) for k in range(len(part))
            ]
            same += sum(_same(a, b) for a, b in zip(model.write(grow(model, mean)), true, strict=True))
    return {
        "reconstruction_nats": nats / len(rows),
        "kl_nats": rate / len(rows),
        "active_units": float((torch.cat(means).var(0, correction=0) > 0.02).sum()),
        "rebuilt": same / len(rows),
    }


def _same(a: str, b: str) -> bool:
    if a == b or not has_rdkit():  # both were written by one writer: without RDKit a few are missed
        return a == b
    from rdkit import Chem

    return bool(Chem.CanonSmiles(a) == Chem.CanonSmiles(b))
