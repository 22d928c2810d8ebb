import copy

import numpy as np
import pytest
import torch

from molgen.core.schema import UnlikelihoodConfig
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


@pytest.mark.parametrize("text", ["", "C1CC", "c1cccc1", "C(C)(C)(C)(C)C", "CC)"])
def test_a_string_that_is_no_molecule_is_broken(text):
    assert broken(text)


def test_an_unheard_of_ring_system_is_broken_only_if_asked():
    strange = "C1=CC=C2N=S3OC4CC(C12)C34"
    assert not broken("c1ccccc1O", known_rings=True)
    assert not broken("CCO", known_rings=True)
    assert not broken(strange)
    assert broken(strange, known_rings=True)


def train(model, unlikelihood):
    """The share of broken strings among 500 after 40 steps on the same molecules."""
    model = copy.deepcopy(model).train()
    model.unlikelihood = unlikelihood
    data = model.training_set(SMILES)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    torch.manual_seed(3)
    for _ in range(40):
        ((_, loss, _),) = model.training_step(data.batch(np.arange(len(data))))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return sum(broken(text) for text in model.sample(500, seed=1).smiles) / 500


def test_the_penalty_makes_broken_strings_rarer(tiny):
    assert train(tiny, UnlikelihoodConfig(weight=10.0, samples=64)) < 0.7 * train(tiny, None)


def test_the_draw_follows_the_generator_that_a_checkpoint_saves(tiny):
    config = UnlikelihoodConfig(weight=1.0, samples=32)
    torch.manual_seed(7)
    first, seen = penalty(tiny, config)
    torch.manual_seed(7)
    again, seen_again = penalty(tiny, config)
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
