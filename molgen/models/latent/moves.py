"""Moves in the latent space of any model that encodes and decodes: around a point, between two, whitened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from molgen.core.errors import ConfigError, DataError
from molgen.models.latent.gan import GanPrior
from molgen.models.protocol import HasPrior


@dataclass(frozen=True)
class Whitening:
    """Center and standard deviation ``[d]`` of the points of real molecules; in units of these directions are alike."""

    shift: Tensor
    scale: Tensor

    def to(self, z: Tensor) -> Tensor:
        """Whitened points."""
        return (z - self.shift) / self.scale

    def back(self, x: Tensor) -> Tensor:
        """Inverse of :meth:`to`."""
        return x * self.scale + self.shift


def whitening(model: Any) -> Whitening:
    """That of the model's prior; where it has none, of 512 molecules that it draws."""
    if isinstance(model, HasPrior):
        return Whitening(model.prior.shift, model.prior.scale)
    z = from_prior(model, 512, seed=0)
    return Whitening(z.mean(0), z.std(0).clamp(min=1e-3))


@torch.no_grad()
def from_prior(model: Any, n: int, *, seed: int) -> Tensor:
    """Points ``[n, d]`` that the generator draws molecules from; else the points of molecules that it draws.

    Raises DataError where hardly anything that it draws can be encoded.
    """
    drawn = model.sample(n, seed=seed)
    z: Tensor | None = drawn.info.get("z")
    if z is None:
        z = model.encode(drawn.smiles)
        z = z[~z.isnan().any(1)]
        if not len(z):
            raise DataError("the model can encode none of the molecules that it draws")
        z = z[torch.arange(n, device=z.device) % len(z)]
    return z


def encoded(model: Any, smiles: Sequence[str]) -> Tensor:
    """Points ``[n, d]`` of molecules that must all have one. Raises DataError with the reason."""
    found: Tensor = model.encode(smiles)
    for row, text in zip(found, smiles, strict=True):
        if bool(row.isnan().any()):
            raise DataError(
                f"{text!r} cannot be encoded: {model.outside(text) or 'the model does not cover it'}"
            )
    return found


def around(center: Tensor, space: Whitening, *, n: int, radius: float, seed: int) -> Tensor:
    """``n`` points at distance ``radius`` (standard deviations) from one ``[d]``, in random directions."""
    generator = torch.Generator(device=center.device).manual_seed(seed)
    direction = torch.randn(n, len(center), generator=generator, device=center.device)
    step = radius * direction / direction.norm(dim=1, keepdim=True).clamp(min=1e-9)
    return center + step * space.scale


def between(first: Tensor, last: Tensor, steps: int) -> Tensor:
    """``steps`` points ``[steps, d]`` on the straight line between two, both included.

    The line is straight because the prior is learned: a great circle belongs to a standard normal.
    """
    share = torch.linspace(0, 1, steps, device=first.device).unsqueeze(1)
    return first * (1 - share) + last * share


def critic(model: Any) -> GanPrior:
    """What judges whether points look like those of molecules. Raises ConfigError for a model that has no critic."""
    prior = model.prior if isinstance(model, HasPrior) else None
    if not isinstance(prior, GanPrior):
        raise ConfigError(
            f"only a latent GAN has a critic that knows points off the manifold, this model is a {model.family}; "
            "use one (family latent_gan, or prior: gan of a graph_vae), or leave it out",
            "off_manifold",
        )
    return prior


@torch.no_grad()
def on_manifold(model: Any, z: Tensor) -> Tensor:
    """Which points ``[n, d]`` can be molecules' own, bool ``[n]``: of real ones 5 % are refused."""
    return critic(model).believable(z)


@torch.no_grad()
def kept_on_manifold(model: Any, before: Tensor, after: Tensor) -> Tensor:
    """``after`` where it can be a molecule's point, or ``before`` cannot either and is further out; else ``before``."""
    judge = critic(model)
    nearer = judge.gaussian(after) >= judge.gaussian(before)
    good = judge.believable(after) | (~judge.believable(before) & nearer)
    return torch.where(good.unsqueeze(1), after, before)
