"""Molecules to dense graphs and back."""

import gzip

import numpy as np
import pytest
from rdkit import Chem

from molgen.core.errors import DataError
from molgen.models.graph_gan.decoding import write
from molgen.models.graph_gan.generator import Chosen, Layout
from molgen.models.graph_gan.graphs import GraphSet, common_types, read

SMILES = [
    "CCO",
    "c1ccncc1",
    "[NH3+]CC(=O)[O-]",
    "C#CC1CC1",
    "c1c[nH]cn1",
    "C[C@H](N)O",
    "[C-]#[N+]C",
    "OC1=CC2CC2C1",
]


def flat(smiles):
    return Chem.MolToSmiles(Chem.MolFromSmiles(smiles), isomericSmiles=False)


def rebuilt(smiles, max_atoms=9):
    found = read(smiles, max_atoms)
    data = GraphSet(found, common_types(found, 0))
    layout = Layout(max_atoms)
    batch = data.batch(np.arange(len(data)))
    chosen = Chosen(batch.atoms, layout.parents_of(batch), batch.bonds, batch.sizes)
    return data, write(chosen, layout, common_types(found, 0))


def test_what_is_read_is_written_again_with_charges_and_hydrogens():
    data, written = rebuilt(SMILES)
    assert [flat(text) for text in written] == [flat(text) for text in SMILES]
    assert not data.unknown
    assert not data.too_long


def test_qm9_is_read_and_written_again(test_data):
    smiles = gzip.decompress((test_data / "qm9.csv.gz").read_bytes()).decode().split()[1::400]
    data, written = rebuilt(smiles)
    assert len(data) > 320
    assert [flat(text) for text in written] == [flat(smiles[i]) for i in data.index]


def test_the_order_of_the_atoms_does_not_depend_on_the_writing():
    found = read(["OCC", "C(C)O", "CCO"], 4)
    assert (found.graphs.atoms == found.graphs.atoms[0]).all()
    assert (found.graphs.bonds == found.graphs.bonds[0]).all()


def test_every_atom_but_the_first_has_a_parent_before_it():
    data, _ = rebuilt(SMILES)
    batch = data.batch(np.arange(len(data)))
    layout = Layout(9)
    bonded = layout.dense(batch.bonds)
    parents = layout.parents_of(batch)
    for row, size in enumerate(batch.sizes.tolist()):
        for i in range(1, size):
            assert bonded[row, i, parents[row, i]] > 0


def test_what_cannot_be_such_a_graph_is_left_out_with_its_reason():
    found = read(["CCO", "C.C", "[CH2]C", "nonsense", "CCCCCC", "C->[Fe]"], 5)
    assert found.rows.tolist() == [0]
    assert found.too_long == ["CCCCCC"]
    reasons = " ".join(found.unknown)
    for words in ("several fragments", "a radical", "no molecule", "not single, double"):
        assert words in reasons


def test_atom_types_that_the_model_does_not_know_are_left_out():
    types = common_types(read(["CCO"], 5))
    data = GraphSet(read(["CCN", "CCO"], 5), types)
    assert data.index.tolist() == [1]
    assert data.unknown == ["1 molecules: atom types unknown to the model"]


def test_no_molecule_small_enough_says_so():
    with pytest.raises(DataError, match="max_atoms"):
        common_types(read(["CCCCCC"], 3))
