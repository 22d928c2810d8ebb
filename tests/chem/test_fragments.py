import pytest
from rdkit import Chem

from molgen.chem.fragments import brics_fragments, murcko_scaffold, ring_systems


@pytest.mark.parametrize(
    ("text", "systems"),
    [
        ("CCCC", []),
        ("c1ccccc1CCc1ccncc1", ["c1ccccc1", "c1ccncc1"]),
        ("Cn1cccc1", ["c1cc[nH]c1"]),
        ("O=C1CCCCC1C", ["O=C1CCCCC1"]),
        ("O=S1(=O)CCNCC1", ["O=S1(=O)CCNCC1"]),
        ("C/C=C1/CCCC(=O)C1", ["C=C1CCCC(=O)C1"]),
        ("C1CCC2(CC1)OCCO2", ["C1CCC2(CC1)OCCO2"]),
        ("c1ccc(-c2ccccc2)cc1", ["c1ccccc1", "c1ccccc1"]),
        ("C1CC[C@H]2CCCC[C@@H]2C1", ["C1CC[C@H]2CCCC[C@@H]2C1"]),
    ],
)
def test_ring_systems(text, systems):
    assert ring_systems(Chem.MolFromSmiles(text)) == systems


def test_ring_systems_do_not_depend_on_what_was_looked_up_before(mols, texts, monkeypatch):
    warm = [ring_systems(mol) for mol in mols]
    for text, expected in zip(texts, warm, strict=True):
        monkeypatch.setattr("molgen.chem.fragments._KNOWN", {})
        assert ring_systems(Chem.MolFromSmiles(text)) == expected


def test_murcko_scaffold():
    mol = Chem.MolFromSmiles("CCc1ccc(CC2CCNC2=O)cc1")
    assert murcko_scaffold(mol) == "O=C1NCCC1Cc1ccccc1"
    assert murcko_scaffold(mol, generic=True) == "C1CCC(CC2CCCC2)CC1"
    assert murcko_scaffold(Chem.MolFromSmiles("CCO")) == ""


def test_brics_fragments_are_sorted():
    assert brics_fragments(Chem.MolFromSmiles("CCOc1ccccc1")) == ["[16*]c1ccccc1", "[3*]O[3*]", "[4*]CC"]
