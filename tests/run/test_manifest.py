"""The manifest: enough to repeat a run, nothing about the user."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from molgen.core.errors import DataError
from molgen.run import manifest as module
from molgen.run.manifest import collect, git_state


def test_manifest_has_what_a_repetition_needs_and_is_json(tmp_path: Path):
    data = tmp_path / "input.csv"
    data.write_bytes(b"smiles\nCC\n")
    model = tmp_path / "model"
    model.mkdir()
    (model / "weights").write_bytes(b"123")
    found = collect(
        7, {"seeds": data}, {"prior": model}, device="cpu", argv=["molgen", "optimize", "run.yaml"]
    )
    json.dumps(found, allow_nan=False)
    assert (found["format"], found["seed"], found["device"]) == (1, 7, "cpu")
    assert found["inputs"]["seeds"] == {
        "path": str(data),
        "sha256": hashlib.sha256(b"smiles\nCC\n").hexdigest(),
        "bytes": 10,
    }
    assert found["models"]["prior"]["bytes"] == 3
    assert found["argv"] == ["molgen", "optimize", "run.yaml"]
    assert found["packages"]["numpy"]
    assert found["cpus"] >= 1
    assert found["cpu"]
    assert collect()["uid"] != found["uid"]


def test_changed_model_changes_its_digest(tmp_path: Path):
    (tmp_path / "weights").write_bytes(b"123")
    before = collect(models={"prior": tmp_path})["models"]["prior"]["sha256"]
    (tmp_path / "weights").write_bytes(b"124")
    assert collect(models={"prior": tmp_path})["models"]["prior"]["sha256"] != before


def test_missing_input_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"seeds: cannot read .*gone\.csv: No such file"):
        collect(inputs={"seeds": tmp_path / "gone.csv"})


def test_home_folder_is_not_recorded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOME", "/home/jane.doe")
    found = collect(argv=["/home/jane.doe/.local/bin/molgen", "optimize", "/home/jane.doe/secret/run.yaml"])
    assert found["argv"] == ["~/.local/bin/molgen", "optimize", "~/secret/run.yaml"]


def test_slurm_job_is_recorded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "3")
    assert collect()["slurm"]["SLURM_ARRAY_TASK_ID"] == "3"


def git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True)


def test_dirty_checkout_keeps_its_diff(tmp_path: Path):
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("x = 1\n")
    git(tmp_path, "add", "a.py")
    git(tmp_path, "commit", "-q", "-m", "first")
    clean = git_state(tmp_path)
    assert clean is not None
    assert clean["dirty"] is False
    assert len(clean["commit"]) == 40
    (tmp_path / "a.py").write_text("x = 2\n")
    (tmp_path / "new.py").write_text("")
    dirty = git_state(tmp_path)
    assert dirty is not None
    assert dirty["dirty"] is True
    assert "+x = 2" in dirty["diff"]
    assert dirty["untracked"] == ["new.py"]


def test_installed_package_and_absent_git_are_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert git_state(tmp_path) is None
    (tmp_path / ".git").mkdir()
    assert git_state(tmp_path) is None  # no repository in it

    def absent(*args: object, **kwargs: object) -> None:
        raise FileNotFoundError("git")

    monkeypatch.setattr(module.subprocess, "run", absent)
    assert git_state(tmp_path) is None

    def slow(*args: object, **kwargs: object) -> None:
        raise subprocess.TimeoutExpired("git", 5)

    monkeypatch.setattr(module.subprocess, "run", slow)
    assert git_state(tmp_path) is None
