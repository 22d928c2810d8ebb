"""The mirror in a real MLflow store: one run across resumes, idempotent replay, no structures sent away, no pickles."""

from __future__ import annotations

import socket
import textwrap
from pathlib import Path
from typing import Any

import pytest

from molgen.core.errors import RunError
from molgen.core.schema import TrackingConfig
from molgen.run import mlflow_tracker
from molgen.run.folder import RunFolder
from molgen.run.mlflow_run import MlflowRun
from molgen.run.mlflow_store import import_mlflow, open_store
from molgen.run.mlflow_tracker import MlflowTracker, replay

pytestmark = [
    # MLflow about its own classes when mlflow.pyfunc is first imported
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*noload.* loader strategy is deprecated"),
    pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning"),
]

PARAMS = {"seed": 1, "objective": {"components": [{"use": "similarity", "params": {"references": ["CCO"]}}]}}

TOY = """
    from pathlib import Path

    import mlflow
    import pandas as pd


    class Toy(mlflow.pyfunc.PythonModel):
        def load_context(self, context):
            self.text = Path(context.artifacts["model"], "weights").read_text()

        def predict(self, context, model_input: pd.DataFrame, params=None):
            return [self.text] * params["n"] + [params["seed"], params["temperature"]]


    mlflow.models.set_model(Toy())
"""


def step(tracker: MlflowTracker, run: RunFolder, number: int) -> None:
    values = {"mean_score": number / 10, "loss": float("nan") if number == 0 else 1.0}
    run.log_metrics(values, number)
    tracker.log_metrics(values, number)


def history(tracker: MlflowTracker, key: str) -> list[tuple[int, float]]:
    assert tracker._run is not None
    return [
        (metric.step, metric.value) for metric in tracker._run.client.get_metric_history(tracker.run_id, key)
    ]


def test_run_killed_and_resumed_is_one_mlflow_run_without_double_points(run: RunFolder, tmp_path: Path):
    first = MlflowTracker(TrackingConfig(), run)
    first.start(run, PARAMS)
    for number in range(5):
        step(first, run, number)
    # SIGKILL here: nothing is finished; the resumed process replays from step 3
    again = RunFolder.open(run.path)
    again.quiet = True
    (again.results / "candidates.csv").write_text("rank,smiles\n1,CCO\n")
    second = MlflowTracker(TrackingConfig(), again)
    second.start(again, PARAMS)
    assert second.run_id == first.run_id
    for number in range(3, 8):
        step(second, again, number)
    again.update_manifest(status="done")
    second.finish("done")

    assert history(second, "mean_score") == [(number, number / 10) for number in range(8)]
    assert [number for number, _ in history(second, "loss")] == list(range(1, 8))
    assert second._run is not None
    found = second._run.client.get_run(second.run_id)
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "a"
    assert found.data.params["objective.components.0.params.references"] == '["CCO"]'
    assert found.data.tags["molgen.run_uid"] == run.uid
    assert found.data.tags["molgen.folder"] == "a"
    root = tmp_path / "runs" / "mlruns" / "molgen" / str(second.run_id) / "artifacts"
    assert {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()} == {
        "run.yaml",
        "manifest.json",
        "log.txt",
        "results/candidates.csv",
    }
    assert list((tmp_path / "elsewhere").iterdir()) == []  # nothing in the working directory

    # ... and a replay of it adds nothing
    added = replay(again)
    assert (added["run_id"], added["params"], added["metrics"], added["artifacts"]) == (
        second.run_id,
        0,
        0,
        0,
    )


def test_replay_imports_a_run_that_was_never_tracked_and_only_once(run: RunFolder):
    for number in range(1200):
        run.metrics.append({"step": number, "time": 1.7e9 + number, "a": number, "b": None})
    run.log("hello")
    run.update_manifest(status="interrupted")
    first = replay(run)
    assert (first["params"], first["metrics"], first["artifacts"]) == (3, 1200, 3)
    assert replay(run) == {**first, "params": 0, "metrics": 0, "artifacts": 0}
    run.metrics.append({"step": 1200, "a": 1})  # it was resumed meanwhile
    run.log("more")
    third = replay(run)
    assert (third["run_id"], third["metrics"], third["artifacts"]) == (first["run_id"], 1, 1)
    client, _ = open_store(first["uri"], "molgen")
    found = client.get_run(first["run_id"])
    assert found.info.status == "KILLED"
    assert found.data.tags["molgen.status"] == "interrupted"
    assert client.get_metric_history(first["run_id"], "a")[7].timestamp == int((1.7e9 + 7) * 1000)


def test_moved_run_folder_is_found_again_by_its_uid(run: RunFolder, tmp_path: Path):
    first = replay(run)
    moved = run.path.rename(run.path.with_name("renamed"))
    assert replay(RunFolder.open(moved))["run_id"] == first["run_id"]


def test_remote_server_gets_no_structures_unasked(run: RunFolder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("molgen.run.mlflow_run.is_local", lambda uri: False)
    (run.results / "candidates.csv").write_text("CCO")
    (run.path / "scores.svg").write_text("<svg/>")
    tracker = MlflowTracker(TrackingConfig(), run)
    tracker.start(run, PARAMS)
    step(tracker, run, 1)
    tracker.log_artifact(run.results / "candidates.csv")
    tracker.log_artifact(run.path / "scores.svg", structures=False)
    tracker.log_model(run.path, run.path / "missing.py")
    tracker.finish("done")
    assert tracker._run is not None
    client = tracker._run.client
    found = client.get_run(tracker.run_id)
    assert "CCO" not in str(found.data.params)
    assert [item.path for item in client.list_artifacts(tracker.run_id)] == ["scores.svg"]
    assert "structures, results and models stay here" in (run.path / "log.txt").read_text()
    replay(run)
    assert [item.path for item in client.list_artifacts(tracker.run_id)] == ["scores.svg"]
    replay(run, config=TrackingConfig(log_structures=True))
    assert "results" in [item.path for item in client.list_artifacts(tracker.run_id)]


def test_model_is_logged_from_code_without_a_pickle(run: RunFolder, tmp_path: Path):
    model = tmp_path / "model"
    model.mkdir()
    (model / "weights").write_text("w")
    code = tmp_path / "toy_model.py"
    code.write_text(textwrap.dedent(TOY))
    tracker = MlflowTracker(TrackingConfig(), run)
    tracker.start(run, {})
    mlflow = import_mlflow()
    before = mlflow.get_tracking_uri()
    tracker.log_model(model, code, {"n": 2, "seed": 1, "temperature": 1.0})
    assert mlflow.get_tracking_uri() == before  # the user's notebook keeps its own
    assert mlflow.active_run() is None
    assert "failed" not in (run.path / "log.txt").read_text()

    root = tmp_path / "runs" / "mlruns" / "molgen" / str(tracker.run_id) / "artifacts" / "model"
    files = [path for path in root.rglob("*") if path.is_file()]
    assert {"MLmodel", "toy_model.py", "weights"} <= {path.name for path in files}
    assert not any(path.suffix in (".pkl", ".pickle", ".pt") for path in files)
    assert not any(path.read_bytes().startswith((b"\x80", b"PK")) for path in files)

    mlflow.set_tracking_uri(tracker.uri)
    try:
        loaded = mlflow.pyfunc.load_model(f"runs:/{tracker.run_id}/model")
        assert loaded.predict(None, params={"n": 3, "seed": 7}) == ["w", "w", "w", 7, 1.0]
        assert loaded.predict(None) == ["w", "w", 1, 1.0]
    finally:
        mlflow.set_tracking_uri(None)


def test_model_that_cannot_be_logged_is_said_and_the_rest_is_there(run: RunFolder, tmp_path: Path):
    code = tmp_path / "broken.py"
    code.write_text("raise RuntimeError('broken script')\n")
    tracker = MlflowTracker(TrackingConfig(), run)
    tracker.start(run, {})
    tracker.log_model(run.results, code)
    tracker.finish("done")
    text = (run.path / "log.txt").read_text()
    assert "broken script" in text
    assert "MLflow does not have the model" in text
    assert tracker._run is not None
    assert tracker._run.client.get_run(tracker.run_id).info.status == "FINISHED"


def test_points_whose_sending_failed_halfway_are_not_doubled(run: RunFolder, monkeypatch: pytest.MonkeyPatch):
    tracker = MlflowTracker(TrackingConfig(), run, clock=iter(range(0, 10**6, 1000)).__next__)
    tracker.start(run, {})
    assert tracker._run is not None
    client = tracker._run.client
    original = client.log_batch

    def written_but_not_confirmed(*args: Any, **kwargs: Any) -> None:
        original(*args, **kwargs)
        monkeypatch.undo()
        raise ConnectionError("timeout")

    monkeypatch.setattr(client, "log_batch", written_but_not_confirmed)
    tracker.log_metrics({"a": 1.0}, 1)
    tracker.log_metrics({"a": 2.0}, 2)
    assert history(tracker, "a") == [(1, 1.0), (2, 2.0)]


def test_long_values_and_many_parameters_fit_mlflow(run: RunFolder):
    tracker = MlflowTracker(TrackingConfig(), run)
    tracker.start(run, {f"key {number} (%)": "x" * 7000 for number in range(150)})
    assert tracker._run is not None
    params = tracker._run.client.get_run(tracker.run_id).data.params
    assert len(params) == 150
    assert params["key 0 ___"].endswith("... (cut, see run.yaml)")


def test_refused_parameters_do_not_keep_the_metrics_away(run: RunFolder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("molgen.run.mlflow_run._PARAM", 10_000)  # a server with lower limits than ours
    monkeypatch.setenv("MLFLOW_TRUNCATE_LONG_VALUES", "false")
    tracker = MlflowTracker(TrackingConfig(), run)
    tracker.start(run, {"key": "x" * 9000})
    tracker.log_metrics({"a": 1.0}, 1)
    assert "MLflow refuses the parameters" in (run.path / "log.txt").read_text()
    assert history(tracker, "a") == [(1, 1.0)]


def test_refused_connection_does_not_hold_up_the_run(run: RunFolder, monkeypatch: pytest.MonkeyPatch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    tries = 0
    original = MlflowRun.open

    def counted(*args: Any) -> MlflowRun:
        nonlocal tries
        tries += 1
        return original(*args)

    monkeypatch.setattr(mlflow_tracker.MlflowRun, "open", counted)
    tracker = MlflowTracker(TrackingConfig(), run)
    tracker.start(run, PARAMS)
    for number in range(50):
        step(tracker, run, number)
    tracker.finish("done")
    assert tries == 2  # at the start and at the end
    assert "molgen track" in (run.path / "log.txt").read_text()
    with pytest.raises(RunError, match=r"cannot mirror .* to MLflow at http://127"):
        replay(run)
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert replay(run)["metrics"] == 99  # all is in the run folder
