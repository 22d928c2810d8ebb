"""One small interface for what latent vectors are drawn from: fit, sample, log_prob; and the standard normal."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor, nn


class LatentPrior(nn.Module, ABC):
    """A distribution over latent vectors ``[n, d]``. Its parameters are part of the model that owns it.

    It is fitted to *samples* of the posteriors, not to their means: those are what the decoder has learned to read
    (two-stage VAE, Dai and Wipf, ICLR 2019). Each prior whitens with ``shift`` and ``scale`` first.
    """

    has_density = True  # whether log_prob can be asked
    shift: Tensor
    scale: Tensor
    fitted: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("shift", torch.zeros(size))
        self.register_buffer("scale", torch.ones(size))
        self.register_buffer("fitted", torch.zeros((), dtype=torch.bool))

    @abstractmethod
    def fit(
        self,
        mean: Tensor,
        log_variance: Tensor,
        *,
        seed: int = 0,
        minutes: float = 5.0,
        advance: Callable[[float], None] = lambda share: None,
    ) -> dict[str, float]:
        """Learn from posteriors ``[n, d]``; returns what there is to report. At most ``minutes``."""

    @abstractmethod
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """``n`` vectors ``[n, d]``, on the device of the parameters; ``generator`` lives there too."""

    @abstractmethod
    def log_prob(self, z: Tensor) -> Tensor:
        """Log-density in nats ``[n]``. Raises ModelError where there is none (``has_density`` is False)."""

    def slope(self, z: Tensor) -> Tensor:
        """Gradient of the log-density ``[n, d]``: where it is likelier. A prior may give that of a smoothed density."""
        with torch.enable_grad():
            point = z.detach().requires_grad_(True)
            (found,) = torch.autograd.grad(self.log_prob(point).sum(), point)
        return found

    # -- for subclasses ----------------------------------------------------------------------------

    def whiten(self, mean: Tensor, log_variance: Tensor) -> None:
        """Set ``shift`` and ``scale`` to those of the aggregate posterior."""
        self.shift.copy_(mean.mean(0))
        variance = mean.var(0, unbiased=False) + log_variance.exp().mean(0)
        self.scale.copy_(variance.sqrt().clamp(min=1e-3))
        self.fitted.fill_(True)

    def noise(self, n: int, generator: torch.Generator) -> Tensor:
        """Standard normal ``[n, d]``."""
        return torch.randn(n, self.size, generator=generator, device=self.shift.device)


class NormalPrior(LatentPrior):
    """N(0, 1), which is what the Kullback-Leibler term pulls towards; there is nothing to learn."""

    def fit(
        self,
        mean: Tensor,
        log_variance: Tensor,
        *,
        seed: int = 0,
        minutes: float = 5.0,
        advance: Callable[[float], None] = lambda share: None,
    ) -> dict[str, float]:
        """Nothing to do."""
        self.fitted.fill_(True)
        return {}

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Standard normal vectors."""
        return self.noise(n, generator)

    def log_prob(self, z: Tensor) -> Tensor:
        """Log-density of the standard normal."""
        return standard_normal(z)


def standard_normal(z: Tensor) -> Tensor:
    """Log-density of N(0, 1) summed over the last axis, nats."""
    return -0.5 * (z.square().sum(-1) + z.shape[-1] * math.log(2 * math.pi))


def drawn(mean: Tensor, log_variance: Tensor, generator: torch.Generator) -> Tensor:
    """One sample of each posterior."""
    noise = torch.randn(mean.shape, generator=generator, device=mean.device)
    return mean + (0.5 * log_variance).exp() * noise


class Clock:
    """How much of a time limit is used up."""

    def __init__(self, minutes: float) -> None:
        self.began, self.seconds = time.monotonic(), 60 * minutes

    @property
    def share(self) -> float:
        """0..1."""
        return min(1.0, (time.monotonic() - self.began) / self.seconds)
