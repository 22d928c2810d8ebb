"""A small exact Gaussian process: Matern 5/2 with a length scale per dimension, fitted by gradient, float64."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_STEPS, _RATE = 60, 0.1
_ROOT5 = math.sqrt(5)


class GaussianProcess:
    """Posterior of a function from its values ``y`` ``[n]`` at ``x`` ``[n, d]``.

    Hyperparameters maximize the posterior density under log-normal priors; that of the length scales is centered at
    a multiple of sqrt(d), without which nothing is learned in many dimensions (Hvarfner et al., ICML 2024).
    """

    def __init__(self, x: Tensor, y: Tensor) -> None:
        self.x = x.double().cpu()
        y = y.double().cpu()
        self.center, self.spread = y.mean(), y.std().clamp(min=1e-9)
        self.y = (y - self.center) / self.spread
        size = self.x.shape[1]
        self._expected = math.sqrt(2) + 0.5 * math.log(size)
        self._length = torch.full((size,), self._expected, dtype=torch.float64)
        self._noise = torch.tensor(math.log(0.05), dtype=torch.float64)
        self._fit()
        with torch.no_grad():
            self._factor = torch.linalg.cholesky(self._covariance())
            self._weights = torch.cholesky_solve(self.y.unsqueeze(1), self._factor)

    @property
    def length_scales(self) -> Tensor:
        """``[d]``, in units of ``x``."""
        return self._length.detach().exp()

    def _kernel(self, a: Tensor, b: Tensor) -> Tensor:
        scale = self._length.exp()
        p, q = a / scale, b / scale
        square = p.square().sum(1, keepdim=True) + q.square().sum(1) - 2 * p @ q.T
        r = _ROOT5 * square.clamp(min=1e-12).sqrt()
        return (1 + r + r.square() / 3) * (-r).exp()

    def _covariance(self) -> Tensor:
        noise = self._noise.exp() + 1e-6
        return self._kernel(self.x, self.x) + noise * torch.eye(len(self.x), dtype=torch.float64)

    def _fit(self) -> None:
        parameters = [self._length.requires_grad_(True), self._noise.requires_grad_(True)]
        optimizer = torch.optim.Adam(parameters, lr=_RATE)
        with torch.enable_grad():
            for _ in range(_STEPS):
                factor = torch.linalg.cholesky(self._covariance())
                half = torch.linalg.solve_triangular(factor, self.y.unsqueeze(1), upper=False)
                loss = 0.5 * half.square().sum() + factor.diagonal().log().sum()
                loss = loss + (self._length - self._expected).square().sum() / (2 * 3.0)
                loss = loss + (self._noise - math.log(0.02)).square() / (2 * 1.0)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        for parameter in parameters:
            parameter.requires_grad_(False)

    @torch.no_grad()
    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Mean ``[m]`` and covariance ``[m, m]`` of the function at ``x`` ``[m, d]``, in units of ``y``."""
        x = x.double().cpu()
        across = self._kernel(self.x, x)
        mean = (across.T @ self._weights).squeeze(1)
        half = torch.linalg.solve_triangular(self._factor, across, upper=False)
        covariance = self._kernel(x, x) - half.T @ half
        return mean * self.spread + self.center, covariance * self.spread.square()

    @torch.no_grad()
    def draw(self, x: Tensor, n: int, generator: torch.Generator) -> Tensor:
        """``n`` functions drawn from the posterior, at ``x`` ``[m, d]``: ``[n, m]``."""
        mean, covariance = self.posterior(x)
        eye = torch.eye(len(mean), dtype=torch.float64) * covariance.diagonal().mean().clamp(min=1e-12)
        for jitter in (1e-6, 1e-4, 1e-2):
            factor, failed = torch.linalg.cholesky_ex(covariance + jitter * eye)
            if not bool(failed):
                break
        noise = torch.randn(len(mean), n, generator=generator, dtype=torch.float64)
        return mean + (factor @ noise).T
