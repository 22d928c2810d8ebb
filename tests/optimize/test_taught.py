import math

import pytest
from rdkit import Chem

from molgen.models.autoregressive import RecurrentParams
from molgen.models.autoregressive.model import SmilesLanguageModel
from molgen.optimize.agent_params import SearchParams
from molgen.optimize.protocol import Result
from molgen.optimize.taught import TaughtSearch

CHAINS = ["CCO", "CCN", "OCCO", "NCCN", "CCCC", "CNC", "COC"]  # every string of these tokens is a molecule


@pytest.fixture
def prior():
    params = RecurrentParams(hidden=32, layers=1, embedding=8, pieces=0, max_tokens=20)
    return SmilesLanguageModel.build(params, CHAINS, seed=2).eval()


def one_molecule(smiles: str) -> float:
    """An objective that makes an agent collapse: one molecule is worth everything."""
    return 1.0 if smiles == "CCO" else 0.01


def new_molecules(search: TaughtSearch, steps: int, n: int = 16) -> list[int]:
    """How many molecules of each step had not been seen, with the statuses that the loop would give."""
    known: set[str] = set()
    found = []
    for _ in range(steps):
        before, results = len(known), []
        for proposal in search.ask(n):
            mol = Chem.MolFromSmiles(proposal.smiles) if proposal.smiles else None
            if mol is None:
                results.append(Result(proposal.id, "invalid", None, math.nan, math.nan))
                continue
            smiles = Chem.MolToSmiles(mol)
            status = "duplicate" if smiles in known else "scored"
            known.add(smiles)
            results.append(Result(proposal.id, status, smiles, one_molecule(smiles), one_molecule(smiles)))
        search.tell(results)
        found.append(len(known) - before)
    return found


def search(prior, **changes) -> TaughtSearch:
    params = {"learning_rate": 1e-2, "sigma": 200.0, "rounds": 1} | changes
    return TaughtSearch("reinforce", prior, SearchParams(**params), seed=7)


def test_it_collapsed_onto_one_molecule_and_drew_only_duplicates(prior):
    unguarded = new_molecules(search(prior, draws=1, restart=0, repeats=True), 40)
    guarded = new_molecules(search(prior), 40)
    assert sum(unguarded[-12:]) < 0.15 * 12 * 16  # the objective does what it is for
    assert sum(guarded[-12:]) > 0.3 * 12 * 16


def test_an_agent_without_anything_new_begins_again_from_the_prior(prior):
    collapsed = search(prior, draws=1, repeats=True, restart=0.2)
    found = new_molecules(collapsed, 45)
    assert collapsed.restarts > 0
    worst = min(range(5, 45), key=lambda step: sum(found[step - 5 : step]))
    assert max(found[worst:]) >= 5  # what the prior itself finds, after steps with next to nothing


def test_what_is_known_gives_way_to_what_is_new(prior):
    one = search(prior)
    first = one.ask(16)
    one.tell([Result(p.id, "scored", Chem.CanonSmiles(p.smiles), 0.5, 0.5) for p in first if p.smiles])
    known = {Chem.CanonSmiles(p.smiles) for p in first if p.smiles}
    second = [Chem.CanonSmiles(p.smiles) for p in one.ask(16) if p.smiles]
    assert not set(second) & known
    assert len(set(second)) == len(second) > 8


def test_a_scaffold_that_the_diversity_memory_has_filled_is_forgotten(prior):
    one = search(prior)
    proposals = one.ask(4)
    names = ["OCCO", "CCCC", "CNC", "COC"]
    one.tell([Result(p.id, "scored", s, 0.5, 0.5) for p, s in zip(proposals, names, strict=True)])
    held = {m.smiles for m in one.agent.replay.items}
    assert "OCCO" in held
    again = one.ask(1)
    metrics = one.tell([Result(again[0].id, "duplicate", "OCCO", 0.0, 0.5)])
    assert metrics["purged"] == 1
    assert {m.smiles for m in one.agent.replay.items} == held - {"OCCO"}


def test_results_in_another_order_teach_the_same(prior):
    one, other = search(prior), search(prior)
    results = [Result(p.id, "scored", p.smiles, k / 10, k / 10) for k, p in enumerate(one.ask(8))]
    other.ask(8)
    assert one.tell(results) == other.tell(results[::-1])
    assert one.ask(8) == other.ask(8)


def test_invalid_strings_filled_the_terminal_with_messages_of_rdkit(capfd):
    from molgen.optimize.taught import _key

    assert _key("c1ccc") is None
    assert _key("C(C)(C)(C)(C)C") is None
    assert capfd.readouterr().err == ""
