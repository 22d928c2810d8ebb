"""A Gaussian mixture with full covariances as latent prior, fitted by expectation-maximization in torch."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from molgen.models.latent.prior import Clock, LatentPrior, drawn


class MixturePrior(LatentPrior):
    """``components`` Gaussians with full covariance in whitened space."""

    weights: Tensor
    means: Tensor
    factors: Tensor

    def __init__(self, size: int, components: int = 32) -> None:
        super().__init__(size)
        self.components = components
        self.register_buffer("weights", torch.full((components,), -math.log(components)))
        self.register_buffer("means", torch.zeros(components, size))
        self.register_buffer("factors", torch.eye(size).repeat(components, 1, 1))

    def fit(
        self,
        mean: Tensor,
        log_variance: Tensor,
        *,
        seed: int = 0,
        minutes: float = 5.0,
        advance: Callable[[float], None] = lambda share: None,
        rounds: int = 40,
        ridge: float = 1e-3,
    ) -> dict[str, float]:
        """EM on one sample of each posterior, at most 200,000 of them; stops when the likelihood settles."""
        self.whiten(mean, log_variance)
        generator = torch.Generator(device=mean.device).manual_seed(seed)
        chosen = torch.randperm(len(mean), generator=generator, device=mean.device)[:200_000]
        x = (drawn(mean[chosen], log_variance[chosen], generator) - self.shift) / self.scale
        count = self.components
        self.means.copy_(x[torch.randint(len(x), (count,), generator=generator, device=x.device)])
        self.factors.copy_(torch.eye(self.size, device=x.device).repeat(count, 1, 1))
        clock, before = Clock(minutes), -math.inf
        eye = torch.eye(self.size, device=x.device)
        for k in range(rounds):
            total, mass = 0.0, torch.zeros(count, device=x.device)
            first = torch.zeros(count, self.size, device=x.device)
            second = torch.zeros(count, self.size, self.size, device=x.device)
            for part in x.split(8192):
                joint = self._joint(part)
                evidence = joint.logsumexp(1)
                share = (joint - evidence.unsqueeze(1)).exp()
                total += float(evidence.sum())
                mass += share.sum(0)
                first += share.T @ part
                for c in range(count):
                    second[c] += (part * share[:, c : c + 1]).T @ part
            mass = mass.clamp(min=1e-3)
            center = first / mass.unsqueeze(1)
            covariance = second / mass.view(-1, 1, 1) - center.unsqueeze(2) * center.unsqueeze(1)
            # a component that holds few points keeps to the shape of the whole
            small = (self.size / (mass + self.size)).view(-1, 1, 1)
            covariance = (1 - small) * covariance + small * eye + ridge * eye
            self.weights.copy_((mass / mass.sum()).log())
            self.means.copy_(center)
            self.factors.copy_(torch.linalg.cholesky(covariance))
            value = total / len(x)
            advance(max((k + 1) / rounds, clock.share))
            if value - before < 1e-3 or clock.share >= 1:
                break
            before = value
        return {"prior_nats": -value + float(self.scale.log().sum())}

    def _joint(self, x: Tensor) -> Tensor:
        columns = []
        for weight, center, factor in zip(self.weights, self.means, self.factors, strict=True):
            y = torch.linalg.solve_triangular(factor, (x - center).T, upper=False)
            norm = factor.diagonal().log().sum() + 0.5 * self.size * math.log(2 * math.pi)
            columns.append(weight - norm - 0.5 * y.square().sum(0))
        return torch.stack(columns, 1)

    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """A component by its weight, then a vector of it."""
        which = torch.multinomial(self.weights.exp(), n, replacement=True, generator=generator) if n else None
        noise = self.noise(n, generator)
        if which is None:
            return noise
        x = self.means[which] + (self.factors[which] @ noise.unsqueeze(2)).squeeze(2)
        return x * self.scale + self.shift

    def log_prob(self, z: Tensor) -> Tensor:
        """Log-density in nats."""
        return self._joint((z - self.shift) / self.scale).logsumexp(1) - self.scale.log().sum()
