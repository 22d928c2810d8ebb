"""Children are molecules, new, near their parents in size, and the same for the same seed."""

import numpy as np
import pytest
from rdkit import Chem

from molgen.optimize.genetic.operators import crossover, mutate, offspring
from molgen.optimize.genetic.sketch import sound_rings
from molgen.optimize.genetic.tables import tables

PARENTS = [
    "CC(=O)Nc1ccc(O)cc1",
    "CC(C)Cc1ccc(C(C)C(=O)O)cc1",
    "Cc1ccc(-c2cc(C(F)(F)F)nn2-c2ccc(S(N)(=O)=O)cc2)cc1",
    "O=C(c1cccnc1)N1CCN(C2CCCC2)CC1",
    "C[n+]1ccccc1C=NO",
    "O=[N+]([O-])c1ccc2[nH]ccc2c1",
]


def test_children_are_sound_new_molecules_and_name_their_parents():
    children = offspring(PARENTS, 60, np.random.default_rng(1), known={"CCO"})
    assert len(children) == 60
    assert len({smiles for smiles, _, _ in children}) == 60
    assert not {smiles for smiles, _, _ in children} & set(PARENTS)
    for smiles, origin, positions in children:
        mol = Chem.MolFromSmiles(smiles)
        assert mol is not None
        assert sound_rings(mol)
        assert "." not in smiles
        assert not any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms())
        assert len(positions) == {"mutation": 1, "crossover": 2}[origin]
        assert all(0 <= k < len(PARENTS) for k in positions)


def test_the_same_seed_gives_the_same_children():
    first = offspring(PARENTS, 20, np.random.default_rng(3))
    assert first == offspring(PARENTS, 20, np.random.default_rng(3))
    assert first != offspring(PARENTS, 20, np.random.default_rng(4))


def test_known_molecules_do_not_come_back():
    first = [smiles for smiles, _, _ in offspring(["CCO"], 30, np.random.default_rng(1))]
    again = [smiles for smiles, _, _ in offspring(["CCO"], 30, np.random.default_rng(1), known=first)]
    assert first
    assert not set(first) & set(again)


def test_stereo_of_a_parent_does_not_make_its_flat_form_a_child():
    children = offspring(["C[C@H](N)C(=O)O"], 40, np.random.default_rng(0))
    assert "CC(N)C(=O)O" not in {smiles for smiles, _, _ in children}


def test_parents_without_weight_or_without_structure_are_not_drawn():
    rng = np.random.default_rng(0)
    children = offspring([*PARENTS[:2], "no molecule"], 20, rng, weights=[0.0, 1.0, 1.0], mutation=1.0)
    assert {positions for _, _, positions in children} == {(1,)}
    assert offspring(PARENTS, 5, rng, weights=[0.0] * len(PARENTS)) == []
    assert offspring([], 5, rng) == []


def test_one_atom_does_not_stop_the_operators():
    rng = np.random.default_rng(0)
    methane = Chem.MolFromSmiles("C")
    assert any(mutate(methane, rng) is not None for _ in range(5))
    assert crossover(methane, methane, rng) is None


def test_crossover_takes_from_both_parents():
    rng = np.random.default_rng(5)
    bromide, iodide = Chem.MolFromSmiles("CCCc1ccc(Br)cc1"), Chem.MolFromSmiles("CCOc1ccc(I)cc1")
    children = [crossover(bromide, iodide, rng, strange=1.0) for _ in range(40)]
    texts = {Chem.MolToSmiles(child) for child in children if child is not None}
    assert any("Br" in text and "O" in text for text in texts)
    assert any("I" in text and "O" not in text for text in texts)


def test_a_strict_search_stays_within_the_environments_of_zinc():
    children = offspring(PARENTS[:4], 30, np.random.default_rng(1), strange=0.0)
    assert children
    assert all(tables().strange(Chem.MolFromSmiles(smiles)) == 0 for smiles, _, _ in children)


@pytest.mark.parametrize("smiles", ["C1#CCCCCC1", "C1=C=CCCCC1", "C1=CC1", "C1CCCCCCCC1"])
def test_rings_that_cannot_be(smiles):
    assert not sound_rings(Chem.MolFromSmiles(smiles))


def test_what_is_odd_about_the_users_compounds_stays_possible():
    seeds = ["O=C1CCCCCCCCCCN1Cc1ccc(B(O)O)cc1"]
    usual = offspring(seeds, 15, np.random.default_rng(1), strange=0.0)
    assert not any("B" in text for text, _, _ in usual)
    table = tables().widened(seeds)
    children = [
        text for text, _, _ in offspring(seeds, 15, np.random.default_rng(1), strange=0.0, table=table)
    ]
    assert sum("B(O)O" in text for text in children) > 5
    mols = [Chem.MolFromSmiles(text) for text in children]
    rings = [len(ring) for mol in mols for ring in mol.GetRingInfo().AtomRings()]
    assert max(rings) in (11, 12, 13)


@pytest.mark.parametrize("smiles", PARENTS)
def test_rings_that_are(smiles):
    assert sound_rings(Chem.MolFromSmiles(smiles))
