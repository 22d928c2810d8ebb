"""Conformers: seeded, all or nothing, and never without a reason."""

import pytest
from rdkit import Chem

from molgen.chem.conformers import MOST_ATOMS, embed, lowest
from molgen.core.errors import MoleculeError


def mol(smiles):
    return Chem.MolFromSmiles(smiles)


def coordinates(found):
    return [conformer.GetPositions().tolist() for conformer in found.GetConformers()]


def test_the_same_seed_gives_the_same_coordinates_and_another_seed_others():
    first, again, other = (embed(mol("CC(=O)NCCO"), 3, seed=seed) for seed in (1, 1, 2))
    assert coordinates(first) == coordinates(again)
    assert coordinates(first) != coordinates(other)
    assert first.GetNumConformers() == 3


@pytest.mark.parametrize(
    ("smiles", "why"),
    [
        ("C" * (MOST_ATOMS + 1), "too_large"),
        ("CCO.CCN", "several_parts"),
        ("C1#CC1", "no_conformer"),
    ],
)
def test_what_has_no_conformer_says_why(smiles, why):
    with pytest.raises(MoleculeError) as caught:
        embed(mol(smiles), 1)
    assert caught.value.why == why


def test_running_out_of_time_is_no_smaller_ensemble(monkeypatch):
    """The engine's own clock: what it made before the end would depend on the machine."""
    monkeypatch.setattr(
        "molgen.chem.conformers.rdDistGeom.EmbedMultipleConfs",
        lambda full, n, params: full.AddConformer(Chem.Conformer(full.GetNumAtoms())),
    )
    monkeypatch.setattr("molgen.chem.conformers._timed_out", lambda params: True)
    with pytest.raises(MoleculeError, match="within 2 s"):
        embed(mol("CCO"), 5, seconds=2)


def test_the_lowest_conformer_is_relaxed_and_an_unknown_atom_type_is_no_error():
    found = embed(mol("OCCO"), 4)
    assert lowest(found) in range(4)
    assert lowest(embed(mol("C[Se]C"), 2)) == 0
