"""What is charged at pH 7.4: drugs whose form is known, and groups that programs of independent sites get wrong."""

from __future__ import annotations

import pytest
from rdkit import Chem

from molgen.chem.protonation import protonate


@pytest.mark.parametrize(
    ("smiles", "form"),
    [
        ("CC(=O)Oc1ccccc1C(=O)O", "CC(=O)Oc1ccccc1C(=O)[O-]"),  # aspirin, 3.5
        ("C[C@H](N)C(=O)O", "C[C@H]([NH3+])C(=O)[O-]"),  # alanine
        ("c1ccccc1CN", "[NH3+]Cc1ccccc1"),
        ("CN(C)CCOC(c1ccccc1)c1ccccc1", "C[NH+](C)CCOC(c1ccccc1)c1ccccc1"),  # diphenhydramine, 9.0
        ("CN1CCN(c2ccccc2)CC1", "C[NH+]1CCN(c2ccccc2)CC1"),
        ("NCCCCN", "[NH3+]CCCC[NH3+]"),  # 10.8 and 9.6
        ("NC(=N)NCC", "CCNC(N)=[NH2+]"),
        ("N=C(N)c1ccccc1", "NC(=[NH2+])c1ccccc1"),
        ("CN(C)c1ccncc1", "CN(C)c1cc[nH+]cc1"),  # 9.7
        ("c1ccc(-c2nn[nH]n2)cc1", "c1ccc(-c2nn[n-]n2)cc1"),
        ("CC(=O)NS(=O)(=O)c1ccccc1", "CC(=O)[N-]S(=O)(=O)c1ccccc1"),
        ("OP(=O)(O)CC", "CCP(=O)([O-])O"),
        ("CS(=O)(=O)O", "CS(=O)(=O)[O-]"),
    ],
)
def test_groups_clearly_on_one_side(smiles: str, form: str) -> None:
    assert Chem.MolToSmiles(protonate(Chem.MolFromSmiles(smiles))) == Chem.CanonSmiles(form)


@pytest.mark.parametrize(
    "smiles",
    [
        "O=c1cccc[nH]1",  # 2-pyridone, 11.6
        "Nc1ccccc1",  # aniline, 4.6
        "Cc1cnc[nH]1",  # imidazole, 7: either
        "Oc1ccccc1",  # phenol, 10
        "CC(=O)NC",
        "CS(=O)(=O)NC",  # 11
        "NC(=O)NC",  # urea
        "NCC(F)(F)F",  # 5.7
        "NCC#N",  # 5.3
        "c1ccncc1",  # pyridine, 5.2
        "Nc1ncccn1",
        "OB(O)c1ccccc1",
        "C[N+](C)(C)C",
        "C[N+](=O)[O-]",
        "C#Cc1cccc(Nc2ncnc3cc(OCCOC)c(OCCOC)cc23)c1",  # erlotinib, 5.4
        "CONC(=N)N",
    ],
)
def test_what_is_neutral_or_unsure_stays(smiles: str) -> None:
    assert Chem.MolToSmiles(protonate(Chem.MolFromSmiles(smiles))) == Chem.CanonSmiles(smiles)


@pytest.mark.parametrize("smiles", ["C1CNCCN1", "CN1CCNCC1", "NCCN", "CN(C)CCN"])
def test_two_amines_side_by_side_share_one_charge(smiles: str) -> None:
    assert Chem.GetFormalCharge(protonate(Chem.MolFromSmiles(smiles))) == 1


def test_the_same_molecule_has_the_same_form_however_it_is_drawn() -> None:
    one = Chem.MolFromSmiles("CN1CCN(CCCO)CC1")
    forms = {Chem.MolToSmiles(protonate(Chem.RenumberAtoms(one, order))) for order in _orders(one)}
    assert len(forms) == 1


def _orders(mol: Chem.Mol) -> list[list[int]]:
    n = mol.GetNumAtoms()
    return [list(range(n)), list(range(n))[::-1], [*range(3, n), 0, 1, 2]]
