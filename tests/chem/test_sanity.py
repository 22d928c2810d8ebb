from __future__ import annotations

import pytest
from rdkit import Chem

from molgen.chem.sanity import (
    FORMS,
    GRAPH_RULES,
    SHAPE_RULES,
    STEREO_RULES,
    Fault,
    Limits,
    graph_faults,
    plain_faults,
    shape_faults,
    stereo_faults,
)


def faults(smiles: str, limits: Limits | None = None) -> dict[str, Fault]:
    mol = Chem.MolFromSmiles(smiles)
    limits = limits or Limits()
    return {f.rule: f for check in (graph_faults, shape_faults, stereo_faults) for f in check(mol, limits)}


@pytest.mark.parametrize(
    ("rule", "bad", "good"),
    [
        ("one fragment", "CCO.CC", "CCO"),
        ("element", "C[Si](C)(C)C", "CC(C)(C)C"),
        ("isotope", "[2H]C", "C"),
        ("radical", "C[CH]C", "CCC"),
        ("charge", "C[N+](C)(C)C", "C[N+](=O)[O-]"),
        ("ring of 8 to 11 atoms", "C1CCCCCCC1", "C1CCCCCC1"),
        ("macrocycle", "C1CCCCCCCCCCC1", "C1CCCCC1"),
        ("3-membered rings", "C1CC1C1CC1", "C1CC1CC"),
        ("4-membered rings", "C1CCC1C1CCC1", "C1CCC1CC"),
        ("7-membered rings", "C1CCCCCC1C1CCCCCC1", "C1CCCCCC1"),
        ("fused rings", "c1ccc2c(c1)ccc1c2ccc2c1ccc1ccccc12", "c1ccc2ccccc2c1"),
        ("bridgeheads", "C1C2CC3CC1CC(C2)C3", "C1CC2CCC1CC2"),
        ("spiro atoms", "C1CCC2(C1)CCC1(CCCC1)CC2", "C1CCC2(C1)CCCCC2"),
        ("chain", "CCCCCCCO", "CCCCCCO"),
        ("fluorine", "FC(F)(F)C(F)(F)C(F)(F)F", "FC(F)(F)C(F)(F)F"),
        ("other halogens", "Clc1cc(Cl)c(Cl)cc1Cl", "Clc1cc(Cl)c(Cl)cc1F"),
        ("stereo centers", "CC(O)C(O)C(O)C(O)C(O)C=O", "CC(O)C(O)C=O"),
        ("undefined stereo centers", "CC(O)C(F)C(Cl)C", "C[C@H](O)[C@H](F)[C@H](Cl)C"),
        ("undefined double bonds", "CC=CC", "C/C=C/C"),
    ],
)
def test_each_rule_finds_its_example_and_spares_the_neighbor(rule: str, bad: str, good: str) -> None:
    assert rule in faults(bad)
    assert faults(bad)[rule].words
    assert rule not in faults(good)


def test_every_rule_that_can_be_broken_is_listed() -> None:
    listed = {*GRAPH_RULES, *SHAPE_RULES, *STEREO_RULES}
    assert len(listed) == 19
    for smiles in ("C1CC1C1CC1.[2H]C", "C[Si](C)C", "CC=CCCCCCCCCC"):
        assert set(faults(smiles)) <= listed


def test_bars_can_be_moved_and_elements_allowed() -> None:
    assert "stereo centers" not in faults("CC(O)C(O)C(O)C(O)C(O)C=O", Limits(stereo_centers=6))
    with_boron = Limits(elements=Limits().elements | {5})
    assert "element" in faults("CCB(CC)CC")
    assert "element" not in faults("CCB(CC)CC", with_boron)
    assert not list(plain_faults(Chem.MolFromSmiles("OB(O)c1ccccc1"), with_boron))


@pytest.mark.parametrize(
    ("smiles", "symbol"),
    [
        ("O=P(O)(O)OCC1OC(O)CC1", "P"),  # phosphate
        ("NCCCC(O)(P(=O)(O)O)P(=O)(O)O", "P"),  # bisphosphonate: alendronic acid
        ("CP(C)(=O)c1ccccc1N", "P"),  # phosphine oxide, as in brigatinib
        ("CC(C)OC(=O)C(C)NP(=O)(OC)Oc1ccccc1", "P"),  # phosphoramidate, as in sofosbuvir
        ("O=P1(N(CCCl)CCCl)NCCCO1", "P"),  # cyclophosphamide
        ("CNC(=O)CSP(=S)(OC)OC", "P"),  # thiophosphate
        ("CCCP(=O)(O)CC(N)=O", "P"),  # phosphinate
        ("CC(C)CC(NC(=O)CN)B(O)O", "B"),  # boronic acid, as in bortezomib
        ("OB1OCc2cc(F)ccc12", "B"),  # tavaborole
        ("CC1(C)OB(c2ccccc2)OC1(C)C", "B"),  # pinacol ester
        ("CB1OB(C)OB(C)O1", "B"),  # boroxine: the anhydride as which boronic acids lie in the flask
        ("CC(=O)Nc1c(I)cc(I)cc1I", "I"),
        ("O=c1[nH]c(=O)[nH]cc1I", "I"),
    ],
)
def test_forms_of_p_b_and_i_that_drugs_have_are_no_fault_unless_plain_elements_are_asked(
    smiles: str, symbol: str
) -> None:
    assert "element" not in faults(smiles)
    (plain,) = plain_faults(Chem.MolFromSmiles(smiles))
    assert (plain.rule, plain.subject) == ("element", symbol)


@pytest.mark.parametrize(
    ("smiles", "number"),
    [
        ("CP(C)c1ccccc1", 15),  # phosphine
        ("COP(OC)OC", 15),  # phosphite
        ("O=[PH](O)c1ccccc1", 15),  # hypophosphite-like: P-H reduces
        ("CP(C)(=O)Cl", 15),
        ("CP(=O)(O)P(=O)(O)O", 15),  # P-P
        ("C[P+](C)(C)c1ccccc1", 15),
        ("CN=P(N(C)C)(N(C)C)N(C)C", 15),  # phosphazene base
        ("CC=P(C)(C)C", 15),  # ylide
        ("c1ccpcc1", 15),
        ("CP(=O)(O)OCP", 15),  # one good and one bad
        ("COB(OC)OC", 5),  # borate: falls apart in water
        ("OB(c1ccccc1)c1ccccc1", 5),  # borinic acid
        ("CCB(CC)CC", 5),
        ("F[B-](F)(F)c1ccccc1", 5),
        ("CB(O)OO", 5),
        ("OB1NC=Cc2ccccc12", 5),
        ("CCCI", 53),
        ("IC=Cc1ccccc1", 53),
        ("O=C(O)c1ccccc1I=O", 53),
    ],
)
def test_other_forms_of_p_b_and_i_are_refused_by_the_name_of_the_form(smiles: str, number: int) -> None:
    fault = faults(smiles)["element"]
    assert fault.words == FORMS[number].refused
    allowed = Limits(elements=Limits().elements | {number})
    assert "element" not in faults(smiles, allowed)


def test_what_the_graph_refuses_is_not_named_twice_by_plain_elements() -> None:
    assert not list(plain_faults(Chem.MolFromSmiles("CP(C)c1ccccc1")))
    assert not list(plain_faults(Chem.MolFromSmiles("C[Si](C)(C)C")))


def test_many_atoms_of_one_element_are_all_looked_at() -> None:
    assert "element" not in faults("OP(=O)(O)" + "OP(=O)(O)" * 60 + "O")


def test_how_far_beyond_the_bar_is_told() -> None:
    assert faults("CCCCCCCCO")["chain"].excess == 2
    assert "8 CH2" in faults("CCCCCCCCO")["chain"].words
