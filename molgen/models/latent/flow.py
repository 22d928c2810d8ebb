"""Flow matching as latent prior: a velocity field that carries noise to latent vectors along straight lines."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from molgen.models.latent.prior import Clock, LatentPrior, drawn, standard_normal
from molgen.run.resources import bf16_supported

_BATCH = 512
#: Time at which the slope is read: noise of (1 - t) / t = 0.18 standard deviations smooths the density.
_NEARLY = 0.85


class _Velocity(nn.Module):
    """Residual MLP of a point and a time."""

    frequencies: Tensor

    def __init__(self, size: int, width: int, depth: int) -> None:
        super().__init__()
        self.register_buffer("frequencies", 2 * torch.pi * torch.arange(1, 17) / 2)
        self.time = nn.Linear(32, width)
        self.start = nn.Linear(size, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(depth))
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width)) for _ in range(depth)
        )
        self.end = nn.Linear(width, size)
        nn.init.zeros_(self.end.weight)
        nn.init.zeros_(self.end.bias)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        phase = t * self.frequencies
        time = self.time(torch.cat([phase.sin(), phase.cos()], -1))
        h = self.start(x) + time
        for norm, layer in zip(self.norms, self.layers, strict=True):
            h = h + layer(norm(h) + time)
        result: Tensor = self.end(functional.silu(h))
        return result


class FlowPrior(LatentPrior):
    """Flow matching with straight conditional paths (Lipman et al., ICLR 2023; Liu et al., ICLR 2023)."""

    def __init__(self, size: int, width: int = 384, depth: int = 3, steps: int = 24) -> None:
        super().__init__(size)
        self.steps = steps
        self.velocity = _Velocity(size, width, depth)

    def fit(
        self,
        mean: Tensor,
        log_variance: Tensor,
        *,
        seed: int = 0,
        minutes: float = 5.0,
        advance: Callable[[float], None] = lambda share: None,
        most_steps: int = 60_000,
        learning_rate: float = 2e-3,
    ) -> dict[str, float]:
        """AdamW with linear decay on fresh posterior samples, until the minutes or the steps are used up.

        The weights of the last third are averaged: the loss is noisy by nature.
        """
        self.whiten(mean, log_variance)
        most_steps = min(most_steps, 2_000 + 20 * len(mean))  # a small set would be learned by heart
        device = mean.device
        low = bf16_supported(device.type)
        generator = torch.Generator(device=device).manual_seed(seed)
        optimizer = torch.optim.AdamW(self.velocity.parameters(), lr=learning_rate, weight_decay=0.0)
        average = {k: v.detach().clone() for k, v in self.velocity.named_parameters()}
        clock, k, share, running = Clock(minutes), 0, 0.0, 0.0
        with torch.enable_grad():
            while share < 1 and k < most_steps:
                rows = torch.randint(len(mean), (_BATCH,), generator=generator, device=device)
                x = (drawn(mean[rows], log_variance[rows], generator) - self.shift) / self.scale
                noise = torch.randn(x.shape, generator=generator, device=device)
                t = torch.rand(_BATCH, 1, generator=generator, device=device)
                with torch.autocast(device.type, dtype=torch.bfloat16, enabled=low):
                    velocity = self.velocity(noise + t * (x - noise), t)
                loss = (velocity.float() - (x - noise)).square().mean()
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(self.velocity.parameters(), 1.0)
                share = max(clock.share, (k + 1) / most_steps)
                optimizer.param_groups[0]["lr"] = learning_rate * min(1, (k + 1) / 200) * max(0.02, 1 - share)
                optimizer.step()
                value = float(loss.detach())
                running = value if k == 0 else 0.99 * running + 0.01 * value
                keep = 0.0 if share < 0.66 else 0.998
                with torch.no_grad():
                    for name, parameter in self.velocity.named_parameters():
                        average[name].lerp_(parameter, 1 - keep)
                k += 1
                if k % 50 == 0:
                    advance(share)
        with torch.no_grad():
            for name, parameter in self.velocity.named_parameters():
                parameter.copy_(average[name])
        return {"prior_loss": running, "prior_steps": float(k)}

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """Follow the field from noise in ``steps`` midpoint steps."""
        x = self.noise(n, generator)
        for k in range(self.steps):
            h = 1 / self.steps
            t = torch.full((n, 1), k * h, device=x.device)
            middle = x + 0.5 * h * self.velocity(x, t)
            x = x + h * self.velocity(middle, t + 0.5 * h)
        return x * self.scale + self.shift

    @torch.no_grad()
    def log_prob(self, z: Tensor) -> Tensor:
        """Follow the field back to noise, adding up its exact divergence."""
        x = (z - self.shift) / self.scale
        change = torch.zeros(len(z), device=z.device)
        h = 1 / self.steps
        for k in range(self.steps, 0, -1):
            middle = x - 0.5 * h * self.velocity(x, torch.full((len(x), 1), k * h, device=z.device))
            t = torch.full((len(x), 1), (k - 0.5) * h, device=z.device)
            x, change = x - h * self.velocity(middle, t), change - h * self._divergence(middle, t)
        return standard_normal(x) + change - self.scale.log().sum()

    def _divergence(self, x: Tensor, t: Tensor) -> Tensor:
        """Exact, one backward pass per latent number: forward mode would make torch compile things at first use."""
        total = torch.zeros(len(x), device=x.device)
        with torch.enable_grad():
            point = x.detach().requires_grad_(True)
            value = self.velocity(point, t)
            for i in range(self.size):
                (row,) = torch.autograd.grad(value[:, i].sum(), point, retain_graph=True)
                total = total + row[:, i]
        return total.detach()

    @torch.no_grad()
    def slope(self, z: Tensor) -> Tensor:
        """Gradient of the log-density smoothed by a little noise, from one look at the field.

        With straight paths x_t = (1 - t) noise + t x the field is v = E[x - noise | x_t], so that the expected noise is
        x_t - t v and the gradient of log p_t is -(x_t - t v) / (1 - t). The exact one would cost a whole integration.
        """
        t = torch.full((len(z), 1), _NEARLY, device=z.device)
        x = _NEARLY * (z - self.shift) / self.scale
        noise = x - _NEARLY * self.velocity(x, t)
        return -_NEARLY * noise / ((1 - _NEARLY) * self.scale)
