"""The training set of a latent GAN: posteriors of molecules, encoded once and kept by content."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from molgen.data.cache import Arrays, content_key, kept
from molgen.models.graph_vae.forest import Forest
from molgen.models.graph_vae.posterior import posterior
from molgen.models.graph_vae.trees import cached_trees
from molgen.models.latent.prior import drawn
from molgen.run.progress import Progress
from molgen.run.resources import bf16_supported

_VERSION = 1
_EPOCH = 12_800  # rows of an epoch at least: a small set is drawn from many times, each time anew
_PART = 4096


@dataclass(frozen=True)
class Posteriors:
    """A batch: means and log-variances ``[B, d]`` of posteriors, and the conditions ``[B, c]`` (z-scored)."""

    mean: Tensor
    log_variance: Tensor
    conditions: Tensor

    def to(self, device: torch.device | str) -> Posteriors:
        """The same on ``device``."""
        return Posteriors(self.mean.to(device), self.log_variance.to(device), self.conditions.to(device))

    def drawn(self, generator: torch.Generator | None = None) -> Tensor:
        """One point of each posterior."""
        if generator is not None:
            return drawn(self.mean, self.log_variance, generator)
        return self.mean + (0.5 * self.log_variance).exp() * torch.randn_like(self.mean)


class PosteriorSet:
    """All of them. Batches have the same number of rows, a multiple of ``pac``; small sets are repeated."""

    def __init__(
        self,
        mean: np.ndarray,
        log_variance: np.ndarray,
        conditions: np.ndarray,
        pac: int,
        unknown: Sequence[str] = (),
        too_long: Sequence[int] = (),
    ) -> None:
        self.mean, self.log_variance, self.conditions = mean, log_variance, conditions
        self.pac = pac
        self.unknown, self.too_long = list(unknown), list(too_long)

    @property
    def molecules(self) -> int:
        """Distinct ones."""
        return len(self.mean)

    def __len__(self) -> int:
        return max(_EPOCH, self.molecules) if self.molecules else 0

    def plan(self, batch_size: int, seed: int) -> list[np.ndarray]:
        """Random batches of an epoch, the last one filled up; a pure function of ``seed``."""
        size = -(-batch_size // self.pac) * self.pac
        count = -(-len(self) // batch_size)
        rng = np.random.default_rng(seed)
        rounds = -(-count * size // max(1, self.molecules))
        rows = np.concatenate([rng.permutation(self.molecules) for _ in range(rounds)])[: count * size]
        return list(rows.reshape(count, size))

    def batch(self, rows: np.ndarray, seed: int = 0) -> Posteriors:
        """The posteriors of ``rows``; what is drawn from them is the training step's."""
        arrays = (x[rows].astype(np.float32) for x in (self.mean, self.log_variance, self.conditions))
        return Posteriors(*(torch.from_numpy(x) for x in arrays))


def encoded(vae: Any, smiles: Sequence[str]) -> tuple[Arrays, list[str], list[int]]:
    """Posteriors of molecules, kept by content: arrays ``mean``, ``log_variance`` and ``index``; what has none."""
    state = vae.state_dict()
    digest = hashlib.sha256()
    for name in sorted(n for n in state if n.startswith(("encoder.", "fragments.", "sites."))):
        digest.update(name.encode() + state[name].float().cpu().numpy().tobytes())
    trees = cached_trees(smiles, workers=2)
    forest = Forest(trees, vae.table)
    key = content_key(f"posteriors {_VERSION}", digest.hexdigest(), *vae.table.smiles, texts=smiles)

    def make() -> Arrays:
        means, spreads = [], []
        device = vae.device.type
        with (
            Progress(len(forest), "molecules", "encoding") as bar,
            torch.autocast(device, dtype=torch.bfloat16, enabled=bf16_supported(device)),
        ):
            for first in range(0, len(forest), _PART):
                mean, spread = posterior(vae, forest, np.arange(first, min(first + _PART, len(forest))))
                means.append(mean.float().cpu().numpy().astype(np.float16))
                spreads.append(spread.float().cpu().numpy().astype(np.float16))
                bar.advance(len(mean))
        empty = [np.zeros((0, vae.params.latent), np.float16)]
        return {
            "mean": np.concatenate(means or empty),
            "log_variance": np.concatenate(spreads or empty),
            "index": forest.index.astype(np.int64),
        }

    return kept("posteriors", key, make, worth=len(smiles) >= _EPOCH), forest.unknown, forest.too_long
