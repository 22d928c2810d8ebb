"""Latent priors: what they draw and what density they claim, on distributions that are known."""

import math

import pytest
import torch

from molgen.models.latent.factory import PRIORS, make_prior
from molgen.models.latent.flow import FlowPrior
from molgen.models.latent.mixture import MixturePrior

CENTERS = torch.tensor([[-2.0, 1.0], [3.0, -1.0]])
SPREADS = torch.tensor([[0.5, 1.0], [1.0, 0.4]])
CERTAIN = -40.0  # log-variance of posteriors without width


def two_humps(n: int, seed: int = 0) -> torch.Tensor:
    """A quarter of the points around the first center, the others around the second."""
    generator = torch.Generator().manual_seed(seed)
    which = (torch.rand(n, generator=generator) > 0.25).long()
    return CENTERS[which] + SPREADS[which] * torch.randn(n, 2, generator=generator)


def true_density(z: torch.Tensor) -> torch.Tensor:
    parts = [
        math.log(share) + torch.distributions.Normal(center, spread).log_prob(z).sum(1)
        for share, center, spread in zip((0.25, 0.75), CENTERS, SPREADS, strict=True)
    ]
    return torch.stack(parts).logsumexp(0)


def gaussian(n: int, seed: int = 0) -> tuple[torch.Tensor, torch.distributions.MultivariateNormal]:
    covariance = torch.tensor([[1.0, 1.2], [1.2, 4.0]])
    truth = torch.distributions.MultivariateNormal(torch.tensor([1.0, -2.0]), covariance)
    noise = torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))
    return truth.mean + noise @ truth.scale_tril.T, truth


@pytest.fixture(scope="module")
def flow():
    """A small flow fitted to a correlated Gaussian."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        prior = FlowPrior(2, width=48, depth=1)
    data, truth = gaussian(20_000)
    report = prior.fit(data, torch.full_like(data, CERTAIN), minutes=60.0, most_steps=600)
    assert report["prior_steps"] == 600
    return prior, truth


@pytest.fixture(scope="module")
def mixture():
    prior = MixturePrior(2, components=4)
    data = two_humps(20_000)
    prior.fit(data, torch.full_like(data, CERTAIN), minutes=60.0)
    return prior


def test_the_mixture_draws_the_moments_that_it_was_fitted_to(mixture):
    drawn = mixture.sample(20_000, torch.Generator().manual_seed(5))
    data = two_humps(20_000, seed=1)
    assert torch.allclose(drawn.mean(0), data.mean(0), atol=0.08)
    assert torch.allclose(torch.cov(drawn.T), torch.cov(data.T), atol=0.25)
    left = (drawn[:, 0] < 0.5).float().mean()
    assert abs(float(left) - 0.25) < 0.03


def test_the_density_of_the_mixture_is_that_of_its_components(mixture):
    z = two_humps(300, seed=2)
    covariance = mixture.factors @ mixture.factors.transpose(1, 2)
    direct = (
        torch.stack(
            [
                weight
                + torch.distributions.MultivariateNormal(mean, c).log_prob(
                    (z - mixture.shift) / mixture.scale
                )
                for weight, mean, c in zip(mixture.weights, mixture.means, covariance, strict=True)
            ]
        ).logsumexp(0)
        - mixture.scale.log().sum()
    )
    assert torch.allclose(mixture.log_prob(z), direct, atol=1e-3)
    assert abs(float((mixture.log_prob(z) - true_density(z)).mean())) < 0.05


def test_the_width_of_the_posteriors_is_part_of_what_is_learned():
    prior = MixturePrior(2, components=1)
    prior.fit(torch.zeros(20_000, 2), torch.zeros(20_000, 2), minutes=60.0)
    drawn = prior.sample(20_000, torch.Generator().manual_seed(5))
    assert torch.allclose(drawn.std(0), torch.ones(2), atol=0.05)


def test_the_flow_draws_the_moments_that_it_was_fitted_to(flow):
    prior, truth = flow
    drawn = prior.sample(8000, torch.Generator().manual_seed(5))
    assert torch.allclose(drawn.mean(0), truth.mean, atol=0.12)
    assert torch.allclose(torch.cov(drawn.T), truth.covariance_matrix, atol=0.45)


def test_the_density_of_the_flow_agrees_with_the_gaussian_that_it_was_fitted_to(flow):
    prior, truth = flow
    z = gaussian(400, seed=3)[0]
    error = prior.log_prob(z) - truth.log_prob(z)
    assert abs(float(error.mean())) < 0.1
    assert float(error.abs().median()) < 0.15


def test_the_density_of_the_flow_integrates_to_one(flow):
    prior, _ = flow
    x, y = torch.linspace(-6, 8, 71), torch.linspace(-15, 11, 71)
    grid = torch.cartesian_prod(x, y)
    total = prior.log_prob(grid).exp().sum() * (x[1] - x[0]) * (y[1] - y[0])
    assert abs(float(total) - 1) < 0.03


@pytest.mark.parametrize("kind", ["flow", "mixture", "normal"])  # a GAN has no density; see test_gan.py
def test_the_slope_points_to_where_the_density_is_higher(kind, flow, mixture):
    prior = {"flow": flow[0], "mixture": mixture, "normal": make_prior("normal", 2)}[kind]
    z = prior.sample(200, torch.Generator().manual_seed(7))
    slope = prior.slope(z)
    assert slope.shape == z.shape
    step = 0.1 * slope / slope.norm(dim=1, keepdim=True)
    assert float(((prior.log_prob(z + step) - prior.log_prob(z)) > 0).float().mean()) > 0.9


@pytest.mark.parametrize("kind", sorted(PRIORS))
def test_draws_follow_the_seed_and_survive_a_round_trip_of_the_weights(kind):
    prior, other = make_prior(kind, 3), make_prior(kind, 3)
    other.load_state_dict(prior.state_dict())
    first = prior.sample(9, torch.Generator().manual_seed(1))
    assert torch.equal(first, other.sample(9, torch.Generator().manual_seed(1)))
    assert first.shape == (9, 3)
    assert prior.sample(0, torch.Generator()).shape == (0, 3)
    if prior.has_density:
        assert torch.isfinite(prior.log_prob(first)).all()
