"""Every registered strategy keeps the ask/tell contract."""

import pytest

from molgen.models.autoregressive import RecurrentParams
from molgen.models.autoregressive.model import SmilesLanguageModel
from molgen.models.graph_vae import GraphVaeParams
from molgen.models.graph_vae.model import GraphVae
from molgen.optimize.registry import STRATEGIES, build, strategy
from molgen.testing import RandomOptimizer, check_optimizer

SMILES = ["CCO", "CCN", "c1ccccc1", "CC(=O)O", "OCCO", "NCCN"] * 3


#: So that a strategy comes to what it is for within the steps of the suite.
FEW = {
    "latent": {"start": 6, "candidates": 64},
    "hybrid": {"start": 6, "candidates": 4, "generations": 2},
}


def language():
    params = RecurrentParams(hidden=16, layers=1, embedding=8, pieces=0, max_tokens=20)
    return SmilesLanguageModel.build(params, SMILES, seed=2)


def points():
    params = GraphVaeParams(
        latent=6,
        width=32,
        heads=4,
        layers=1,
        encoder_layers=1,
        site_width=16,
        property_molecules=0,
        prior="normal",
    )
    return GraphVae.build(params, [*SMILES, "CC(=O)Oc1ccccc1C(=O)O", "NCC(O)c1ccncc1"] * 2, seed=2)


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_a_registered_strategy(name):
    record, checked = strategy(name, FEW.get(name, {}))

    def make():
        prior = points() if record.needs >= {"decode"} else language()
        return build(record, prior=prior.eval(), params=checked, seed=7)

    check_optimizer(make, lambda smiles: smiles.count("O") / (1 + len(smiles)))


def test_the_random_strategy():
    check_optimizer(lambda: RandomOptimizer(SMILES, 3), lambda smiles: 0.5)


def test_the_suite_finds_a_strategy_that_forgets_its_state():
    class Forgetful(RandomOptimizer):
        def load_state(self, values, tensors):
            pass

    with pytest.raises(AssertionError, match="restored, but different"):
        check_optimizer(lambda: Forgetful([f"{'C' * n}O" for n in range(1, 30)], 3), lambda smiles: 0.5)
