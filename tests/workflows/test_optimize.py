import csv
import math
import os
import signal

import pytest

import molgen as mg
from molgen.core.errors import ConfigError, Interrupted, RunError
from molgen.learn import store
from molgen.run.folder import RunFolder
from molgen.scoring.objective import Objective

SCORER = "def short(smiles, limit: int = 30):\n    return min(1.0, limit / max(1, len(smiles)))\n"


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text("id,smiles\nA-1,Cl.CC(=O)Nc1ccc(O)cc1\nA-2,CN1CCC[C@H]1c1cccnc1\n")
    (tmp_path / "my.py").write_text(SCORER)
    return {
        "kind": "optimize",
        "name": "small",
        "model": "druglike",
        "seeds": {"path": "mine.csv"},
        "objective": {
            "components": [
                {"use": "qed"},
                {"use": "my.py:short", "params": {"limit": 25}},
                {
                    "use": "mol_weight",
                    "role": "filter",
                    "transform": {"type": "step", "low": 150, "high": 500},
                },
            ]
        },
        "batch_size": 16,
        "optimizer": {"params": {"start": 24}},  # so that the default strategy comes to choosing
        "budget": {"molecules": 60},
        "output": {"n": 5},
        "checkpoint_every": 2,
        "tracking": {"mlflow": False},
    }


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_from_configuration_to_files(settings, tmp_path):
    result = mg.optimize(settings, tmp_path / "run", quiet=True)
    assert set(result.files) == {"csv", "sdf", "xlsx", "html"}
    table = rows(result.files["csv"])
    assert [int(row["rank"]) for row in table] == [1, 2, 3, 4, 5]
    scores = [float(row["score"]) for row in table]
    assert scores == sorted(scores, reverse=True)
    assert all(row["nearest_reference"] in ("A-1", "A-2") for row in table)
    assert not {"CC(=O)Nc1ccc(O)cc1", "CN1CCC[C@H]1c1cccnc1"} & {row["smiles"] for row in table}
    assert RunFolder.open(result.path).status == "done"
    assert (result.path / "code" / "my.py").read_text() == SCORER
    assert "mg-" in result._repr_html_()


def test_the_objective_is_built_once_and_the_compounds_are_read_once(settings, tmp_path, monkeypatch):
    import molgen.optimize.session as session
    import molgen.workflows.check as check

    built, read = [], []
    for module in (check, session):
        monkeypatch.setattr(
            module,
            "build_objective",
            lambda *a, of=module.build_objective, **k: built.append(1) or of(*a, **k),
        )
    monkeypatch.setattr(session, "read", lambda *a, of=session.read, **k: read.append(a) or of(*a, **k))
    mg.optimize(settings | {"budget": {"molecules": 16}}, tmp_path / "run", quiet=True)
    assert len(built) == len(read) == 1


def test_without_references_of_its_own_a_run_names_the_nearest_of_its_objective(settings, tmp_path):
    del settings["seeds"]
    known = {"paracetamol": "CC(=O)Nc1ccc(O)cc1", "nicotine": "CN1CCC[C@H]1c1cccnc1"}
    similarity = {
        "use": "similarity",
        "params": {"references": known},
        "role": "filter",
        "transform": {"type": "step", "high": 0.9},
    }
    settings["objective"]["components"].append(similarity)
    result = mg.optimize(settings, tmp_path / "run", quiet=True)
    assert {row["nearest_reference"] for row in rows(result.files["csv"])} <= set(known)
    assert "paracetamol" in result.files["html"].read_text()


def test_rescoring_the_delivered_file_gives_the_same_numbers(settings, tmp_path):
    result = mg.optimize(settings, tmp_path / "run", quiet=True)
    again = mg.score(result.files["csv"], result.path, quiet=True).to_frame()
    delivered = result.to_frame()
    for column in ("qed", "short", "mol_weight"):
        assert again[column].tolist() == delivered[column].tolist()
    assert again["total"].tolist() == delivered["score"].tolist()


def test_the_taught_model_is_kept_and_samples(settings, tmp_path):
    result = mg.optimize(settings, tmp_path / "run", quiet=True)
    drawn = mg.sample(result.path / "model", 5, quiet=True)
    assert len(drawn) == 5
    lineage = store.read_card(result.path / "model")["lineage"]
    assert len(lineage["weights_sha256"]) == 64
    assert lineage["run"]


def test_a_terminated_run_resumes_to_the_same_ledger(settings, tmp_path, monkeypatch):
    whole = mg.optimize(settings, tmp_path / "whole", quiet=True)
    score, calls = Objective.__call__, []

    def signalled(self, molecules, **options):
        calls.append(1)
        if len(calls) == 6:  # three of them are the trial of the check and the scoring of the seeds
            os.kill(os.getpid(), signal.SIGTERM)
        return score(self, molecules, **options)

    monkeypatch.setattr(Objective, "__call__", signalled)
    with pytest.raises(Interrupted) as caught:
        mg.optimize(settings, tmp_path / "parts", quiet=True, keep_partial=False)
    assert caught.value.exit_code == 75
    assert RunFolder.open(tmp_path / "parts").status == "interrupted"
    resumed = mg.resume(tmp_path / "parts", quiet=True)
    ledgers = [
        [{**row, "seconds": 0} for row in RunFolder.open(r.path).ledger.rows()] for r in (whole, resumed)
    ]
    assert ledgers[0] == ledgers[1]
    assert resumed.delivery.candidates == whole.delivery.candidates


def test_an_interrupted_cell_returns_what_there_is(settings, tmp_path, monkeypatch):
    score, calls = Objective.__call__, []

    def interrupted(self, molecules, **options):
        calls.append(1)
        if len(calls) == 5:
            os.kill(os.getpid(), signal.SIGINT)
        return score(self, molecules, **options)

    monkeypatch.setattr(Objective, "__call__", interrupted)
    result = mg.optimize(settings, tmp_path / "run", quiet=True)
    assert result.interrupted == "SIGINT"
    assert len(result.to_frame()) > 0
    assert "molgen resume" in result.caption()


def test_a_changed_scorer_is_not_mixed_into_an_old_run(settings, tmp_path):
    mg.optimize(settings, tmp_path / "run", quiet=True)
    (tmp_path / "my.py").write_text(SCORER.replace("1.0", "0.5"))
    with pytest.raises(ConfigError, match=r"not the one that this run was started with.*code"):
        mg.resume(tmp_path / "run")


def test_two_processes_cannot_work_on_one_run(settings, tmp_path):
    mg.optimize(settings, tmp_path / "run", quiet=True)
    with RunFolder.open(tmp_path / "run").lock(), pytest.raises(RunError, match=r"process|pid"):
        mg.resume(tmp_path / "run", quiet=True)


def test_too_few_passing_molecules_are_a_shortfall_that_is_said(settings, tmp_path):
    settings["output"]["min_score"] = 0.999
    result = mg.optimize(settings, tmp_path / "run", quiet=True)
    assert result.shortfall > 0
    assert (result.path / "results" / "report.html").exists()


def test_same_seed_same_candidates(settings, tmp_path):
    first, second = (mg.optimize(settings, tmp_path / name, quiet=True) for name in ("a", "b"))
    assert first.delivery.candidates == second.delivery.candidates


def test_evidence_of_a_scorer_is_in_all_files_of_a_run(settings, tmp_path):
    from molgen.core import config as configs
    from molgen.core.schema import OptimizeConfig
    from molgen.testing import ToyEvidence
    from molgen.workflows.optimize import start

    settings["objective"]["components"].append({"use": "toy"})
    loaded = configs.load(settings, OptimizeConfig)
    result = start(loaded, tmp_path / "run", quiet=True, handed_in={"toy": ToyEvidence()})
    table = rows(result.files["csv"])
    assert all(abs(float(row["toy"]) - 0.1 - float(row["toy_low"])) < 1e-5 for row in table)
    assert {row["toy_in_domain"] for row in table} <= {"yes", "no"}
    assert "<toy_nearest>" in result.files["sdf"].read_text()
    page = result.files["html"].read_text()
    assert page.count('aria-label="atoms by toy"') == 5
    for row in table:
        parts = [float(row[f"{name}_contribution"]) for name in ("qed", "short", "toy")]
        assert abs(sum(parts) - math.log(float(row["score"]))) < 1e-4
    assert "mol_weight_contribution" not in table[0]
