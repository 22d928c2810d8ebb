from __future__ import annotations

import pytest
from rdkit import Chem

from molgen.chem.hazard import HazardClass, Screen, check_allowed, classes, hazard
from molgen.core.errors import ConfigError

#: Drugs that look a little like a class: aryl mustard, dinitrate, protide, peroxide, quaternary carbamate ...
DRUGS = {
    "melphalan": "NC(Cc1ccc(N(CCCl)CCCl)cc1)C(=O)O",
    "cyclophosphamide": "O=P1(N(CCCl)CCCl)NCCCO1",
    "isosorbide dinitrate": "O=[N+]([O-])OC1COC2C1OCC2O[N+](=O)[O-]",
    "sofosbuvir": "CC(C)OC(=O)[C@H](C)N[P@](=O)(OC[C@H]1O[C@@H](n2ccc(=O)[nH]c2=O)[C@](C)(F)[C@@H]1O)Oc1ccccc1",
    "amantadine": "NC12CC3CC(CC(C3)C1)C2",
    "artemisinin": "CC1CCC2C(C)C(=O)OC3OC4(C)CCC1C23OO4",
    "pyridostigmine": "C[n+]1cccc(OC(=O)N(C)C)c1",
    "amifostine": "NCCCNCCSP(=O)(O)O",
    "haloperidol": "O=C(CCCN1CCC(O)(c2ccc(Cl)cc2)CC1)c1ccc(F)cc1",
    "zidovudine": "Cc1cn(C2CC(N=[N+]=[N-])C(CO)O2)c(=O)[nH]c1=O",
    "cidofovir": "Nc1ccn(CC(CO)OCP(=O)(O)O)c(=O)n1",
    "fluorouracil": "O=c1[nH]cc(F)c(=O)[nH]1",
}


@pytest.mark.parametrize("entry", classes(), ids=lambda entry: entry.name)
def test_a_class_withholds_its_examples_and_passes_the_look_alikes(entry: HazardClass) -> None:
    assert entry.hit
    assert entry.miss
    for smiles in entry.hit:
        assert Chem.MolFromSmiles(smiles) in entry, smiles
    for smiles in entry.miss:
        assert hazard(Chem.MolFromSmiles(smiles)) is None, smiles


@pytest.mark.parametrize("name", DRUGS)
def test_drugs_of_neighboring_chemistry_pass(name: str) -> None:
    assert hazard(Chem.MolFromSmiles(DRUGS[name])) is None


def test_analogs_of_a_class_are_withheld_too() -> None:
    entry = next(entry for entry in classes() if "nerve-agent type (phosphorus" in entry.name)
    for rest in ("OCC", "OC(C)C", "OC1CCCCC1", "N(C)C", "c1ccccc1"):
        assert Chem.MolFromSmiles(f"CP(=O)(F){rest}") in entry


def test_counts_are_told_and_structures_are_not() -> None:
    screen = Screen()
    assert screen.notes() == []
    answers = screen.mask([Chem.MolFromSmiles(s) for s in ("O=C(Cl)Cl", "c1ccccc1", "ClC#N")])
    assert answers[0] == answers[2] == "toxic gas or its close relative"
    assert answers[1] is None
    (note,) = screen.notes()
    assert (
        note == "2 molecules were withheld by the hazard screen (table 1): 2 toxic gas or its close relative."
    )


def test_the_screen_cannot_be_switched_off_silently() -> None:
    off = Screen(on=False)
    assert off.withholds(Chem.MolFromSmiles("ClC#N")) is None
    assert "SWITCHED OFF" in off.notes()[0]
    relaxed = Screen(allow=["toxic gas or its close relative"])
    assert relaxed.withholds(Chem.MolFromSmiles("ClC#N")) is None
    assert relaxed.withholds(Chem.MolFromSmiles("CSCCCl")) is not None
    assert "let pass: toxic gas" in relaxed.notes()[0]


def test_an_unknown_class_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError, match="did you mean 'monofluoroacetate type'"):
        check_allowed(["monofluoracetate type"])
