"""Which tracker, and what of a configuration is sent where; without MLflow itself."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from molgen.core.schema import TrackingConfig
from molgen.run import mlflow_tracker
from molgen.run.folder import RunFolder
from molgen.run.mlflow_run import clean_key, points
from molgen.run.mlflow_store import is_local, tracking_uri, without_password
from molgen.run.mlflow_tracker import MAX_RETRY_SECONDS, RETRY_SECONDS, MlflowTracker
from molgen.run.tracker import WITHHELD, NullTracker, flatten, open_tracker

CONFIG = {
    "seed": 1,
    "objective": {
        "aggregate": "geometric_mean",
        "components": [
            {"use": "similarity", "params": {"references": ["CCO"], "radius": 2}},
            {"use": "substructure", "params": {"smarts": "[OH]", "flag": True}},
        ],
    },
    "diversity": None,
}


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "runs" / "a", kind="optimize", config_text="seed: 1\n", manifest={})


def test_nested_configuration_becomes_dotted_keys():
    assert flatten(CONFIG) == {
        "seed": "1",
        "objective.aggregate": "geometric_mean",
        "objective.components.0.use": "similarity",
        "objective.components.0.params.references": '["CCO"]',
        "objective.components.0.params.radius": "2",
        "objective.components.1.use": "substructure",
        "objective.components.1.params.smarts": "[OH]",
        "objective.components.1.params.flag": "true",
        "diversity": "null",
    }


def test_empty_configuration_has_no_parameters():
    assert flatten({}) == {}
    assert flatten({"a": {}, "b": []}) == {"a": "{}", "b": "[]"}


def test_structures_in_parameters_are_withheld_from_a_remote_server():
    flat = flatten(CONFIG, share_text=False)
    assert flat["objective.components.0.params.references"] == WITHHELD
    assert flat["objective.components.1.params.smarts"] == WITHHELD
    assert flat["objective.components.0.params.radius"] == "2"
    assert flat["objective.components.0.use"] == "similarity"
    assert not any("CCO" in value or "OH" in value for value in flat.values())


def test_nan_and_texts_are_no_metric_points():
    found = points({"a": 0.5, "b": float("nan"), "c": "x", "d": None, "e (%)": 2}, 3, 1.5)
    assert [(point.key, point.value, point.time, point.step) for point in found] == [
        ("a", 0.5, 1500, 3),
        ("e ___", 2.0, 1500, 3),
    ]
    assert len(clean_key("x" * 999)) == 250


def test_store_is_beside_the_run_folder_wherever_the_process_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    assert tracking_uri(Path("runs/a")) == f"sqlite:///{tmp_path}/runs/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mine.db")
    assert tracking_uri(Path("runs/a")) == f"sqlite:///{tmp_path}/mine.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.org")
    assert tracking_uri(Path("runs/a")) == "https://mlflow.example.org"


@pytest.mark.parametrize(
    ("uri", "local"),
    [
        ("sqlite:////a/mlflow.db", True),
        ("file:///a/mlruns", True),
        ("/a/mlruns", True),
        ("./mlruns", True),
        ("http://127.0.0.1:5000", False),  # may be a tunnel
        ("https://mlflow.example.org", False),
        ("postgresql+psycopg2://db/x", False),
        ("databricks", False),
        ("s3://bucket/x", False),
        ("mlflow-artifacts:/1/2", False),
    ],
)
def test_what_counts_as_local(uri: str, local: bool):
    assert is_local(uri) is local


def test_passwords_are_not_written_down():
    assert without_password("https://jane:secret@mlflow.example.org/x") == "https://***@mlflow.example.org/x"
    assert without_password("https://mlflow.example.org/x") == "https://mlflow.example.org/x"


def test_no_tracker_where_none_is_wanted_or_mlflow_is_missing(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    tracker = open_tracker(TrackingConfig(mlflow=False), run)
    assert isinstance(tracker, NullTracker)
    tracker.start(run, {})
    tracker.log_metrics({"a": 1.0}, 1)
    tracker.log_artifact(run.config_path)
    tracker.log_model(run.path, "x.py")
    tracker.finish("done")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert isinstance(open_tracker(TrackingConfig(), run), NullTracker)
    assert "MLflow is not installed" in capsys.readouterr().err


class DeadServer:
    """Counts how often it is asked; `alive` makes it answer with a run that only remembers."""

    def __init__(self) -> None:
        self.asked = 0
        self.alive = False
        self.metrics: list[tuple[str, float, int]] = []
        self.local = True
        self.run_id = "r"
        self.record = {"run_id": "r"}
        self.status = ""

    def open(self, *args: object) -> DeadServer:
        self.asked += 1
        if not self.alive:
            raise ConnectionError("connection refused\nand a long story")
        return self

    def add_params(self, params: dict[str, str]) -> tuple[int, list[str]]:
        return len(params), ["seed"]

    def add_metrics(self, batch: list[Any]) -> int:
        if not self.alive:
            self.asked += 1
            raise ConnectionError("gone")
        self.metrics += [(point.key, point.value, point.step) for point in batch]
        return len(batch)

    def add_artifacts(self, files: Any) -> int:
        return len(list(files))

    def set_status(self, status: str) -> None:
        self.status = status


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> DeadServer:
    server = DeadServer()
    monkeypatch.setattr(mlflow_tracker, "MlflowRun", server)
    return server


def test_dead_server_is_asked_once_a_minute_and_gets_everything_when_it_is_back(
    run: RunFolder, server: DeadServer, capsys: pytest.CaptureFixture[str]
):
    now = 0.0
    tracker = MlflowTracker(TrackingConfig(), run, uri="http://127.0.0.1:1", clock=lambda: now)
    tracker.start(run, {"seed": 1})
    for step in range(100):
        tracker.log_metrics({"a": float(step)}, step)
    assert server.asked == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert (
        "MLflow at http://127.0.0.1:1 failed (connection refused); the run goes on, next try in 60 s" in said
    )

    now = RETRY_SECONDS + 1
    tracker.log_metrics({"a": 100.0}, 100)
    tracker.log_metrics({"a": 101.0}, 101)
    assert server.asked == 2
    assert "next try in 120 s" in capsys.readouterr().err

    now += 2 * RETRY_SECONDS + 1
    server.alive = True
    tracker.log_metrics({"a": 102.0}, 102)
    assert server.metrics == [("a", float(step), step) for step in range(103)]
    assert "MLflow answers again" in capsys.readouterr().err

    server.alive = False  # dies in the middle of the run
    for step in range(103, 110):
        tracker.log_metrics({"a": float(step)}, step)
    assert server.asked == 4
    server.alive = True
    tracker.finish("done")
    assert server.metrics[-1] == ("a", 109.0, 109)
    assert server.status == "done"


def test_server_that_stays_dead_costs_ever_fewer_tries_and_the_end_says_how_to_catch_up(
    run: RunFolder, server: DeadServer, capsys: pytest.CaptureFixture[str]
):
    now = 0.0
    tracker = MlflowTracker(TrackingConfig(), run, uri="http://x", clock=lambda: now)
    tracker.start(run, {})
    for step in range(10 * int(MAX_RETRY_SECONDS)):
        now += 1
        tracker.log_metrics({"a": 1.0}, step)
    assert server.asked <= 14
    tracker.finish("interrupted")
    assert f"send it later with: molgen track {run.path}" in capsys.readouterr().err


def test_changed_parameters_of_a_resumed_run_are_mentioned(
    run: RunFolder, server: DeadServer, capsys: pytest.CaptureFixture[str]
):
    server.alive = True
    MlflowTracker(TrackingConfig(), run, uri="sqlite:////x.db").start(run, {"seed": 2})
    assert "first value of changed parameters: seed" in capsys.readouterr().err
    assert RunFolder.open(run.path).manifest["mlflow"] == {"run_id": "r"}
