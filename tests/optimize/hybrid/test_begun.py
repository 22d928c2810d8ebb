from __future__ import annotations

import json

import pytest
from rdkit import Chem

from molgen.optimize.hybrid.begun import Begun
from molgen.optimize.memory import CARRIED

MACROCYCLE = "O=C1NCCCCCCCCCCCCN1"


def begun(size: int, origin: str, *, adopted: bool) -> Begun:
    """After one molecule of so many heavy atoms."""
    found = Begun()
    found.take("C" * size, origin, adopted)
    return found


@pytest.mark.parametrize(("origin", "adopted"), [("seed", True), ("prior", False)])
def test_a_candidate_may_be_half_larger_than_the_seeds_and_the_draws(origin: str, adopted: bool) -> None:
    assert begun(60, origin, adopted=adopted).room() == 90
    assert begun(20, origin, adopted=adopted).room() == 50


@pytest.mark.parametrize(
    ("origin", "adopted"),
    [(CARRIED, True), ("mutation", True), ("mutation", False)],
    ids=["found in an earlier round", "found in an earlier stage", "found in this search"],
)
def test_what_the_search_found_is_neither_a_seed_nor_a_measure_of_size(origin: str, adopted: bool) -> None:
    found = begun(60, origin, adopted=adopted)
    assert not found.seeds
    assert found.room() == 50  # else it would grow by half with every round and stage


def test_what_is_odd_about_a_seed_counts_as_known_also_after_a_checkpoint() -> None:
    mol = Chem.MolFromSmiles(MACROCYCLE)
    found = Begun()
    assert 15 not in found.table.allowed_rings
    found.take(MACROCYCLE, "seed", True)
    again = Begun()
    again.load_state(json.loads(json.dumps(found.state())))
    for one in (found, again):
        assert 15 in one.table.allowed_rings
        assert one.table.strange(mol) == 0
        assert (list(one.seeds), one.largest) == ([MACROCYCLE], mol.GetNumHeavyAtoms())
