"""A generative adversarial network as latent prior: it draws in one step, and its critic knows what looks wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from molgen.core.errors import ModelError
from molgen.models.adversarial.game import Game, Rules
from molgen.models.adversarial.vectors import Critic, Generator
from molgen.models.latent.prior import Clock, LatentPrior, drawn, standard_normal
from molgen.run.resources import bf16_supported

_BATCH = 512
_LOWEST = 0.025  # share of real points that critic and Gaussian may refuse, each


class GanPrior(LatentPrior):
    """Generator and critic over whitened vectors.

    There is no density: :meth:`log_prob` raises, ``has_density`` says so beforehand, and :meth:`slope` is that of the
    Gaussian with the data's covariance. :meth:`score` is the critic's opinion of single points. ``conditions`` are
    numbers (z-scored) that a draw is asked for; without a wish they are those of random training molecules.
    """

    has_density = False
    factor: Tensor
    wishes: Tensor
    lowest: Tensor

    def __init__(
        self,
        size: int,
        noise: int = 128,
        width: int = 384,
        depth: int = 3,
        critic_width: int = 384,
        critic_depth: int = 3,
        pac: int = 4,
        conditions: int = 0,
        rules: Rules | None = None,
    ) -> None:
        super().__init__(size)
        self.rules = rules or Rules()
        self.conditions = conditions
        self.generator = Generator(max(noise, size), size, width, depth, conditions).requires_grad_(False)
        self.critic = Critic(size, pac, critic_width, critic_depth, conditions)
        self.register_buffer("wishes", torch.zeros(512, conditions))
        self.register_buffer("lowest", torch.zeros(2))
        if conditions:  # without, it is the generator's
            self.register_buffer("factor", torch.eye(size))
        self._wish: Tensor | None = None

    # -- learning --------------------------------------------------------------------------------------

    def begin(
        self, mean: Tensor, log_variance: Tensor, generator: torch.Generator, conditions: Tensor | None = None
    ) -> None:
        """Take center, spread and covariance of posteriors ``[n, d]``, and their conditions."""
        self.whiten(mean, log_variance)
        rows = torch.randint(len(mean), (50_000,), generator=generator, device=mean.device)
        x = self.to_white(drawn(mean[rows], log_variance[rows], generator))
        ridge = 1e-3 * torch.eye(self.size, device=x.device)
        whole = torch.linalg.cholesky(torch.cov(x.T) + ridge)
        self.generator.factor.copy_(whole)
        if conditions is not None and self.conditions:
            asked = conditions[rows].float()
            self.renew(asked)
            self.factor.copy_(whole)
            # the Gaussian given the conditions: least squares, and the covariance of what that leaves
            width = torch.eye(self.conditions, device=x.device)
            lean = torch.linalg.solve(asked.T @ asked / len(x) + 1e-3 * width, asked.T @ x / len(x))
            self.generator.lean.copy_(lean.T)
            rest = torch.cov((x - asked @ lean).T) + ridge
            self.generator.factor.copy_(torch.linalg.cholesky(rest))

    def renew(self, conditions: Tensor) -> None:
        """Conditions of the molecules that are learned now, which draws without a wish are to have."""
        self.wishes.copy_(conditions[torch.arange(len(self.wishes)) % len(conditions)])

    def crowd(self, mean: Tensor, log_variance: Tensor, generator: torch.Generator, n: int = 1000) -> Tensor:
        """A sample ``[n, d]`` of the posteriors, whitened."""
        rows = torch.randint(len(mean), (n,), generator=generator, device=mean.device)
        return self.to_white(drawn(mean[rows], log_variance[rows], generator))

    @torch.no_grad()
    def settle(self, x: Tensor) -> None:
        """Set what 2.5 % of real points ``x`` (whitened) are below, of the critic's scores and of the Gaussian's."""
        z = x * self.scale + self.shift
        found = [
            s.kthvalue(max(1, round(_LOWEST * len(s)))).values for s in (self.score(z), self.gaussian(z))
        ]
        self.lowest.copy_(torch.stack(found))

    @torch.no_grad()
    def believable(self, z: Tensor) -> Tensor:
        """Whether points ``[n, d]`` can be molecules' own, by critic and Gaussian; of real ones some 95 % can.

        Both are asked because a critic only knows what is near its draws and the data: of points that lie far out in
        directions that nothing was drawn from it may be fond.
        """
        return (self.score(z) >= self.lowest[0]) & (self.gaussian(z) >= self.lowest[1])

    def fit(
        self,
        mean: Tensor,
        log_variance: Tensor,
        *,
        seed: int = 0,
        minutes: float = 5.0,
        advance: Callable[[float], None] = lambda share: None,
        most_steps: int = 40_000,
        learning_rate: float = 5e-4,
    ) -> dict[str, float]:
        """Play until the minutes or the steps are used up; the learning rate falls linearly, the guard watches."""
        device = mean.device
        generator = torch.Generator(device=device).manual_seed(seed)
        most_steps = min(most_steps, 2_000 + 20 * len(mean))
        clock, k, share = Clock(minutes), 0, 0.0
        last: dict[str, float] = {}
        with torch.random.fork_rng(devices=[]), torch.enable_grad():
            torch.manual_seed(seed)
            with torch.no_grad():
                self.begin(mean, log_variance, generator)
            game = Game(self.generator, self.critic, self.rules, self.crowd(mean, log_variance, generator))
            optimizers = game.optimizers(learning_rate, 0.0)
            while share < 1 and k < most_steps and not game.guard.given_up:
                rows = torch.randint(len(mean), (_BATCH,), generator=generator, device=device)
                real = self.to_white(drawn(mean[rows], log_variance[rows], generator))
                share = max(clock.share, (k + 1) / most_steps)
                rate = learning_rate * min(1, (k + 1) / 200) * max(0.02, 1 - share)
                turns = game.turns(real)
                while True:
                    with torch.autocast(
                        device.type, dtype=torch.bfloat16, enabled=bf16_supported(device.type)
                    ):
                        turn = next(turns, None)
                    if turn is None:
                        break
                    name, loss, metrics = turn
                    last |= metrics
                    optimizers[name].zero_grad()
                    loss.backward()
                    for group in optimizers[name].param_groups:
                        group["lr"] = rate * group["lr_factor"]
                    optimizers[name].step()
                k += 1
                if k % 50 == 0:
                    advance(share)
        self.critic.requires_grad_(False)
        self.settle(self.crowd(mean, log_variance, generator, 4096))
        kept = {name: last[name] for name in ("critic_loss", "collapse_alarms") if name in last}
        return {"prior_steps": float(k), **{f"prior_{name}": value for name, value in kept.items()}}

    # -- use -------------------------------------------------------------------------------------------

    def to_white(self, z: Tensor) -> Tensor:
        """Centered, in standard deviations."""
        return (z - self.shift) / self.scale

    @contextmanager
    def wishing(self, wish: Tensor | None) -> Iterator[None]:
        """Inside, draws have the conditions ``wish`` ``[c]`` where it is a number, else those of training molecules."""
        before, self._wish = self._wish, wish
        try:
            yield
        finally:
            self._wish = before

    @torch.no_grad()
    def sample(self, n: int, generator: torch.Generator) -> Tensor:
        """One pass of the generator."""
        device = self.shift.device
        noise = torch.randn(n, self.generator.noise, generator=generator, device=device)
        asked = None
        if self.conditions:
            rows = torch.randint(len(self.wishes), (n,), generator=generator, device=device)
            asked = self.wishes[rows]
            if self._wish is not None:
                asked = torch.where(self._wish.isnan(), asked, self._wish)
        x: Tensor = self.generator(noise, asked)
        return x * self.scale + self.shift

    def score(self, z: Tensor) -> Tensor:
        """The critic's opinion ``[n]`` of points, near the data more than further out. No unit, differentiable.

        With conditions it is that of the mean ones.
        """
        result: Tensor = self.critic.single(self.to_white(z))
        return result

    def log_prob(self, z: Tensor) -> Tensor:
        """There is none. Raises ModelError."""
        raise ModelError(
            "a GAN has no density: it draws points but cannot say how likely one is; use score(), its critic's "
            "opinion, or a model with the prior flow or mixture"
        )

    @torch.no_grad()
    def slope(self, z: Tensor) -> Tensor:
        """Gradient of the log-density of the Gaussian with the data's center and covariance."""
        x = self.to_white(z)
        return -torch.cholesky_solve(x.T, self._whole).T / self.scale

    @property
    def _whole(self) -> Tensor:
        """Cholesky factor of the covariance of all points, whatever their conditions."""
        return self.factor if self.conditions else self.generator.factor

    @torch.no_grad()
    def gaussian(self, z: Tensor) -> Tensor:
        """Log-density of that Gaussian ``[n]``, nats."""
        factor = self._whole
        y = torch.linalg.solve_triangular(factor, self.to_white(z).T, upper=False).T
        return standard_normal(y) - factor.diagonal().log().sum() - self.scale.log().sum()
