"""A run folder beside an empty MLflow store."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from molgen.run.folder import RunFolder
from molgen.run.mlflow_store import open_store

YAML = "seed: 1\nobjective:\n  components:\n    - use: similarity\n      params: {references: [CCO]}\n"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty store: making one takes seconds, copying it does not."""
    path = tmp_path_factory.mktemp("template") / "mlflow.db"
    open_store(f"sqlite:///{path}", "unused")
    return path


@pytest.fixture
def run(tmp_path: Path, template: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    (tmp_path / "runs").mkdir()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    shutil.copy(template, tmp_path / "runs" / "mlflow.db")
    folder = RunFolder.create(
        tmp_path / "runs" / "a", kind="optimize", config_text=YAML, manifest={"seed": 1}
    )
    folder.quiet = True
    return folder
