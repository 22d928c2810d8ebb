import sys
from pathlib import Path

import pytest
from rdkit import Chem
from rdkit.Chem import QED, Crippen, Descriptors, Lipinski, RDConfig

from molgen.chem import qed as fast
from molgen.chem.descriptors import DESCRIPTORS, describe, longest_chain
from molgen.chem.sa_score import sa_score


def test_qed_is_rdkits_qed_to_the_last_bit(mols, texts):
    for text, mol in zip(texts, mols, strict=True):
        reference = Chem.MolFromSmiles(text)
        assert fast.properties(mol) == QED.properties(reference), text
        assert fast.qed(mol) == QED.qed(reference), text


def test_every_alert_of_qed_can_still_hit():
    # each alert's own pattern, read as a molecule where that works, must count as RDKit counts it
    tried = 0
    for smarts in QED.StructuralAlertSmarts:
        mol = Chem.MolFromSmiles(smarts)
        if mol is not None:
            tried += 1
            assert fast.count_alerts(mol) == QED.properties(mol).ALERTS, smarts
    assert tried > 15


@pytest.mark.parametrize(
    "text",
    [
        "FC(F)(F)C(F)(F)F",
        "[N-]=[N+]=NC",
        "C[15NH2]",
        "CI",
        "CP",
        "C[Si](C)(C)Cl",
        "OO",
        "CSSC",
        "C=C=C",
        "[H][H]",
    ],
)
def test_alerts_of_small_and_odd_molecules(text):
    mol = Chem.MolFromSmiles(text)
    assert fast.count_alerts(mol) == QED.properties(mol).ALERTS


def test_explicit_hydrogens_do_not_change_qed():
    mol = Chem.MolFromSmiles("CC(=O)Nc1ccc(O)cc1")
    assert fast.qed(Chem.AddHs(mol)) == QED.qed(mol)


def test_sa_score_is_rdkits_to_the_last_bit(mols, texts, monkeypatch):
    monkeypatch.syspath_prepend(str(Path(RDConfig.RDContribDir) / "SA_Score"))
    import sascorer

    for text, mol in zip(texts, mols, strict=True):
        assert sa_score(mol) == sascorer.calculateScore(Chem.MolFromSmiles(text)), text
    sys.modules.pop("sascorer")


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("mol_weight", Descriptors.MolWt),
        ("logp", Crippen.MolLogP),
        ("tpsa", Descriptors.TPSA),
        ("hbd", Lipinski.NumHDonors),
        ("hba", Lipinski.NumHAcceptors),
        ("rotatable_bonds", Lipinski.NumRotatableBonds),
        ("fraction_csp3", Lipinski.FractionCSP3),
    ],
)
def test_values_are_rdkits(mols, texts, name, reference):
    for text, mol in list(zip(texts, mols, strict=True))[::5]:
        assert DESCRIPTORS[name](mol) == reference(Chem.MolFromSmiles(text))


def test_every_descriptor_gives_a_float_for_every_molecule(mols):
    for mol in mols[::10]:
        assert all(isinstance(value, float) for value in describe(mol, DESCRIPTORS).values())


def test_descriptors_say_what_they_are():
    for name, descriptor in DESCRIPTORS.items():
        assert (descriptor.name, bool(descriptor.summary), bool(descriptor.source)) == (name, True, True)


@pytest.mark.parametrize(
    ("text", "stereo", "undefined", "bonds", "largest", "chain"),
    [
        ("CC(F)CC", 1, 1, 0, 0, 2),
        ("C[C@H](F)CC", 1, 0, 0, 0, 2),
        ("CC=CCCCCC", 0, 0, 1, 0, 5),
        ("C/C=C/C", 0, 0, 0, 0, 1),
        ("C1CCCCCCC1CCCO", 0, 0, 0, 8, 3),
    ],
)
def test_counts(text, stereo, undefined, bonds, largest, chain):
    mol = Chem.MolFromSmiles(text)
    names = (
        "stereo_centers",
        "undefined_stereo_centers",
        "undefined_double_bonds",
        "largest_ring",
        "longest_chain",
    )
    assert tuple(describe(mol, names).values()) == (stereo, undefined, bonds, largest, chain)


def test_longest_chain_counts_no_ring_and_no_branch():
    assert longest_chain(Chem.MolFromSmiles("C1CCCCC1")) == 0
    assert longest_chain(Chem.MolFromSmiles("CC(C)(C)C")) == 1
