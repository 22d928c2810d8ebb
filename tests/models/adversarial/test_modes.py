"""The 25-mode toy: the losses keep all modes; a bad setting loses them, which is noticed and undone."""

import copy
import itertools

import pytest
import torch
from torch import nn

from molgen.learn.stability import Health, StabilityGuard, StabilityLimits
from molgen.models.adversarial.average import averaged, follow, keep_at
from molgen.models.adversarial.health import coverage, uniqueness
from molgen.models.adversarial.losses import (
    critic_loss,
    generator_loss,
    mode_seeking,
    packed,
    slope_penalty,
    zero_centered_penalty,
)

CENTERS = torch.tensor(list(itertools.product((-2.0, -1.0, 0.0, 1.0, 2.0), repeat=2))) / 1.41
SPREAD, BATCH, PAC = 0.05, 256, 2


def data(n, generator):
    at = torch.randint(25, (n,), generator=generator)
    return CENTERS[at] + SPREAD * torch.randn(n, 2, generator=generator)


def modes(draws):
    """Modes that at least one draw in 250 is in, within four standard deviations."""
    distance, nearest = torch.cdist(draws, CENTERS).min(1)
    hit = nearest[distance < 4 * SPREAD].bincount(minlength=25)
    return int((hit >= len(draws) / 250).sum())


class Game:
    """A small generator and critic, and steps of either loss."""

    def __init__(self, seed=0):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.generator = nn.Sequential(
                nn.Linear(16, 96), nn.SiLU(), nn.Linear(96, 96), nn.SiLU(), nn.Linear(96, 2)
            )
            self.critic = nn.Sequential(
                nn.Linear(2 * PAC, 96),
                nn.LeakyReLU(0.2),
                nn.Linear(96, 96),
                nn.LeakyReLU(0.2),
                nn.Linear(96, 1),
            )
        self.average = averaged(self.generator)
        self.random = torch.Generator().manual_seed(seed)
        self.norms = {}
        self.forget()

    def forget(self, rate=1.0):
        nets = {"generator": self.generator, "critic": self.critic}
        self.optimizers = {
            name: torch.optim.Adam(net.parameters(), lr=2e-3 * rate, betas=(0.0, 0.99))
            for name, net in nets.items()
        }

    def score(self, x):
        return self.critic(packed(x, PAC)).squeeze(1)

    def draws(self, n, net=None):
        return (net or self.generator)(torch.randn(n, 16, generator=self.random))

    def steps(self, count, kind="rpgan", gamma=0.1, clip=10.0):
        for k in range(count):
            real = data(BATCH, self.random).requires_grad_(True)
            fake = self.draws(BATCH).detach().requires_grad_(True)
            scores = self.score(real), self.score(fake)
            loss = critic_loss(kind, *scores)
            if kind == "wgan-gp":
                share = torch.rand(BATCH // PAC, generator=self.random)
                loss = loss + slope_penalty(self.score, real, fake, share, PAC)
            elif gamma:
                for score, x in zip(scores, (real, fake), strict=True):
                    loss = loss + 0.5 * gamma * zero_centered_penalty(score, [x])
            self._take("critic", loss, clip)
            with torch.no_grad():
                real_scores = self.score(data(BATCH, self.random))
            self._take("generator", generator_loss(kind, real_scores, self.score(self.draws(BATCH))), clip)
            follow(self.average, self.generator, keep_at(k, 0.99))

    def _take(self, name, loss, clip):
        optimizer = self.optimizers[name]
        optimizer.zero_grad()
        loss.backward()
        weights = optimizer.param_groups[0]["params"]
        self.norms[name] = float(nn.utils.clip_grad_norm_(weights, clip))
        optimizer.step()

    @torch.no_grad()
    def health(self):
        draws, real = self.draws(500, self.average), data(500, self.random)
        return Health(uniqueness(draws, real), coverage(draws, real), dict(self.norms))


@pytest.fixture(scope="module")
def trained():
    game = Game()
    game.steps(600)
    return game


@torch.no_grad()
def kept(game):
    return modes(game.draws(2500, game.average))


def test_rpgan_with_both_penalties_keeps_25_modes_of_25(trained):
    assert kept(trained) == 25


def test_wgan_gp_keeps_25_modes_of_25():
    game = Game()
    game.steps(600, "wgan-gp")
    assert kept(game) == 25


def test_a_bad_setting_collapses_and_is_rolled_back(trained):
    game = copy.deepcopy(trained)
    game.forget()
    watched = nn.ModuleDict({"average": game.average, "critic": game.critic})
    guard = StabilityGuard(watched, StabilityLimits(grace=1))
    words = []
    guard.tell = words.append
    for step in range(4):
        game.steps(10)
        assert not guard.look(step, game.health(), watched).rolled_back
    game.forget(rate=20)  # and no penalty: the critic runs away
    for step in range(4, 20):
        game.steps(25, gamma=0.0, clip=1e9)
        lost = kept(game)
        verdict = guard.look(step, game.health(), watched)
        if verdict.rolled_back:
            break
    assert lost <= 12, "the bad setting was not bad"
    assert verdict.status == "collapsed"
    assert guard.metrics()["rollbacks"] == 1
    assert len(words) == 1
    assert kept(game) >= 23, "the last healthy weights are not back"  # of the average of a game in motion
    game.generator.load_state_dict(game.average.state_dict())
    game.forget(guard.rate)
    game.steps(100)
    assert kept(game) == 25, "it does not go on from there"


def test_mode_seeking_prefers_draws_that_differ_where_their_noise_does():
    noise = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    assert float(mode_seeking(noise, noise)) == pytest.approx(-1)
    assert float(mode_seeking(torch.zeros(8, 2), noise)) == 0


def test_penalty_is_over_a_whole_pack():
    x = torch.randn(6, 2, generator=torch.Generator().manual_seed(0)).requires_grad_(True)
    score = (packed(x, 3) * 2).sum(1)
    assert float(zero_centered_penalty(score, [x])) == pytest.approx(6 * 4)


def test_health_of_draws_that_are_all_alike():
    real = data(400, torch.Generator().manual_seed(1))
    assert uniqueness(real[:1].repeat(400, 1), real) < 0.05
    assert coverage(real[:1].repeat(400, 1), real) < 0.1
    other = data(400, torch.Generator().manual_seed(2))
    assert uniqueness(other, real) > 0.85
    assert coverage(other, real) > 0.9
