"""A search that leaves the chemistry of its prior is told so; one that stays in it is not."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from molgen.chem.molecule import parse_all
from molgen.optimize.drift import DRAWS, RECENT, PriorDrift, sentences
from molgen.optimize.memory import Entry, Memory
from molgen.optimize.watch import Watch

FILE = Path(__file__).parents[1] / "chem" / "molecules.smi"
KNOWN = [
    mol.smiles
    for mol in parse_all([line.split()[0] for line in FILE.read_text().splitlines() if line.split()]).ok
    if 12 <= mol.mol.GetNumHeavyAtoms() <= 40
]


class Prior:
    """Draws from a list; likes carbon."""

    drawn = 0

    def sample(self, n, *, seed, **_):
        self.drawn += 1
        return SimpleNamespace(smiles=np.random.default_rng(seed).choice(KNOWN, n).tolist())

    def log_likelihood(self, smiles):
        return torch.tensor([-float(len(text)) - 9 * text.count("I") for text in smiles])


def memory(smiles, origin="x"):
    return Memory(Entry(k, k + 1, origin, (), s, s, "scored", 0.5, 0.5) for k, s in enumerate(smiles))


@pytest.fixture(scope="module")
def drift():
    return PriorDrift(Prior(), "default", 3, likelihood=True)


def test_draws_of_the_prior_have_not_drifted(drift):
    assert len(KNOWN) >= RECENT + 20
    found = drift.look(memory(KNOWN[: RECENT + 20]))
    assert {"mol_weight", "logp", "nearest", "nll"} <= found.keys()
    assert sentences(found) == {}


def test_long_chains_have_drifted_and_the_words_say_how(drift):
    chains = memory(["C" * k + "OCC" for k in range(20, 20 + RECENT + 6)])
    told = sentences(drift.look(chains))
    assert {"logp", "rotatable_bonds"} <= told.keys()
    assert f"mean logP of the newest {RECENT} molecules is" in told["logp"]
    assert "standard deviations" in told["logp"]
    found = Watch(prior=drift).findings(chains)
    assert "drift logp" in found


def test_what_the_prior_finds_unlikely_has_drifted_and_what_it_finds_likely_has_not(drift):
    unlikely = memory(
        [f"{'C' * (k % 9 + 1)}c1c(I)c(I)c({'C' * (k // 9 + 1)})c(I)c1I" for k in range(RECENT + 6)]
    )
    assert "nll" in sentences(drift.look(unlikely))
    assert sentences({"nll": (1.0, 2.0, -5.0), "nearest": (0.9, 0.4, 4.0)}) == {}
    assert sentences({"nll": (3.0, 2.0, 5.0), "nearest": (0.1, 0.4, -4.0)}).keys() == {"nll", "nearest"}


def test_a_property_that_the_objective_moves_is_left_out():
    chains = memory(["C" * k + "OCC" for k in range(20, 20 + RECENT + 6)])
    assert "logp" not in PriorDrift(Prior(), "default", 3, {"logp"}).look(chains)


def test_too_few_molecules_and_those_of_others_are_not_compared(drift):
    assert drift.look(memory(KNOWN[: RECENT - 1])) == {}
    assert drift.look(memory(KNOWN[: RECENT + 5], origin="seed")) == {}


def test_the_prior_is_drawn_from_once_and_only_when_needed():
    prior = Prior()
    drift = PriorDrift(prior, "default", 3)
    assert prior.drawn == 0
    for _ in range(3):
        drift.look(memory(KNOWN[: RECENT + 5]))
    assert prior.drawn == 1
    assert DRAWS >= RECENT
