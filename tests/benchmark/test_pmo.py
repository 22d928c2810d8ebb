from __future__ import annotations

import math

import numpy as np
import pytest

from molgen.benchmark import pmo
from molgen.benchmark.features import Features
from molgen.benchmark.oracle import Suite, sheet

FIRST = "CC[NH2+]C(C)c1cc(F)ccc1OCOCC"  # the first row of the public sheets
FORMULAS = [name for name in pmo.TASKS if name not in pmo.CLASSIFIERS]


def same(ours: np.ndarray, theirs: np.ndarray) -> int:
    """Rows that agree in every bit of float32; no value agrees with no value."""
    rounded = ours.astype(np.float32)
    return int(((rounded == theirs) | (np.isnan(rounded) & np.isnan(theirs))).sum())


def test_there_are_the_23_tasks() -> None:
    assert len(pmo.TASKS) == len(set(pmo.TASKS)) == 23


@pytest.mark.parametrize("version", pmo.VERSIONS)
def test_formula_oracles_are_identical_to_the_public_sheet(version, sheets) -> None:
    table = sheets[version]
    ours = sheet(table["smiles"].tolist(), Suite("pmo", version, inverted_deco_hop=True), FORMULAS)
    wrong = {name: same(values, table[name]) for name, values in ours.items()}
    assert wrong == dict.fromkeys(FORMULAS, len(table["smiles"]))


def test_classifier_oracles_are_identical_to_the_public_sheet(sheets, fetched) -> None:
    table = sheets["1.1.14"]
    ours = sheet(table["smiles"].tolist(), Suite("pmo"), pmo.CLASSIFIERS)
    agree = {name: same(values, table[name]) for name, values in ours.items()}
    assert agree == dict.fromkeys(pmo.CLASSIFIERS, len(table["smiles"]))


def test_only_the_four_changed_oracles_differ_between_the_versions(sheets) -> None:
    old, new = sheets["0.3.6"], sheets["1.1.14"]
    differ = {name for name in pmo.TASKS if same(old[name].astype(float), new[name]) < len(new[name])}
    assert differ == set(pmo.CHANGED)


def test_deco_hop_is_not_the_inverted_one_of_the_sheets(sheets) -> None:
    """The sheets were made in a process in which scaffold_hop ran before: off by a quarter on every row."""
    table = sheets["1.1.14"]
    ours = sheet(table["smiles"][:50].tolist(), Suite("pmo"), ["deco_hop"])["deco_hop"]
    assert np.abs(ours - table["deco_hop"][:50]) == pytest.approx(0.25, abs=1e-6)


def test_scaffold_hop_run_before_does_not_invert_deco_hop() -> None:
    molecule = Features.parse(FIRST)
    alone = pmo.formula_oracle("deco_hop")(molecule)
    scaffold_hop, deco_hop = pmo.formula_oracle("scaffold_hop"), pmo.formula_oracle("deco_hop")
    before = scaffold_hop(molecule)
    assert deco_hop(molecule) == alone == pytest.approx(0.512219, abs=1e-6)
    assert scaffold_hop(molecule) == before
    assert pmo.formula_oracle("deco_hop", inverted_deco_hop=True)(molecule) == pytest.approx(
        0.762219, abs=1e-6
    )
    assert deco_hop(molecule) == alone


def test_deco_hop_alone_needs_no_scaffold_hop_before_it() -> None:
    """TDC's raised NameError the other way round; every order must work."""
    molecule = Features.parse(FIRST)
    for order in (["scaffold_hop", "deco_hop"], ["deco_hop", "scaffold_hop"]):
        values = [pmo.formula_oracle(name)(molecule) for name in order]
        assert sorted(values) == pytest.approx([0.351797, 0.512219], abs=1e-6)


def test_two_instances_of_an_oracle_share_nothing() -> None:
    one, other = pmo.formula_oracle("qed"), pmo.formula_oracle("qed")
    assert one is not other
    for name in ("median1", "sitagliptin_mpo", "deco_hop"):
        cells = [
            {id(cell.cell_contents) for cell in oracle.__closure__ or ()}
            for oracle in (pmo.formula_oracle(name), pmo.formula_oracle(name))
        ]
        assert cells[0]
        assert not cells[0] & cells[1], name


@pytest.mark.parametrize(
    ("task", "target"),
    [
        ("celecoxib_rediscovery", "Cc1ccc(-c2cc(C(F)(F)F)nn2-c2ccc(S(N)(=O)=O)cc2)cc1"),
        ("thiothixene_rediscovery", "CN(C)S(=O)(=O)c1ccc2Sc3ccccc3C(=CCCN4CCN(C)CC4)c2c1"),
        ("troglitazone_rediscovery", "Cc1c(C)c2OC(C)(COc3ccc(CC4SC(=O)NC4=O)cc3)CCc2c(C)c1O"),
        ("albuterol_similarity", "CC(C)(C)NCC(O)c1ccc(O)c(CO)c1"),
        ("mestranol_similarity", "COc1ccc2[C@H]3CC[C@@]4(C)[C@@H](CC[C@@]4(O)C#C)[C@@H]3CCc2c1"),
        ("isomers_c7h8n2o2", "CC(=O)Nc1cccc(O)n1"),
        ("isomers_c9h10n2o2pf2cl", "NC(=O)C(Cl)Nc1cc(F)c(P)c(F)c1CO"),
    ],
)
def test_what_a_task_looks_for_scores_one(task: str, target: str) -> None:
    if task == "isomers_c9h10n2o2pf2cl":
        assert Features.parse(target).atoms == {"C": 9, "H": 10, "Cl": 1, "F": 2, "N": 2, "O": 2, "P": 1}
    assert pmo.formula_oracle(task)(Features.parse(target)) == pytest.approx(1.0, abs=1e-12)


def test_the_old_atom_count_read_the_smiles_as_a_formula() -> None:
    """TDC 0.3.6 finds C, Cc1 and O2 in "CCc1ccccc1O2C": the ring closures count as atoms, aromatic ones do not."""
    ethane, propane = Features.parse("CC"), Features.parse("C3CC3")
    old, new = pmo.formula_oracle("isomers_c7h8n2o2", "0.3.6"), pmo.formula_oracle("isomers_c7h8n2o2")
    assert old(ethane) != new(ethane)
    # seven "atoms" in C3CC3 (3 + 1 + 3) where cyclopropane has nine
    bells = [(3, 7, 1), (6, 8, 1), (0, 2, 1), (0, 2, 1), (7, 19, 2)]
    expected = math.exp(sum(-0.5 * ((x - mu) / sigma) ** 2 for x, mu, sigma in bells) / 5)
    assert old(propane) == pytest.approx(expected, rel=1e-12)


def test_the_old_sitagliptin_oracle_has_no_value_below_logp_zero() -> None:
    polar = Features.parse("NCC(N)C(=O)O")
    assert math.isnan(pmo.formula_oracle("sitagliptin_mpo", "0.3.6")(polar))
    assert 0 <= pmo.formula_oracle("sitagliptin_mpo")(polar) <= 1


def test_stereo_is_kept_but_does_not_change_a_score() -> None:
    left, right = Features.parse("C[C@H](N)C(=O)O"), Features.parse("C[C@@H](N)C(=O)O")
    for name in FORMULAS:
        oracle = pmo.formula_oracle(name)
        assert oracle(left) == oracle(right), name


@pytest.mark.parametrize("smiles", ["C", "[Na+].[Cl-]", "[2H]C([2H])[2H]", "*CC*", "O=C=O", "F"])
def test_odd_molecules_have_a_score(smiles: str) -> None:
    molecule = Features.parse(smiles)
    for name in FORMULAS:
        assert 0 <= pmo.formula_oracle(name)(molecule) <= 1, name
