"""The mirror of a whole run: parameters, metrics, artifacts, and a model that samples through MLflow's own API."""

import json

import pytest

import molgen as mg
from molgen.run.mlflow_store import import_mlflow

pytestmark = [
    pytest.mark.slow,
    # MLflow about its own classes when mlflow.pyfunc is first imported
    pytest.mark.filterwarnings("ignore::UserWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::FutureWarning:mlflow"),
]

SETTINGS = {
    "kind": "optimize",
    "name": "mirrored",
    "objective": {"components": [{"use": "qed"}]},
    "batch_size": 16,
    "budget": {"molecules": 32},
    "output": {"n": 3},
}


def test_a_run_is_mirrored_and_its_model_samples_through_mlflow(tmp_path):
    result = mg.optimize(SETTINGS, tmp_path / "runs" / "a", quiet=True)
    mlflow = import_mlflow()
    uri = f"sqlite:///{tmp_path / 'runs' / 'mlflow.db'}"
    client = mlflow.MlflowClient(tracking_uri=uri)
    manifest = json.loads((result.path / "manifest.json").read_text())
    (run,) = client.search_runs([e.experiment_id for e in client.search_experiments()])
    assert run.info.status == "FINISHED"
    assert run.info.run_id in json.dumps(manifest)
    assert run.data.params["budget.molecules"] == "32"
    assert run.data.metrics["calls"] == 32
    names = {item.path for item in client.list_artifacts(run.info.run_id, "results")}
    assert {"results/report.html", "results/candidates.csv"} <= names
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        model = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/model")
        drawn = model.predict(None, params={"n": 4, "seed": 7})
        assert drawn["smiles"].tolist() == mg.sample(result.path / "model", 4, seed=7, quiet=True).smiles
    finally:
        mlflow.set_tracking_uri(before)
