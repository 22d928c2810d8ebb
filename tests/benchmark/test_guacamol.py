from __future__ import annotations

import math

import pytest

from molgen.benchmark import guacamol, pmo
from molgen.benchmark.features import Features
from molgen.benchmark.oracle import TASKS
from molgen.benchmark.parts import TARGETS, target


def score(task: str, smiles: str) -> float:
    return guacamol.TASKS[task].build()(Features.parse(smiles))


def test_there_are_the_20_tasks_and_their_published_best_of_the_data_set() -> None:
    assert len(guacamol.TASKS) == 20
    assert sum(task.best_of_data for task in guacamol.TASKS.values()) == pytest.approx(12.144, abs=0.02)


def test_over_how_many_molecules_a_score_is_averaged() -> None:
    tops = {name: task.top for name, task in guacamol.TASKS.items()}
    assert tops.pop("isomers_c11h24") == (159,)
    assert tops.pop("isomers_c9h10n2o2pf2cl") == (250,)
    assert {tops.pop(f"{name}_rediscovery") for name in ("celecoxib", "troglitazone", "thiothixene")} == {
        (1,)
    }
    assert set(tops.values()) == {(1, 10, 100)}


@pytest.mark.parametrize(
    "task", [name for name in guacamol.TASKS if name.endswith(("_rediscovery", "_similarity"))]
)
def test_the_target_itself_scores_one(task: str) -> None:
    assert score(task, TARGETS[task.partition("_")[0]]) == 1.0


@pytest.mark.parametrize("smiles", ["CCCCCCCCCCC", "CC(CCC)CCCCCC", "CCCCC(CC(C)CC)C"])
def test_isomers_of_the_formula_score_one(smiles: str) -> None:
    assert score("isomers_c11h24", smiles) == 1.0


@pytest.mark.parametrize("smiles", ["CCCCCCCCCCCO", "CC(CCC)COCCCCC", "CCCCOC(CC(C)CC)C"])
def test_an_atom_too_many_costs_one_bell(smiles: str) -> None:
    """Published vector: C11H24O misses only the count of all atoms, by one (sigma 2)."""
    assert score("isomers_c11h24", smiles) == pytest.approx(math.exp(-1 / 8) ** (1 / 3), rel=1e-12)


@pytest.mark.parametrize(
    ("smiles", "carbon", "hydrogen"), [("CCCCCCCCCCCC", 1, 2), ("CCCCCCCCCC", 1, 2), ("C=CCCCCCCCCC", 0, 2)]
)
def test_another_formula_costs_a_bell_for_each_element(smiles: str, carbon: int, hydrogen: int) -> None:
    every = carbon + hydrogen
    expected = math.exp(-(carbon**2) / 2 - hydrogen**2 / 2 - every**2 / 8) ** (1 / 3)
    assert score("isomers_c11h24", smiles) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("task", "drug", "factors"),
    [
        # Every similarity is 1 for the drug itself; what is left are the other bells.
        ("perindopril_mpo", "perindopril", lambda m: [math.exp(-8)]),
        ("amlodipine_mpo", "amlodipine", lambda m: [math.exp(-2)]),
        ("fexofenadine_mpo", "fexofenadine", lambda m: [_rise(m.tpsa, 90, 10), _fall(m.logp, 4, 1)]),
        (
            "ranolazine_mpo",
            "ranolazine",
            lambda m: [_rise(m.logp, 7, 1), math.exp(-0.5), _rise(m.tpsa, 95, 20)],
        ),
        (
            "osimertinib_mpo",
            "osimertinib",
            lambda m: [_fall(1.0, 0.85, 0.1), _rise(m.tpsa, 100, 10), _fall(m.logp, 1, 1)],
        ),
        ("sitagliptin_mpo", "sitagliptin", lambda m: [math.exp(-50), 1.0, 1.0]),
    ],
)
def test_the_drug_of_a_task_gets_the_score_of_its_definition(task: str, drug: str, factors) -> None:
    molecule = target(drug)
    values = [1.0, *factors(molecule)]
    assert guacamol.TASKS[task].build()(molecule) == pytest.approx(
        math.prod(values) ** (1 / len(values)), rel=1e-9
    )


def _rise(x: float, mu: float, sigma: float) -> float:
    return math.exp(-0.5 * ((min(x, mu) - mu) / sigma) ** 2)


def _fall(x: float, mu: float, sigma: float) -> float:
    return math.exp(-0.5 * ((max(x, mu) - mu) / sigma) ** 2)


def test_the_quinazoline_of_the_hop_tasks() -> None:
    """Its own pharmacophore, one of the two decorations missing for none, its own scaffold."""
    assert score("deco_hop", TARGETS["quinazoline"]) == pytest.approx((1 + 0 + 0 + 1) / 4)
    assert score("scaffold_hop", TARGETS["quinazoline"]) == pytest.approx((1 + 1 + 0) / 3)


def test_valsartan_needs_its_substructure() -> None:
    assert score("valsartan_smarts", TARGETS["sitagliptin isomer"]) == 0.0
    assert score("valsartan_smarts", "CN(C=O)Cc1ccc(-c2ccccc2)cc1") > 0.0


def test_medians_are_best_between_their_two_molecules() -> None:
    assert 0 < score("median1", TARGETS["camphor"]) < 1
    assert score("median1", TARGETS["camphor"]) == pytest.approx(
        score("median1", TARGETS["menthol"]), rel=1e-12
    )


def test_guacamol_and_pmo_agree_where_they_mean_the_same_and_differ_in_no_more_than_the_mean() -> None:
    shared = [name for name in TASKS["guacamol"] if name in TASKS["pmo"]]
    assert len(shared) == 18
    for smiles in ("CC(=O)Nc1ccc(O)cc1", "CN(C=O)Cc1ccc(-c2ccccc2)cc1", TARGETS["osimertinib"]):
        molecule = Features.parse(smiles)
        for name in shared:
            ours, theirs = guacamol.TASKS[name].build()(molecule), pmo.formula_oracle(name)(molecule)
            assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-15), name
