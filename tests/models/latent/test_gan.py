"""GAN as a latent prior: fitted like the others, without a density, with a critic that guards the search."""

from types import SimpleNamespace

import pytest
import torch

from molgen.core.errors import ConfigError, ModelError
from molgen.models.latent.factory import make_prior
from molgen.models.latent.gan import GanPrior
from molgen.models.latent.moves import kept_on_manifold, on_manifold

SIZE = 4


def posteriors(n, seed=0):
    """Points of two clusters far apart in the first number, the others correlated; narrow posteriors."""
    generator = torch.Generator().manual_seed(seed)
    z = torch.randn(n, SIZE, generator=generator) * 0.3
    z[:, 0] += torch.randint(2, (n,), generator=generator) * 4.0 - 2.0
    z[:, 2] += 2 * z[:, 1] + 5
    return z, torch.full((n, SIZE), -6.0)


@pytest.fixture(scope="module")
def fitted():
    assert isinstance(make_prior("gan", SIZE), GanPrior)
    prior = GanPrior(SIZE, noise=8, width=48, depth=1, critic_width=48, critic_depth=2, pac=2)
    mean, log_variance = posteriors(4000)
    found = prior.fit(mean, log_variance, seed=1, minutes=600, most_steps=700, learning_rate=2e-3)
    assert found["prior_steps"] == 700
    return prior


def drawn(prior, n=2000):
    return prior.sample(n, torch.Generator().manual_seed(3))


def test_it_learns_two_clusters_that_a_gaussian_cannot(fitted):
    z = drawn(fitted)
    real, _ = posteriors(2000, seed=9)
    near = float(((z[:, 0].abs() - 2).abs() < 1).float().mean())
    assert near > 0.65, "the gap between the clusters is filled: a Gaussian has 0.48 there"
    share = float((z[:, 0] > 0).float().mean())
    assert 0.3 < share < 0.7, "a cluster was dropped"
    assert torch.allclose(z.mean(0), real.mean(0), atol=0.4)
    assert float(torch.corrcoef(z[:, 1:3].T)[0, 1]) > 0.8


def test_the_same_seed_gives_the_same_points_and_leaves_the_global_generator_alone(fitted):
    state = torch.get_rng_state()
    assert torch.equal(drawn(fitted), drawn(fitted))
    assert torch.equal(state, torch.get_rng_state())


def test_a_density_is_refused_in_words_not_made_up(fitted):
    assert fitted.has_density is False
    with pytest.raises(ModelError, match="a GAN has no density"):
        fitted.log_prob(torch.zeros(1, SIZE))


def test_the_slope_points_home(fitted):
    far = fitted.shift + 3 * fitted.scale * torch.tensor([[0.0, 1.0, 1.0, -1.0]])
    slope = fitted.slope(far)
    assert float((slope * (fitted.shift - far)).sum()) > 0
    point = far.double()
    ahead = [fitted.gaussian((point + 1e-3 * d).float()) for d in (slope, -slope)]
    assert float(ahead[0]) > float(ahead[1])


def test_the_critic_refuses_one_real_point_in_twenty_and_most_that_lie_between_the_clusters(fitted):
    model = SimpleNamespace(prior=fitted, family="latent_gan")
    real, _ = posteriors(2000, seed=5)
    assert 0.85 < float(on_manifold(model, real).float().mean()) < 1
    between = real.clone()
    between[:, 0] = 0
    assert float(on_manifold(model, between).float().mean()) < 0.5
    kept = kept_on_manifold(model, real, between)
    assert float((kept == real).all(1).float().mean()) > 0.5


def test_a_model_without_a_critic_says_so():
    model = SimpleNamespace(prior=make_prior("normal", SIZE), family="graph_vae")
    with pytest.raises(ConfigError, match="only a latent GAN has a critic"):
        on_manifold(model, torch.zeros(1, SIZE))
