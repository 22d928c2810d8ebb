"""Ranking again: other weights and choices for a scored file and for a run, without computing a value."""

import csv
from pathlib import Path

import pytest

from molgen.core import config as configs
from molgen.core.errors import ConfigError, DataError, RunError
from molgen.core.schema import OptimizeConfig
from molgen.optimize.memory import Entry
from molgen.run.folder import RunFolder
from molgen.workflows.ranking import rank

HEADER = "id,smiles,total,passed,reason,"
SCORED = """a,a_desirability,a_contribution,b,b_desirability,b_contribution,f,f_desirability,assay
M1,CCCCCC,0.3,True,,9,0.9,0,1,0.1,0,1,1,7.5
M2,c1ccccc1CCN,0.8,True,,8,0.8,0,8,0.8,0,1,1,
M3,c1ccncc1,0.3,True,,1,0.1,0,9,0.95,0,1,1,6
M4,CCCCO,0,False,filter f: no,9,0.9,,9,0.9,,0,0,5
M5,CCCCCC,0.3,True,,9,0.9,0,1,0.1,0,1,1,7.7
bad,not a molecule,,,,,,,,,,,,
"""


@pytest.fixture
def scored(tmp_path):
    (tmp_path / "scored.csv").write_text(HEADER + SCORED)
    return tmp_path / "scored.csv"


def ids(result):
    return [row["id"] for row in result.delivery.candidates]


def test_weights_change_the_order_and_everything_else_stays(scored):
    result = rank(scored, output={"n": 3}, weights={"a": 5}, quiet=True)
    assert ids(result) == ["M2", "M1", "M3"]
    assert result.shortfall == 0
    with result.files["csv"].open(newline="") as file:
        table = list(csv.DictReader(file))
    assert float(table[1]["score"]) == pytest.approx((0.9**5 * 0.1) ** (1 / 6), rel=1e-5)
    assert [row["assay"] for row in table] == ["", "7.5", "6"], "columns of the file travel along"
    assert result.path == scored.with_name("scored-ranked")
    page = result.files["html"].read_text()
    assert "nothing was scored again" in page
    assert "1 rows could not be used" in page
    losses = result.delivery.losses
    assert losses["filter f"] == 1
    assert losses["duplicate"] == 1


def test_a_weight_of_zero_takes_a_component_out_of_the_mean_and_keeps_its_column(scored, tmp_path):
    result = rank(scored, tmp_path / "out", weights={"b": 0}, output={"n": 2}, quiet=True)
    assert ids(result) == ["M1", "M2"]
    first = result.delivery.candidates[0]
    assert first["score"] == pytest.approx(0.9)
    assert first["b"] == 1
    assert "b_contribution" not in first


def test_fronts_and_another_mean(scored, tmp_path):
    result = rank(
        scored,
        tmp_path / "out",
        aggregate="arithmetic_mean",
        output={"ranking": "pareto", "n": 9},
        quiet=True,
    )
    assert [row["front"] for row in result.delivery.candidates] == [1, 1, 1]
    assert ids(result)[2] == "M2", "the ends of the front come first"
    assert result.shortfall == 6
    best = result.delivery.candidates[2]
    assert best["a_contribution"] + best["b_contribution"] == pytest.approx(best["score"]) == 0.8


def test_another_objective_uses_values_that_are_there(scored, tmp_path):
    objective = {"components": [
        {"use": "b", "name": "b", "transform": {"type": "linear", "low": 0, "high": 10}},
        {"use": "assay", "role": "filter", "transform": {"type": "step", "high": 7}},
    ]}  # fmt: skip
    result = rank(scored, tmp_path / "out", objective=objective, output={"n": 2}, evidence=False, quiet=True)
    assert ids(result) == ["M3", "M4"], "the filter of the file is not one of this objective"
    with pytest.raises(ConfigError, match=r"no values of 'bb'.*ranking computes none"):
        rank(scored, tmp_path / "out2", objective={"components": [{"use": "bb"}]}, quiet=True)


def test_mistakes_are_told_before_anything_is_written(scored, tmp_path):
    with pytest.raises(ConfigError, match="no component of role score; did you mean"):
        rank(scored, tmp_path / "x", weights={"aa": 1}, quiet=True)
    with pytest.raises(ConfigError, match="no component is left"):
        rank(scored, tmp_path / "x", weights={"a": 0, "b": 0}, quiet=True)
    with pytest.raises(ConfigError, match="ranking"):
        rank(scored, tmp_path / "x", output={"ranking": "paretto"}, quiet=True)
    (tmp_path / "plain.csv").write_text("smiles\nCCO\n")
    with pytest.raises(DataError, match="score it first"):
        rank(tmp_path / "plain.csv", tmp_path / "x", quiet=True)
    assert not (tmp_path / "x").exists()
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "mine.txt").write_text("keep")
    with pytest.raises(RunError, match="--overwrite"):
        rank(scored, tmp_path / "x", quiet=True)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A finished run of three molecules, as a search leaves it."""
    settings = {
        "name": "old",
        "objective": {"components": [
            {"use": "qed"},
            {"use": "logp", "transform": {"type": "linear", "low": 0, "high": 4}},
            {"use": "mol_weight", "role": "filter", "transform": {"type": "step", "high": 500}},
            {"use": "similarity", "role": "penalty", "on_missing": "ignore",
             "params": {"references": {"known": "OCC"}}},
        ]},
        "output": {"n": 2, "stereoisomers": 4},
    }  # fmt: skip
    config = configs.load(settings, OptimizeConfig).config
    folder = RunFolder.create(
        tmp_path / "run",
        kind="optimize",
        config_text=configs.dump(config),
        manifest={"base_dir": str(tmp_path)},
    )
    folder.quiet = True
    smiles = ["CC(N)c1ccccc1", "CC(C)Cc1ccc(cc1)C(C)C(=O)O", "CCO"]
    entries = [
        Entry(
            k, 1, "reinforce", (), text, text, "scored", 0.5, 0.5,
            values={"qed": 0.5, "logp": 1.0 + k, "mol_weight": 100.0},
            desirability={"qed": 0.9 - 0.3 * k, "logp": 0.25 + 0.25 * k, "mol_weight": 1.0}, scaffold="c1ccccc1",
        )
        for k, text in enumerate(smiles)
    ]  # fmt: skip
    heavy = Entry(
        3, 1, "reinforce", (), "CCCCO", "CCCCO", "filtered", 0.0, 0.0,
        values={"qed": float("nan"), "logp": float("nan"), "mol_weight": 900.0},
        desirability={"qed": float("nan"), "logp": float("nan"), "mol_weight": 0.0}, reason="filter mol_weight: 900",
    )  # fmt: skip
    with folder.lock():
        folder.ledger.append_many([entry.to_row() for entry in [*entries, heavy]])
        folder.update_manifest(status="done")
    return folder


def test_a_run_is_ranked_from_its_ledger_with_its_own_settings(run):
    before = (run.path / "ledger.jsonl").read_bytes()
    result = rank(run.path, weights={"qed": 9}, quiet=True)
    assert ids(result) == ["mg-0", "mg-1"]
    result = rank(run.path, weights={"logp": 9}, overwrite=True, quiet=True)
    assert ids(result) == ["mg-1", "mg-0"]
    assert result.delivery.losses["not delivered: one of your compounds"] == 1, (
        "what the objective compares with"
    )
    assert {row["nearest_reference"] for row in result.delivery.candidates} == {"known"}
    assert result.path == run.path / "ranked"
    assert result.delivery.losses["filter mol_weight"] == 1
    assert result.delivery.components[1]["transform"]["type"] == "linear"
    assert (run.path / "ledger.jsonl").read_bytes() == before
    with (result.path / "stereoisomers.csv").open(newline="") as file:
        isomers = list(csv.DictReader(file))
    assert [row["molecule"] for row in isomers] == ["mg-1", "mg-1", "mg-0", "mg-0"]
    assert isomers[0]["id"] == "mg-1-1"
    assert all("@" in row["smiles"] and row["isomers_possible"] == "2" for row in isomers)
