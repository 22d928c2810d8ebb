from __future__ import annotations

import pytest
from rdkit import Chem, DataStructs

from molgen.benchmark.pharmacophore import pharmacophore, similarity

SMILES = [
    "CCCOc1cc2ncnc(Nc3ccc4ncsc4c3)c2cc1S(=O)(=O)C(C)(C)C",
    "CC(=O)Oc1ccccc1C(=O)O",
    "OCC1OC(OC2C(CO)OC(O)C(O)C2O)C(O)C(O)C1O",
    "NCCCCCCCCCCCCCCCCO",
    "CN1CCC[C@H]1c1cccnc1.OC(=O)C(O)C(O)C(O)=O",
    "O=C(O)CNC(=O)CNC(=O)CNC(=O)CN",
    "C1CC2CCC1CC2",
    "C[Si](C)(C)CCP",
    "CC(C)CC(N)C(=O)NC(Cc1ccccc1)C(=O)O",
    "CCO",
    "C",
]


def test_similarities_are_those_of_rdkits_fingerprint() -> None:
    from rdkit.Chem.Pharm2D import Generate, Gobbi_Pharm2D

    mols = [Chem.MolFromSmiles(smiles) for smiles in SMILES]
    theirs = [Generate.Gen2DFingerprint(mol, Gobbi_Pharm2D.factory) for mol in mols]
    ours = [pharmacophore(mol) for mol in mols]
    assert [len(keys) for keys in ours] == [bits.GetNumOnBits() for bits in theirs]
    assert max(len(keys) for keys in ours) > 100
    for i, bits in enumerate(theirs):
        expected = [DataStructs.TanimotoSimilarity(bits, other) for other in theirs]
        assert [similarity(ours[i], other) for other in ours] == expected


@pytest.mark.parametrize("smiles", SMILES)
def test_the_order_of_the_atoms_does_not_matter(smiles: str) -> None:
    mol = Chem.MolFromSmiles(smiles)
    backwards = Chem.RenumberAtoms(mol, list(range(mol.GetNumAtoms()))[::-1])
    assert pharmacophore(backwards) == pharmacophore(mol)


def test_the_empty_set_is_like_nothing() -> None:
    assert similarity(frozenset(), frozenset()) == 0.0
    assert similarity(frozenset({1}), frozenset()) == 0.0
