"""The game of generator and critic over vectors: their turns, the averaged weights, and the guard that watches them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from molgen.learn.stability import Health, StabilityGuard, StabilityLimits, gradient_norm
from molgen.models.adversarial.average import averaged, follow, keep_at
from molgen.models.adversarial.health import coverage, uniqueness
from molgen.models.adversarial.losses import (
    Loss,
    critic_loss,
    generator_loss,
    mode_seeking,
    slope_penalty,
    zero_centered_penalty,
)
from molgen.models.adversarial.vectors import Critic, Generator

_LOOK = 200  # steps between two looks of the guard
_CROWD = 1000  # draws and examples of a look
_WASSERSTEIN = 10.0  # weight of the slope penalty, as published


@dataclass(frozen=True)
class Rules:
    """Settings of a game; see the parameters of the family ``latent_gan`` for what they mean."""

    loss: Loss = "rpgan"
    gamma: float = 0.02
    generator_rate: float = 0.3
    average: float = 0.999
    mode_seeking: float = 0.0


class Game(nn.Module):
    """What exists while a generator learns. ``average`` (what is kept) and ``critic`` belong to the owner.

    The owner's parts are not registered again, so that they stand in a checkpoint once. ``reference``: examples that
    the guard compares draws with, and their ``conditions``.
    """

    seen: Tensor
    reference: Tensor
    asked: Tensor

    def __init__(
        self,
        average: Generator,
        critic: Critic,
        rules: Rules,
        reference: Tensor,
        conditions: Tensor | None = None,
        limits: StabilityLimits | None = None,
    ) -> None:
        super().__init__()
        self.rules = rules
        self._owned = [average.requires_grad_(False), critic.requires_grad_(True)]
        self.generator = averaged(average).requires_grad_(True)
        self.guard = StabilityGuard(self._watched(), limits)
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.register_buffer("reference", reference[:_CROWD].clone())
        nothing = torch.zeros(len(self.reference), 0, device=reference.device)
        self.register_buffer("asked", nothing if conditions is None else conditions[:_CROWD].clone())
        self._optimizers: dict[str, torch.optim.Optimizer] = {}

    @property
    def average(self) -> Generator:
        """The averaged generator, which is the one to draw with."""
        return self._owned[0]  # type: ignore[return-value]

    @property
    def critic(self) -> Critic:
        """The critic."""
        return self._owned[1]  # type: ignore[return-value]

    def _watched(self) -> nn.ModuleDict:
        return nn.ModuleDict({"generator": self.average, "critic": self.critic})

    def optimizers(self, learning_rate: float, weight_decay: float) -> dict[str, torch.optim.Optimizer]:
        """Adam with little momentum, one each; their groups say by what a loop multiplies its learning rate."""
        options: dict[str, Any] = {"lr": learning_rate, "betas": (0.5, 0.99), "weight_decay": weight_decay}
        self._optimizers = {
            "critic": torch.optim.Adam(self.critic.parameters(), **options),
            "generator": torch.optim.Adam(self.generator.parameters(), **options),
        }
        self._set_rates()
        return self._optimizers

    def _set_rates(self) -> None:
        for name, own in (("critic", 1.0), ("generator", self.rules.generator_rate)):
            for group in self._optimizers[name].param_groups:
                group["lr_factor"] = own * self.guard.rate

    def turns(
        self, real: Tensor, conditions: Tensor | None = None
    ) -> Iterator[tuple[str, Tensor, dict[str, float]]]:
        """One turn of the critic, one of the generator, on ``real`` ``[n, d]``; n is a multiple of the critic's pac."""
        rules, critic = self.rules, self.critic
        self._set_rates()
        real = real.detach().requires_grad_(True)
        with torch.no_grad():
            fake = self.generator(self._noise(real), conditions)
        fake = fake.requires_grad_(True)
        scores = critic(real, conditions), critic(fake, conditions)
        loss = critic_loss(rules.loss, *scores)
        if rules.loss == "rpgan":
            penalty = zero_centered_penalty(scores[0], [real]) + zero_centered_penalty(scores[1], [fake])
            total = loss + 0.5 * rules.gamma * penalty
        else:
            share = torch.rand(len(scores[0]), device=real.device)
            penalty = slope_penalty(lambda x: critic(x, conditions), real, fake, share, critic.pac)
            total = loss + _WASSERSTEIN * penalty
        gap = float((scores[0] - scores[1]).mean().detach())
        yield (
            "critic",
            total,
            {"critic_loss": float(loss.detach()), "penalty": float(penalty.detach()), "gap": gap},
        )
        critic.requires_grad_(False)  # its gradients are not needed in the other's turn
        noise = self._noise(real)
        draws = self.generator(noise, conditions)
        loss = generator_loss(rules.loss, critic(real.detach(), conditions), critic(draws, conditions))
        if rules.mode_seeking:
            loss = loss + rules.mode_seeking * mode_seeking(draws, noise)
        critic.requires_grad_(True)
        yield "generator", loss, {"generator_loss": float(loss.detach()), **self.guard.metrics()}
        self.seen += 1
        step = int(self.seen)
        follow(self.average, self.generator, keep_at(step, rules.average))
        if step % _LOOK == 0:
            self._look(step)

    def _noise(self, like: Tensor) -> Tensor:
        return torch.randn(len(like), self.generator.noise, device=like.device)

    @torch.no_grad()
    def health(self, seed: int = 0) -> Health:
        """How distinct the averaged generator's draws are, and how much of the reference they reach."""
        device, count = self.reference.device, len(self.reference)
        own = torch.Generator(device=device).manual_seed(seed)  # looking must not change what is learned
        noise = torch.randn(count, self.generator.noise, generator=own, device=device)
        with torch.autocast(device.type, enabled=False):
            draws = self.average(noise, self.asked if self.asked.shape[1] else None)
            if not bool(draws.isfinite().all()):
                return Health(float("nan"), float("nan"))
            norms = {f"{name}_gradient": gradient_norm(o) for name, o in self._optimizers.items()}
            return Health(uniqueness(draws, self.reference), coverage(draws, self.reference), norms)

    @torch.no_grad()
    def _look(self, step: int) -> None:
        """Let the guard judge; after a rollback begin again from the weights that it has put back."""
        if self.guard.look(step, self.health(step), self._watched()).rolled_back:
            self.generator.load_state_dict(self.average.state_dict())
            for optimizer in self._optimizers.values():
                optimizer.state.clear()
            self._set_rates()
