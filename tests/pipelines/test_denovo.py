"""The de novo job: runs, resumes, and is put back into the queue when Slurm stops it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import yaml

import molgen as mg

FOLDER = Path(__file__).parents[2] / "pipelines" / "denovo"

#: Asks the batch script, which is the parent, to stop, once, in the middle of scoring, and waits for it to happen.
STOPPING_SCORER = """
import os, signal
from pathlib import Path

def stopping(smiles, when: str):
    here = Path(__file__).parent
    if (when == "check" or (here / "run").exists()) and not (here / "stopped").exists():
        (here / "stopped").touch()
        os.kill(os.getppid(), signal.SIGTERM)
        signal.pause()
    return min(1.0, len(smiles) / 20)
"""


def small(model: Path) -> list[str]:
    changes = {
        "model": model,
        "budget": "{molecules: 24, steps: 12}",
        "output": "{n: 5}",
        "batch_size": 8,
        "tracking.mlflow": "false",
    }
    return [part for key, value in changes.items() for part in ("--set", f"{key}={value}")]


def test_the_recipe_passes_the_whole_check(tiny_model: Path) -> None:
    report = mg.check(FOLDER / "recipe.yaml", [f"model={tiny_model}"])
    assert report.kind == "optimize"
    assert len(report.trial) == 3


def test_it_prints_the_best_and_a_second_call_shows_them_again(
    script: Callable[[str], ModuleType],
    tiny_model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = script("denovo/run.py")
    arguments = [str(FOLDER / "recipe.yaml"), str(tmp_path / "run"), *small(tiny_model)]
    assert run.main(arguments) == 0
    first = capsys.readouterr().out
    assert first.splitlines()[0].split()[:3] == ["rank", "score", "qed"]
    assert f"5 candidates; report: {tmp_path / 'run' / 'results' / 'report.html'}" in first
    assert run.main(arguments) == 0
    assert capsys.readouterr().out == first


def test_fewer_than_asked_is_exit_code_4(
    script: Callable[[str], ModuleType], tiny_model: Path, tmp_path: Path
) -> None:
    changes = [*small(tiny_model), "--set", "output.n=24", "--set", "output.min_score=0.99"]
    assert script("denovo/run.py").main([str(FOLDER / "recipe.yaml"), str(tmp_path / "run"), *changes]) == 4


def test_a_mistake_is_reported_and_nothing_is_written(
    script: Callable[[str], ModuleType], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(FOLDER / "recipe.yaml"), str(tmp_path / "run"), "--set", "budget.molecule=5"]
    assert script("denovo/run.py").main(arguments) == 2
    assert "did you mean 'molecules'?" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def slurm(
    tmp_path: Path, state: str = "RUNNING"
) -> tuple[Callable[[], subprocess.CompletedProcess[str]], Path]:
    """Run the batch script with a stand-in for ``scontrol`` that writes down what it was asked."""
    asked, tools = tmp_path / "scontrol.log", tmp_path / "tools"
    tools.mkdir()
    stand_in = tools / "scontrol"
    stand_in.write_text(
        f'#!/bin/sh\necho "$@" >> "{asked}"\n[ "$1" = show ] && echo "JobId=7 JobState={state}"\nexit 0\n'
    )
    stand_in.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHON": sys.executable,
        "SLURM_JOB_ID": "7",
        "SLURM_SUBMIT_DIR": str(FOLDER),
    }

    def submit() -> subprocess.CompletedProcess[str]:
        command = ["bash", str(FOLDER / "slurm.sbatch"), str(tmp_path / "recipe.yaml"), str(tmp_path / "run")]
        return subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120
        )

    return submit, asked


def write_recipe(tmp_path: Path, model: Path, stop_in: str = "run") -> None:
    (tmp_path / "scores.py").write_text(STOPPING_SCORER)
    recipe = {
        "name": "stopped",
        "model": str(model),
        "objective": {
            "components": [{"use": "scores.py:stopping", "params": {"when": stop_in}}, {"use": "qed"}]
        },
        "batch_size": 8,
        "budget": {"molecules": 20, "steps": 12},
        "output": {"n": 3},
        "tracking": {"mlflow": False},
    }
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(recipe))


@pytest.mark.slow
@pytest.mark.parametrize(("stop_in", "code"), [("run", 75), ("check", 143)])
def test_a_stopped_job_is_requeued_and_goes_on(
    stop_in: str, code: int, tmp_path: Path, tiny_model: Path
) -> None:
    """Exit code 143: Slurm's signal came before there was anything to save."""
    write_recipe(tmp_path, tiny_model, stop_in)
    submit, asked = slurm(tmp_path)
    first = submit()
    assert first.returncode == code, first.stderr
    assert (tmp_path / "run" / "manifest.json").exists() == (code == 75)
    assert asked.read_text().splitlines() == ["show job 7", "requeue 7"]
    second = submit()
    assert second.returncode == 0, second.stderr
    assert "3 candidates" in second.stdout
    assert len(asked.read_text().splitlines()) == 2


@pytest.mark.slow
def test_a_cancelled_job_is_not_brought_back(tmp_path: Path, tiny_model: Path) -> None:
    write_recipe(tmp_path, tiny_model)
    submit, asked = slurm(tmp_path, state="CANCELLED")
    answer = submit()
    assert answer.returncode == 75, answer.stderr
    assert asked.read_text().splitlines() == ["show job 7"]
    assert "cancelled; go on with: sbatch slurm.sbatch" in answer.stdout
