import math

import pytest
import torch

from molgen.core.errors import ConfigError
from molgen.models.autoregressive import RecurrentParams
from molgen.models.autoregressive.model import SmilesLanguageModel
from molgen.optimize.agent_params import ReinforceParams
from molgen.optimize.protocol import Proposal, Result
from molgen.optimize.registry import strategy
from molgen.optimize.reinforce import reinforce
from molgen.testing import check_optimizer

SMILES = ["CCO", "CCN", "c1ccccc1", "CC(=O)O", "OCCO", "NCCN", "CCCC", "c1ccncc1"]


@pytest.fixture
def prior():
    params = RecurrentParams(hidden=32, layers=1, embedding=8, pieces=0, max_tokens=20)
    return SmilesLanguageModel.build(params, SMILES, seed=2).eval()


def make(prior, **changes):
    return reinforce(prior, ReinforceParams(**changes), seed=7)


def told(proposals, score):
    return [Result(p.id, "scored", p.smiles, score(p.smiles), score(p.smiles)) for p in proposals]


def oxygen(smiles):
    return smiles.count("O") / max(1, len(smiles))


def test_it_keeps_the_contract(prior):
    check_optimizer(lambda: make(prior), oxygen)


def test_it_learns_what_scores_well(prior):
    search = make(prior, learning_rate=5e-3, sigma=60, rounds=0)
    means = []
    for _ in range(30):
        proposals = search.ask(32)
        results = told(proposals, oxygen)
        means.append(sum(r.score for r in results) / 32)
        search.tell(results)
    assert sum(means[-5:]) / 5 > 2 * sum(means[:5]) / 5


def test_the_prior_stays_as_it_was(prior):
    before = {k: v.clone() for k, v in prior.state_dict().items()}
    search = make(prior)
    search.tell(told(search.ask(16), oxygen))
    assert all(torch.equal(v, before[k]) for k, v in search.agent.prior.state_dict().items())
    assert any(not torch.equal(v, before[k]) for k, v in search.agent.model.state_dict().items())


def test_results_without_a_value_teach_nothing(prior):
    search = make(prior, replay_size=0)
    before = {k: v.clone() for k, v in search.agent.model.state_dict().items()}
    results = [Result(p.id, "failed", p.smiles, math.nan, math.nan) for p in search.ask(8)]
    assert math.isnan(search.tell(results)["loss"])
    assert all(torch.equal(v, before[k]) for k, v in search.agent.model.state_dict().items())


def test_a_result_that_was_never_asked_is_refused(prior):
    search = make(prior)
    search.ask(4)
    with pytest.raises(ValueError, match="not asked"):
        search.tell([Result(999, "scored", "CCO", 1.0, 1.0)])


def test_replay_keeps_the_best_once_each(prior):
    search = make(prior, replay_size=5)
    for _ in range(4):
        search.tell(told(search.ask(32), oxygen))
    kept = [(m.smiles, m.score) for m in search.agent.replay.items]
    assert len({s for s, _ in kept}) == len(kept) == 5
    assert [score for _, score in kept] == sorted((s for _, s in kept), reverse=True)


def test_seed_compounds_are_learned_from(prior):
    search = make(prior)
    search.adopt([Proposal(0, "OCCO", "seed"), Proposal(1, "[Se]", "seed")])
    search.tell([Result(0, "scored", "OCCO", 0.9, 0.9), Result(1, "scored", "[Se]", 0.9, 0.9)])
    assert [m.smiles for m in search.agent.replay.items] == [
        "OCCO"
    ]  # the other one cannot be written by this prior


def test_wrong_parameters_are_named_with_their_key():
    with pytest.raises(
        ConfigError, match=r"optimizer\.params\.sgima: no such parameter; did you mean 'sigma'"
    ):
        strategy("reinforce", {"sgima": 3})
    with pytest.raises(ConfigError, match=r"unknown optimizer 'reinforc'; did you mean 'reinforce'"):
        strategy("reinforc", {})


def test_a_model_without_likelihood_is_refused():
    class Mute:
        family = "mute"

    with pytest.raises(ConfigError, match="needs a model with a likelihood"):
        reinforce(Mute(), ReinforceParams(), seed=1)
