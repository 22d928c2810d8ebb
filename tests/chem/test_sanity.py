from __future__ import annotations

import pytest
from rdkit import Chem

from molgen.chem.sanity import (
    GRAPH_RULES,
    SHAPE_RULES,
    STEREO_RULES,
    Fault,
    Limits,
    graph_faults,
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
    assert "element" in faults("OB(O)c1ccccc1")
    assert "element" not in faults("OB(O)c1ccccc1", with_boron)


def test_how_far_beyond_the_bar_is_told() -> None:
    assert faults("CCCCCCCCO")["chain"].excess == 2
    assert "8 CH2" in faults("CCCCCCCCO")["chain"].words
