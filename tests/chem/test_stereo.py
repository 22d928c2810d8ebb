"""Stereo centers are counted as RDKit counts them."""

from __future__ import annotations

from rdkit import Chem

from molgen.chem.stereo import stereo_centers, undefined_double_bonds, undefined_stereo_centers


def test_counts_equal_those_of_find_mol_chiral_centers(texts):
    counts = []
    for text in texts:
        ours, theirs = Chem.MolFromSmiles(text), Chem.MolFromSmiles(text)
        expected = Chem.FindMolChiralCenters(theirs, includeUnassigned=True)
        counts.append(stereo_centers(ours))
        assert counts[-1] == len(expected), text
        assert Chem.MolToSmiles(ours) == Chem.MolToSmiles(theirs), text
    assert len(set(counts)) > 2


def test_what_is_left_open():
    mol = Chem.MolFromSmiles("C[C@H](F)C(O)C=CC")
    assert stereo_centers(mol) == 2
    assert undefined_stereo_centers(mol) == 1
    assert undefined_double_bonds(mol) == 1
