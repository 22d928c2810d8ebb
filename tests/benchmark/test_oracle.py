from __future__ import annotations

import numpy as np
import pytest

from molgen.benchmark.oracle import TASKS, OracleScorer, Suite, sheet
from molgen.chem.molecule import Molecule
from molgen.core.errors import ConfigError, DataError, MoleculeError
from molgen.testing import check_scorer

GUACAMOL, PMO, OLD = Suite("guacamol"), Suite("pmo"), Suite("pmo", "0.3.6")


@pytest.mark.parametrize("task", ["osimertinib_mpo", "deco_hop", "isomers_c11h24"])
def test_oracles_keep_the_contract_of_a_scorer(task: str) -> None:
    check_scorer(OracleScorer(GUACAMOL, task))


@pytest.mark.parametrize(("suite", "task"), [(PMO, "median2"), (OLD, "sitagliptin_mpo")])
def test_oracles_of_pmo_keep_the_contract_of_a_scorer(suite: Suite, task: str) -> None:
    check_scorer(OracleScorer(suite, task))


def test_no_value_comes_with_words() -> None:
    scored = OracleScorer(OLD, "sitagliptin_mpo")(
        [Molecule("NCC(N)C(=O)O", "none"), Molecule("CCCCCC", "none")]
    )
    assert np.isnan(scored.values).tolist() == [True, False]
    assert scored.errors == {0: "the oracle is not defined for this molecule"}


def test_what_changes_the_numbers_changes_the_fingerprint() -> None:
    suites = [GUACAMOL, PMO, OLD, Suite("pmo", inverted_deco_hop=True)]
    prints = {suite.fingerprint(task) for suite in suites for task in ("deco_hop", "sitagliptin_mpo")}
    assert len(prints) == 8


def test_a_misspelled_task_names_the_likely_one() -> None:
    with pytest.raises(ConfigError, match=r"unknown task 'gsk3' of pmo; did you mean 'gsk3b'\?"):
        PMO.tasks(["gsk3"])


def test_tasks_come_in_the_order_of_the_suite() -> None:
    assert PMO.tasks(["qed", "deco_hop"]) == ["deco_hop", "qed"]
    assert PMO.tasks() == list(TASKS["pmo"])


def test_a_classifier_that_is_not_here_says_how_to_get_it(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("MOLGEN_DATA", str(tmp_path))
    with pytest.raises(DataError, match="molgen data fetch jnk3"):
        PMO.oracle("jnk3")


def test_a_sheet_has_a_column_per_task() -> None:
    table = sheet(["CCO", "c1ccccc1"], GUACAMOL, ["median1", "celecoxib_rediscovery"])
    assert list(table) == ["celecoxib_rediscovery", "median1"]
    assert all(column.shape == (2,) for column in table.values())
    with pytest.raises(MoleculeError):
        sheet(["no molecule"], GUACAMOL)


def test_the_order_in_which_oracles_run_does_not_matter() -> None:
    smiles = ["CC(=O)Nc1ccc(O)cc1", "CCOc1cc2ncnc(N)c2cc1"]
    names = [name for name in TASKS["pmo"] if name not in ("drd2", "gsk3b", "jnk3")]
    forwards = {name: sheet(smiles, PMO, [name])[name] for name in names}
    backwards = {name: sheet(smiles, PMO, [name])[name] for name in reversed(names)}
    together = sheet(smiles, PMO, names)
    for name in names:
        assert forwards[name].tolist() == backwards[name].tolist() == together[name].tolist(), name
