import copy

import pytest
import torch

from molgen.core.schema import UnlikelihoodConfig
from molgen.models.autoregressive.sampler import sample_sequences
from molgen.models.autoregressive.unlikelihood import broken, penalty

SMILES = [
    "CCO",
    "CCN",
    "c1ccccc1",
    "Cc1ccccc1",
    "CC(=O)O",
    "CC(=O)Nc1ccccc1",
    "OCC(C)N",
    "C1CCCCC1",
    "CC(C)(C)O",
]


def drawn_penalty(model, config):
    return penalty(model.network, model.vocabulary, config, max_tokens=model.params.max_tokens)


@pytest.mark.parametrize("text", ["", "C1CC", "c1cccc1", "C(C)(C)(C)(C)C", "CC)"])
def test_a_string_that_is_no_molecule_is_broken(text):
    assert broken(text)


def test_an_unheard_of_ring_system_is_broken_only_if_asked():
    strange = "C1=CC=C2N=S3OC4CC(C12)C34"
    assert not broken("c1ccccc1O", known_rings=True)
    assert not broken("CCO", known_rings=True)
    assert not broken(strange)
    assert broken(strange, known_rings=True)


def test_a_step_makes_the_broken_strings_less_likely_and_leaves_the_others_out(tiny):
    model = copy.deepcopy(tiny)
    torch.manual_seed(3)
    drawn = sample_sequences(
        model.network, 600, seed=int(torch.randint(2**31, (1,))), batch_size=600, max_tokens=30
    )
    wrong = [ids for ids in drawn.sequences if broken(model.vocabulary.decode(ids))]
    assert 0 < len(wrong) < 600
    torch.manual_seed(3)
    loss, metrics = drawn_penalty(model, UnlikelihoodConfig(weight=0.5, samples=600))
    assert metrics["broken"] == len(wrong) / 600
    before = model.sequence_log_likelihood(wrong)
    assert float(loss.detach()) == pytest.approx(0.5 / 600 * float(before.sum().detach()), rel=1e-5)
    loss.backward()
    torch.optim.SGD(model.parameters(), lr=1e-2).step()
    assert model.sequence_log_likelihood(wrong).sum() < before.sum()


def test_the_penalty_of_a_young_model_is_at_most_the_mean(tiny):
    torch.manual_seed(3)
    heavy, metrics = drawn_penalty(tiny, UnlikelihoodConfig(weight=1e6, samples=64))
    torch.manual_seed(3)
    light, _ = drawn_penalty(tiny, UnlikelihoodConfig(weight=0.5, samples=64))
    assert float(heavy.detach() / light.detach()) == pytest.approx(2 / metrics["broken"], rel=1e-5)


def test_the_draw_follows_the_generator_that_a_checkpoint_saves(tiny):
    config = UnlikelihoodConfig(weight=1.0, samples=32)
    torch.manual_seed(7)
    first, seen = drawn_penalty(tiny, config)
    torch.manual_seed(7)
    again, seen_again = drawn_penalty(tiny, config)
    assert seen == seen_again
    assert torch.equal(first, again)


def test_validation_measures_the_loss_without_the_penalty(tiny):
    batch = tiny.training_set(["CCO", "CCN"]).batch(torch.arange(2).numpy())
    tiny.unlikelihood = None
    ((_, plain, _),) = tiny.eval().training_step(batch)
    tiny.unlikelihood = UnlikelihoodConfig(weight=1000.0, samples=32)
    ((_, validated, _),) = tiny.eval().training_step(batch)
    ((_, trained, metrics),) = tiny.train().training_step(batch)
    tiny.unlikelihood = None
    assert torch.equal(plain, validated)
    assert metrics["broken"] > 0
    assert not torch.equal(plain, trained)
