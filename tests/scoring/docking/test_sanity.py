"""Poses that PoseBusters must find sound or not, in a receptor that is a shell of atoms."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
from rdkit import Chem
from rdkit.Chem import rdMolTransforms

from molgen.chem.conformers import embed, lowest
from molgen.scoring.docking.sanity import NOT_CHECKED, SOUND, PoseCheck, read_receptor


def pose(shift: float = 0.0) -> str:
    """p-Xylene in the middle of the shell, or pushed into its wall."""
    mol = embed(Chem.MolFromSmiles("Cc1ccc(C)cc1"), 1)
    lowest(mol)
    mol = Chem.RemoveHs(mol)
    place = mol.GetConformer()
    center = rdMolTransforms.ComputeCentroid(place)
    for k in range(mol.GetNumAtoms()):
        point = place.GetAtomPosition(k)
        place.SetAtomPosition(k, [point.x - center.x, point.y - center.y, point.z - center.z + shift])
    return Chem.MolToMolBlock(mol)


def test_the_atoms_of_the_receptor_are_read_where_they_are(here):
    shell = read_receptor(here / "shell.pdbqt")
    assert shell.GetNumAtoms() == 150
    assert {atom.GetSymbol() for atom in shell.GetAtoms()} == {"C", "O"}
    assert shell.GetConformer().GetPositions().std() == pytest.approx(6 / 3**0.5, abs=0.1)


def test_without_the_package_nothing_is_claimed(here, monkeypatch):
    monkeypatch.setattr("molgen.scoring.docking.sanity.find_spec", lambda name: None)
    assert PoseCheck(here / "shell.pdbqt")(pose()) == NOT_CHECKED


@pytest.mark.skipif(find_spec("posebusters") is None, reason="PoseBusters is not installed (extra `dock`)")
def test_a_clash_with_the_receptor_is_named(here):
    check = PoseCheck(here / "shell.pdbqt")
    assert check(pose()) == SOUND
    assert "minimum distance to protein" in check(pose(shift=5.0))
