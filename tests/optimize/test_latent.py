"""The latent search on a toy whose latent space is exact, and the Gaussian process on functions that are known."""

import math

import pytest
import torch

from molgen.core.errors import ConfigError
from molgen.optimize.gaussian_process import GaussianProcess
from molgen.optimize.latent import LatentSearch
from molgen.optimize.protocol import Proposal, Result
from molgen.optimize.random_draws import RandomDraws
from molgen.optimize.registry import LatentParams, RandomParams
from molgen.testing import ToyLatent, check_optimizer

TARGET = {"C": 11, "N": 1, "O": 9, "S": 0}  # far out: about one draw of the prior in 10,000 is as good


def score(smiles: str) -> float:
    return math.exp(-sum((smiles.count(e) - c) ** 2 for e, c in TARGET.items()) / 40)


def search(optimizer, steps: int, n: int = 10) -> list[float]:
    found: dict[str, float] = {}
    for _ in range(steps):
        results = []
        for proposal in optimizer.ask(n):
            status = "duplicate" if proposal.smiles in found else "scored"
            value = found.setdefault(proposal.smiles, score(proposal.smiles))
            results.append(Result(proposal.id, status, proposal.smiles, value, value))
        optimizer.tell(results)
    return list(found.values())


def latent(seed: int = 1, **params) -> LatentSearch:
    return LatentSearch(ToyLatent(), LatentParams(**{"start": 20, "candidates": 128} | params), seed)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_finds_more_than_random_draws_of_the_same_budget(seed):
    searched = search(latent(seed), 12)
    drawn = search(RandomDraws(ToyLatent(), RandomParams(), seed), 12)
    assert max(searched) > max(drawn) + 0.2
    assert max(searched) > 0.9


def test_it_keeps_the_contract_with_a_trust_region():
    check_optimizer(lambda: latent(start=6), score, steps=5, n=8)


def test_seed_compounds_are_learned_from():
    optimizer = latent(start=2)
    seeds = [Proposal(0, "C" * 10 + "N" + "O" * 8, "seed", ("mine",)), Proposal(1, "CN", "seed")]
    optimizer.adopt(seeds)
    optimizer.tell([Result(p.id, "scored", p.smiles, score(p.smiles), score(p.smiles)) for p in seeds])
    proposals = optimizer.ask(8)
    assert {p.origin for p in proposals} == {"latent"}
    assert {p.parents for p in proposals} == {("0",)}
    assert min(p.id for p in proposals) == 2
    assert sum(map(score, (p.smiles for p in proposals))) / 8 > 0.3


def test_without_a_better_molecule_the_region_shrinks_and_then_begins_elsewhere():
    optimizer = latent(start=4)
    lengths = []
    for _ in range(22):
        proposals = optimizer.ask(4)
        optimizer.tell([Result(p.id, "scored", p.smiles, 0.5, 0.5) for p in proposals])
        lengths.append(optimizer.length)
    assert min(lengths) < 0.06
    assert optimizer.begin > 0
    assert lengths[-1] > min(lengths)


def test_a_molecule_that_the_model_cannot_encode_teaches_nothing():
    optimizer = latent()
    proposals = optimizer.ask(2)
    results = [
        Result(p.id, "scored", text, 1.0, 1.0) for p, text in zip(proposals, ("c1ccccc1", "CO"), strict=True)
    ]
    assert optimizer.tell(results)["outside_the_model"] == 1
    assert optimizer.smiles == ["CO"]


def test_the_scaffold_memory_can_take_back_a_score():
    optimizer = latent()
    (first,) = optimizer.ask(1)
    optimizer.tell([Result(first.id, "scored", "CO", 0.9, 0.9)])
    (second,) = optimizer.ask(1)
    optimizer.tell([Result(second.id, "duplicate", "CO", 0.0, 0.9)])
    assert optimizer.scores.tolist() == [0.0]


def test_a_model_without_a_latent_space_is_refused():
    class Language:
        family = "autoregressive"

    with pytest.raises(ConfigError, match="needs a model that encodes and decodes"):
        LatentSearch(Language(), LatentParams(), 1)


def wave(x: torch.Tensor) -> torch.Tensor:
    return torch.sin(2 * x[:, 0]) + 0.5 * x[:, 1]


def test_the_process_predicts_a_smooth_function_and_knows_where_it_does_not():
    x = 4 * torch.rand(80, 4, generator=torch.Generator().manual_seed(0)) - 2
    process = GaussianProcess(x, wave(x))
    new = 3 * torch.rand(60, 4, generator=torch.Generator().manual_seed(1)) - 1.5
    mean, covariance = process.posterior(new)
    error = mean - wave(new)
    assert float(error.square().mean()) < 0.1 * float(wave(new).var())
    assert float((error.abs() < 3 * covariance.diagonal().clamp(min=0).sqrt() + 0.1).double().mean()) > 0.9
    far = process.posterior(new + 50)[1].diagonal()
    assert bool((far > 10 * covariance.diagonal()).all())
    scales = process.length_scales
    assert float(scales[0]) < float(scales[2:].min()), "it does not see that two of the numbers do not matter"


def test_drawn_functions_have_the_moments_of_the_posterior():
    x = torch.linspace(-2, 2, 9).unsqueeze(1)
    process = GaussianProcess(x, torch.sin(x[:, 0]))
    at = torch.tensor([[0.3], [4.0]])
    mean, covariance = process.posterior(at)
    drawn = process.draw(at, 4000, torch.Generator().manual_seed(3))
    assert torch.allclose(drawn.mean(0), mean, atol=0.05)
    assert torch.allclose(torch.cov(drawn.T), covariance, atol=0.08)
