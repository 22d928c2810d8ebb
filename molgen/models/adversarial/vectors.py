"""Generator and critic of vectors: a residual MLP on top of a Gaussian, and an MLP that judges packs of them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class _Block(nn.Module):
    """One residual step."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)

    def forward(self, h: Tensor) -> Tensor:
        result: Tensor = h + self.second(functional.silu(self.first(self.norm(h))))
        return result


class Generator(nn.Module):
    """Noise ``[n, noise]`` to vectors ``[n, size]``.

    The first ``size`` numbers of the noise also go through ``factor``, so that before its first step it draws from the
    Gaussian of the data's covariance: mean and covariance need not be learned, only what is beyond them. Where it is
    asked for ``conditions``, that Gaussian is the one given them: its center is ``lean`` times the conditions.
    """

    factor: Tensor
    lean: Tensor

    def __init__(self, noise: int, size: int, width: int, depth: int, conditions: int = 0) -> None:
        super().__init__()
        if noise < size:
            raise ValueError(
                f"the noise must have at least as many numbers as a vector, got {noise} and {size}"
            )
        self.noise, self.size = noise, size
        self.begin = nn.Linear(noise + conditions, width)
        self.blocks = nn.ModuleList(_Block(width) for _ in range(depth))
        self.end = nn.Linear(width, size)
        nn.init.normal_(self.end.weight, std=1e-3)
        nn.init.zeros_(self.end.bias)
        self.register_buffer("factor", torch.eye(size))
        if conditions:
            self.register_buffer("lean", torch.zeros(size, conditions))

    def forward(self, noise: Tensor, conditions: Tensor | None = None) -> Tensor:
        """Vectors ``[n, size]``; ``conditions`` ``[n, c]`` are what they are asked for."""
        h = self.begin(noise if conditions is None else torch.cat([noise, conditions], 1))
        for block in self.blocks:
            h = block(h)
        result: Tensor = self.end(functional.silu(h)).float() + noise[:, : self.size].float() @ self.factor.T
        if conditions is not None:
            result = result + conditions.float() @ self.lean.T
        return result


class Critic(nn.Module):
    """Scores ``[n / pac]`` of packs of ``pac`` vectors ``[n, size]``: the sum of single scores, and how they differ.

    A pack is judged as a set (each vector by the same layers, then the spread of their features), not as one long
    vector: the long one must learn everything ``pac`` times, and in our latent spaces learned nothing. It is also shown
    the squares, in which what only shares the data's mean and covariance is told from them several times sooner.
    Conditions enter by projection: their inner product with the features (Miyato and Koyama, ICLR 2018) is added.
    """

    def __init__(self, size: int, pac: int, width: int, depth: int, conditions: int = 0) -> None:
        super().__init__()
        self.pac = pac
        self.begin = nn.Linear(2 * size, width)
        self.layers = nn.ModuleList(nn.Linear(width, width) for _ in range(depth - 1))
        self.end = nn.Linear(width, 1)
        self.spread = nn.Sequential(nn.Linear(width, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1))
        self.project = nn.Linear(conditions, width, bias=False) if conditions else None

    def features(self, x: Tensor) -> Tensor:
        """What scores are read from, ``[n, width]``."""
        h = functional.leaky_relu(self.begin(torch.cat([x, 0.7 * (x.square() - 1)], 1)), 0.2)
        for layer in self.layers:
            h = functional.leaky_relu(layer(h), 0.2)
        return h

    def single(self, x: Tensor, conditions: Tensor | None = None) -> Tensor:
        """Score of each vector ``[n]``, float32."""
        return self._single(self.features(x), conditions)

    def _single(self, h: Tensor, conditions: Tensor | None) -> Tensor:
        score = self.end(h).squeeze(1)
        if self.project is not None and conditions is not None:
            score = score + (self.project(conditions) * h).mean(1)
        result: Tensor = score.float()
        return result

    def forward(self, x: Tensor, conditions: Tensor | None = None) -> Tensor:
        """Scores of packs ``[n / pac]``, float32."""
        h = self.features(x)
        score = self._single(h, conditions).reshape(-1, self.pac).sum(1)
        if self.pac == 1:
            return score
        pack = h.float().reshape(-1, self.pac, h.shape[1])
        spread = ((pack - pack.mean(1, keepdim=True)).square().mean(1) + 1e-6).sqrt()
        result: Tensor = score + self.spread(spread).squeeze(1).float()
        return result
