"""Leaving alerts out must never change a count: what an alert is said to need is checked on molecules that have it."""

from __future__ import annotations

import pytest
from rdkit import Chem
from rdkit.Chem import QED

from molgen.chem import qed_alerts

#: Molecules with just one ring, heteroatom bond or fusion of the kind that some alert asks for, and nothing else.
ONLY_JUST = [
    *("C1CO1", "C1CN1", "C1CCCCCC1", "C1CCc2ccccc2CC1", "C1CCCCCCC1", "C=C=C", "NN", "CON", "CC(C)=NO"),
    *(
        "c1ccc2cc3ccccc3cc2c1",
        "c1ccc2c(c1)ccc1ccccc12",
        "O=C1CCN1",
        "O=C1NC2CCC12",
        "C[13CH3]",
        "[2H]C",
        "C[18OH]",
    ),
]


@pytest.mark.parametrize("smiles", ONLY_JUST)
def test_molecules_that_only_just_match_are_counted(smiles):
    mol = Chem.MolFromSmiles(smiles)
    assert qed_alerts.count_alerts(mol) == QED.properties(mol).ALERTS


def test_each_alert_that_matches_is_among_those_tried(mols):
    for mol in mols:
        mask = qed_alerts._possible(mol)
        for number, pattern in enumerate(QED.StructuralAlerts):
            if mol.HasSubstructMatch(pattern):
                assert mask >> number & 1, (Chem.MolToSmiles(mol), QED.StructuralAlertSmarts[number])


def test_most_alerts_are_left_out(mols):
    tried = [qed_alerts._possible(mol).bit_count() for mol in mols]
    assert sum(tried) / len(tried) < 0.35 * len(QED.StructuralAlerts)


def test_cages_with_more_rings_than_rdkit_can_minimize_are_tried_in_full():
    cubanes = ".".join(["C12C3C4C1C5C2C3C45"] * 3)
    mol = Chem.MolFromSmiles(cubanes)
    assert mol.GetRingInfo().NumRings() > 12
    assert qed_alerts.count_alerts(mol) == QED.properties(mol).ALERTS


def test_the_alerts_read_by_hand_are_rdkits():
    assert set(qed_alerts._HIDDEN) <= set(QED.StructuralAlertSmarts)
