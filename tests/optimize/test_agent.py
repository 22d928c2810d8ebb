import math

import pytest
import torch
from rdkit import Chem

from molgen.models.autoregressive import RecurrentParams
from molgen.models.autoregressive.model import SmilesLanguageModel
from molgen.optimize.agent import Agent, Lesson
from molgen.optimize.agent_params import AgentParams

SMILES = ["CCO", "CCN", "c1ccccc1", "CC(=O)O", "OCCO", "NCCN", "CCCC", "c1ccncc1"]


@pytest.fixture
def prior():
    params = RecurrentParams(hidden=32, layers=1, embedding=8, pieces=0, max_tokens=20)
    return SmilesLanguageModel.build(params, SMILES, seed=2).eval()


def agent(prior, **params) -> Agent:
    return Agent(prior, AgentParams(**params), seed=7)


LESSONS = [Lesson("OCCO", "OCCO", 0.9), Lesson("CCCC", "CCCC", 0.1), Lesson("C(", None, 0.0)]


def likelihood(model, text: str) -> float:
    return float(model.log_likelihood([text]).detach())


def test_drawing_changes_nothing_and_follows_the_seed(prior):
    one = agent(prior)
    before = one.state()[0]
    assert one.draw(8, 5) == one.draw(8, 5) != one.draw(8, 6)
    assert one.state()[0] == before
    assert one.draw(0, 1).smiles == []


def test_the_likelihood_of_a_draw_is_that_of_its_string(prior):
    drawn = agent(prior).draw(4, 5)
    expected = -prior.log_likelihood(drawn.smiles)
    assert drawn.nll == pytest.approx(expected.tolist(), rel=0.02)


def test_strings_of_others_teach_it(prior):
    one = agent(prior, learning_rate=5e-3)
    before = likelihood(one.model, "OCCO"), likelihood(one.model, "CCCC")
    for _ in range(20):
        metrics = one.learn(LESSONS)
    assert math.isfinite(metrics["loss"])
    assert likelihood(one.model, "OCCO") - before[0] > likelihood(one.model, "CCCC") - before[1] + 0.2
    assert [m.smiles for m in one.replay.items] == ["OCCO", "CCCC"]


def test_a_copy_goes_on_like_the_original(prior):
    one = agent(prior, rounds=2, randomize="random", anchor=1.0)
    one.learn(LESSONS)
    values, tensors = one.state()
    other = agent(prior, rounds=2, randomize="random", anchor=1.0)
    other.load_state(values, {name: tensor.clone() for name, tensor in tensors.items()})
    assert one.learn(LESSONS) == other.learn(LESSONS)
    assert one.draw(8, 1) == other.draw(8, 1)


@pytest.mark.parametrize("name", ["rooted", "random"])
def test_further_updates_show_other_spellings_of_the_same_molecules(prior, name, monkeypatch):
    one = agent(prior, rounds=4, randomize=name)
    shown = []
    update = one._update
    monkeypatch.setattr(one, "_update", lambda texts, *rest: shown.append(texts) or update(texts, *rest))
    one.learn([Lesson("CC(=O)O", "CC(=O)O", 0.9)])
    assert len(shown) == 5
    spellings = {text for texts in shown[1:] for text in texts}
    assert len(spellings) > 1
    assert {Chem.CanonSmiles(text) for text in spellings} == {"CC(=O)O"}


def test_more_rounds_teach_more(prior):
    def gain(rounds: int) -> float:
        one = agent(prior, rounds=rounds, learning_rate=2e-3)
        for _ in range(3):
            one.learn(LESSONS)
        return likelihood(one.model, "OCCO")

    assert gain(5) > gain(0) + 1


def test_the_anchor_keeps_what_the_prior_writes_likely(prior):
    def forgotten(anchor: float) -> float:
        one = agent(prior, anchor=anchor, loss="likelihood", learning_rate=5e-3, rounds=5, anchor_sample=64)
        for _ in range(5):
            metrics = one.learn(LESSONS)
        assert ("anchor_nll" in metrics) == (anchor > 0)
        drawn = prior.sample(200, seed=99).smiles
        return float((prior.log_likelihood(drawn) - one.model.log_likelihood(drawn)).detach().mean())

    assert forgotten(5.0) < 0.5 * forgotten(0.0)


def test_only_the_best_share_is_shown(prior, monkeypatch):
    one = agent(prior, share=0.5, replay_size=0)
    shown = []
    monkeypatch.setattr(one, "_update", lambda texts, *rest: shown.append(texts) or {"loss": 0.0})
    one.learn([Lesson("CCO", "CCO", 0.2), Lesson("CCN", "CCN", 0.8), Lesson("CCCC", "CCCC", math.nan)])
    assert shown == [["CCN"]]


def test_back_to_the_prior_keeps_the_memory(prior):
    one = agent(prior)
    one.learn(LESSONS)
    one.back_to_prior()
    assert all(torch.equal(v, prior.state_dict()[k]) for k, v in one.model.state_dict().items())
    assert len(one.replay) == 2
    one.learn(LESSONS)  # the prior is no part of what is taught
    assert likelihood(one.model, "OCCO") != likelihood(prior, "OCCO")


def test_a_string_that_the_prior_cannot_write_is_not_remembered(prior):
    one = agent(prior)
    assert math.isnan(one.learn([Lesson("[Se]", "[Se]", 0.9)])["loss"])
    assert len(one.replay) == 0
