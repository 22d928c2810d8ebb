"""Stores that refuse, are not there, or are made by several processes at once: the run goes on, or the cure is said."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from molgen.core.errors import RunError
from molgen.run.folder import RunFolder
from molgen.run.mlflow_store import open_store
from molgen.run.mlflow_tracker import replay

pytestmark = [
    # MLflow about its own classes when mlflow.pyfunc is first imported
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
    pytest.mark.filterwarnings("ignore:.*noload.* loader strategy is deprecated"),
    pytest.mark.filterwarnings("ignore:unclosed database:ResourceWarning"),
]


def test_folder_store_that_mlflow_no_longer_opens_is_explained(run: RunFolder, tmp_path: Path):
    with pytest.raises(RunError, match=r"mlflow migrate-filestore .*MLFLOW_ALLOW_FILE_STORE=true"):
        replay(run, uri=f"file://{tmp_path}/mlruns")


def test_deleted_experiment_is_explained(run: RunFolder):
    uri = replay(run)["uri"]
    client, experiment = open_store(uri, "molgen")
    client.delete_experiment(experiment)
    with pytest.raises(RunError, match=rf"mlflow experiments restore --experiment-id {experiment}"):
        replay(run)


START = """
    import sys
    from molgen.core.schema import TrackingConfig
    from molgen.run.folder import RunFolder
    from molgen.run.mlflow_tracker import MlflowTracker
    run = RunFolder.create(sys.argv[1], kind="optimize", config_text="seed: 1", manifest={})
    tracker = MlflowTracker(TrackingConfig(), run)
    tracker.start(run, {"seed": 1})
    tracker.log_metrics({"a": 1.0}, 1)
    tracker.finish("done")
    assert tracker.run_id, "not tracked"
"""


@pytest.mark.slow
def test_array_tasks_that_start_at_once_all_get_into_one_new_store(tmp_path: Path):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(START), str(tmp_path / f"task_{number}")],
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for number in range(3)
    ]
    said = [process.communicate(timeout=180)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert not any("failed" in text for text in said), said
    client, experiment = open_store(f"sqlite:///{tmp_path}/mlflow.db", "molgen")
    assert {run.info.run_name for run in client.search_runs([experiment])} == {"task_0", "task_1", "task_2"}
