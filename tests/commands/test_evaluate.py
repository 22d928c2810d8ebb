from __future__ import annotations

import json
from pathlib import Path

import pytest

from molgen.cli import run

MOLECULES = [
    "CC(C)Cc1ccc(C(C)C(=O)O)cc1",
    "O=C(NCc1ccccc1)c1cccnc1",
    "broken(",
    "COc1ccccc1N1CCN(C(=O)c2ccco2)CC1",
    "CCN(CC)CCNC(=O)c1ccc(N)cc1",
    "Cc1ccc(S(=O)(=O)N2CCCCC2)cc1",
    "O=C(O)c1ccccc1Nc1cccc(C(F)(F)F)c1",
    "CN1CCN(c2ncccn2)CC1=O",
    "Fc1ccc(CNc2nc3ccccc3[nH]2)cc1",
    "COC(=O)C1CCN(Cc2cccs2)CC1",
    "O=C1CCC(=O)N1Cc1ccc(Cl)cc1",
    "CC(=O)Nc1nc(-c2ccccc2)cs1",
]


@pytest.fixture
def molecules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MOLGEN_DATA", str(tmp_path / "cache"))
    path = tmp_path / "list.csv"
    path.write_text("name,smiles\n" + "".join(f"m{i},{text}\n" for i, text in enumerate(MOLECULES)))
    return path


def test_a_list_of_another_tool_is_evaluated(
    molecules: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "report"
    assert run(["evaluate", str(molecules), "--suite", "audit", "--reference", "none", "-o", str(out)]) == 0
    shown = capsys.readouterr()
    assert "funnel: raw 12 -> parsed 11 -> unique 11" in shown.out
    assert "No verdict" in shown.out
    assert (out / "results" / "report.html").is_file()
    assert run(["evaluate", str(molecules), "--reference", "none", "-o", str(out), "-q"]) == 1
    assert "--overwrite" in capsys.readouterr().err


def test_json_is_data_on_standard_output(molecules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "evaluate",
        str(molecules),
        "--suite",
        "moses",
        "--reference",
        "none",
        "-n",
        "6",
        "--json",
        "-q",
    ]
    assert run(command) == 0
    content = json.loads(capsys.readouterr().out)
    assert (content["n_raw"], content["n_valid"]) == (6, 5)
    assert any("first 6 strings" in text for text in content["warnings"])


def test_mistakes_end_with_their_cure(molecules: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", str(molecules), "--suite", "mosses"]) == 2
    assert "did you mean 'moses'" in capsys.readouterr().err
    assert run(["evaluate", str(molecules), "--reference", "moses"]) == 3
    assert "molgen data fetch moses-test" in capsys.readouterr().err
    assert run(["evaluate", str(molecules), "--track"]) == 2
    assert "--output" in capsys.readouterr().err
    assert run(["evaluate", str(molecules.parent / "absent.csv")]) == 3


def test_an_evaluation_is_logged_to_mlflow_on_request(
    molecules: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from molgen.run.mlflow_store import import_mlflow

    uri = f"sqlite:///{tmp_path}/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    out = tmp_path / "tracked"
    command = ["evaluate", str(molecules), "--suite", "audit", "--reference", "none", "-o", str(out), "-q"]
    assert run([*command, "--track"]) == 0
    client = import_mlflow().MlflowClient(uri)
    experiment = client.get_experiment_by_name("molgen")
    (found,) = client.search_runs([experiment.experiment_id])
    assert found.data.tags["molgen.kind"] == "evaluate"
    assert any("gate" in name for name in found.data.metrics)
    names = {item.path for item in client.list_artifacts(found.info.run_id, "results")}
    assert {"results/report.html", "results/evaluation.json", "results/metrics.csv"} <= names
