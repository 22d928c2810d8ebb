"""The run folder: created whole, never over something else, written by one process, readable after any kill."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from molgen.core.errors import RunError, RunLockedError
from molgen.run import folder as module
from molgen.run.folder import RunFolder


def create(path: Path, **changes: object) -> RunFolder:
    arguments: dict = {
        "kind": "optimize",
        "config_text": "seed: 1\n",
        "manifest": {"seed": 1, "format": 7},
    } | changes
    return RunFolder.create(path, **arguments)


def test_new_folder_has_its_files_and_opens_again(tmp_path: Path):
    run = create(tmp_path / "runs" / "a")
    assert sorted(item.name for item in run.path.iterdir()) == [
        "checkpoints",
        "manifest.json",
        "results",
        "run.yaml",
    ]
    assert run.config_path.read_text() == "seed: 1\n"
    again = RunFolder.open(run.path)
    assert again.manifest == run.manifest
    assert (again.kind, again.status, again.name, again.manifest["format"]) == ("optimize", "created", "a", 1)
    assert len(again.uid) == 32


def test_existing_run_is_not_overwritten_unasked(tmp_path: Path):
    first = create(tmp_path / "a")
    with pytest.raises(RunError, match=r"already holds a run; continue it with: molgen resume .*--overwrite"):
        create(tmp_path / "a")
    assert RunFolder.open(tmp_path / "a").uid == first.uid


def test_overwrite_deletes_what_molgen_wrote_and_nothing_else(tmp_path: Path):
    first = create(tmp_path / "a")
    first.ledger.append({"id": 1})
    (first.results / "candidates.csv").write_text("x")
    (first.path / "my_notes.txt").write_text("keep me")
    second = create(tmp_path / "a", overwrite=True)
    assert second.uid != first.uid
    assert not second.ledger.path.exists()
    assert list(second.results.iterdir()) == []
    assert (second.path / "my_notes.txt").read_text() == "keep me"


@pytest.mark.parametrize("overwrite", [False, True])
def test_folder_of_somebody_else_is_never_used(tmp_path: Path, overwrite: bool):
    (tmp_path / "thesis.docx").write_text("x")
    (tmp_path / "results").mkdir()
    with pytest.raises(RunError, match=r"not empty and not a run folder \(it has results, thesis.docx\)"):
        create(tmp_path, overwrite=overwrite)
    assert (tmp_path / "thesis.docx").exists()
    assert not (tmp_path / "run.lock").exists()


def test_creation_that_was_cut_short_is_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def killed(path: Path, value: dict) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "write_json", killed)
    with pytest.raises(KeyboardInterrupt):
        create(tmp_path / "a")
    monkeypatch.undo()
    with pytest.raises(RunError, match=r"not a run folder: it has no manifest.json.*start it again"):
        RunFolder.open(tmp_path / "a")
    create(tmp_path / "a")


def test_run_in_use_is_not_overwritten(tmp_path: Path):
    run = create(tmp_path / "a")
    with run.lock(), pytest.raises(RunLockedError):
        create(tmp_path / "a", overwrite=True)
    assert RunFolder.open(tmp_path / "a").uid == run.uid


def test_output_that_is_a_file_or_below_one_is_refused(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="is a file, not a folder; choose another"):
        create(tmp_path / "file")
    with pytest.raises(RunError, match="is a file, not a folder; choose another"):
        create(tmp_path / "file" / "run")


def test_missing_folder_and_damaged_manifest_say_what_they_are(tmp_path: Path):
    with pytest.raises(RunError, match="there is no such folder"):
        RunFolder.open(tmp_path / "missing")
    run = create(tmp_path / "a")
    (run.path / "manifest.json").write_bytes(os.urandom(100))
    with pytest.raises(RunError, match=r"manifest\.json is damaged"):
        RunFolder.open(run.path)
    (run.path / "manifest.json").write_text(json.dumps({"format": 99}))
    with pytest.raises(RunError, match="newer molgen"):
        RunFolder.open(run.path)


def test_manifest_update_is_seen_by_others(tmp_path: Path):
    run = create(tmp_path / "a")
    run.update_manifest(status="running", mlflow={"run_id": "x"})
    other = RunFolder.open(run.path)
    assert (other.status, other.manifest["mlflow"], other.manifest["seed"]) == ("running", {"run_id": "x"}, 1)


def test_lock_reads_the_manifest_again_and_repairs_torn_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    run, other = create(tmp_path / "a"), RunFolder.open(tmp_path / "a")
    other.update_manifest(status="interrupted")
    run.ledger.append({"id": 1})
    with open(run.ledger.path, "ab") as file:
        file.write(b'{"id": 2, "sm')
    with run.lock():
        assert run.status == "interrupted"
        assert list(run.ledger.rows()) == [{"id": 1}]
    assert "ledger.jsonl: dropped 1 torn line" in capsys.readouterr().err
    assert "dropped 1 torn line" in (run.path / "log.txt").read_text()


def test_process_that_lost_its_lock_writes_nothing_more(tmp_path: Path):
    run = create(tmp_path / "a")
    with run.lock():
        (run.path / "run.lock").write_text("{}")  # another process took over while this one was suspended
        for write in (
            lambda: run.ledger.append({"id": 1}),
            lambda: run.log_metrics({"a": 1}, 1),
            lambda: run.update_manifest(status="done"),
            lambda: run.save_checkpoint(1, {}, {}),
        ):
            with pytest.raises(RunLockedError, match="taken over"):
                write()
    assert list(run.ledger.rows()) == []


def test_metrics_have_step_and_time_and_null_for_nan(tmp_path: Path):
    run = create(tmp_path / "a")
    run.log_metrics({"mean_score": 0.5, "loss": float("nan")}, step=3)
    (row,) = run.metrics.rows()
    assert row.pop("time") > 1.6e9
    assert row == {"step": 3, "mean_score": 0.5, "loss": None}


def test_log_goes_to_the_file_and_to_stderr_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    run = create(tmp_path / "a")
    run.log("first\nsecond")
    run.quiet = True
    run.log("third")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "first\nsecond\n")
    lines = (run.path / "log.txt").read_text().splitlines()
    assert [line.split("  ")[1] for line in lines] == ["first", "second", "third"]


def test_log_that_cannot_be_written_ends_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    run = create(tmp_path / "a")
    (run.path / "log.txt").mkdir()
    run.log("hello")
    run.quiet = True
    run.log("world")
    first, second, third = capsys.readouterr().err.splitlines()
    assert first == "hello"
    assert second.endswith("log.txt: Is a directory")
    assert third.endswith("log.txt: Is a directory; world")


def test_checkpoint_of_the_run_reports_damage_in_the_log(tmp_path: Path):
    run = create(tmp_path / "a")
    run.quiet = True
    run.save_checkpoint(0, {"x": np.ones(2)}, {"offset": 5})
    (run.save_checkpoint(10, {}, {}) / "state.json").write_text("")
    found = run.latest_checkpoint()
    assert found is not None
    assert (found.step, found.state["offset"]) == (0, 5)
    assert "step-0000000010 is damaged" in (run.path / "log.txt").read_text()


def test_resume_cuts_ledger_and_metrics_back_to_the_checkpoint_that_is_used(tmp_path: Path):
    run = create(tmp_path / "a")
    run.quiet = True
    assert run.resume() is None
    paths = []
    for step in range(1, 4):
        run.ledger.append({"id": step})
        run.log_metrics({"a": step}, step)
        paths.append(run.save_checkpoint(step, {}, {}))
    run.ledger.append({"id": 4})
    (paths[-1] / "state.json").write_text("")  # damaged: the one before it counts
    found = run.resume()
    assert found is not None
    assert found.step == 2
    assert [row["id"] for row in run.ledger.rows()] == [1, 2]
    assert [row["step"] for row in run.metrics.rows()] == [1, 2]


def test_resume_without_any_checkpoint_starts_from_an_empty_ledger(tmp_path: Path):
    run = create(tmp_path / "a")
    run.ledger.append({"id": 1})
    assert run.resume() is None
    assert list(run.ledger.rows()) == []


def test_metrics_lost_in_a_power_cut_do_not_stop_a_resume_but_a_lost_ledger_does(tmp_path: Path):
    run = create(tmp_path / "a")
    run.ledger.append({"id": 1})
    run.log_metrics({"a": 1}, 1)
    run.save_checkpoint(1, {}, {})
    run.metrics.path.unlink()
    assert run.resume() is not None
    run.ledger.path.unlink()
    with pytest.raises(RunError, match=r"ledger\.jsonl is missing, but the checkpoint"):
        run.resume()


WORK = """
    import sys
    from molgen.run.folder import RunFolder
    run = RunFolder.open(sys.argv[1])
    with run.lock():
        found = run.resume()
        step = found.step if found else 0
        for step in range(step + 1, 41):
            run.ledger.append_many([{"id": 3 * step + k, "text": "x" * 2000} for k in range(3)])
            if step % 4 == 0:
                run.save_checkpoint(step, {}, {})
            print(step, flush=True)
"""


def test_run_killed_at_random_points_ends_with_the_ledger_of_an_undisturbed_one(tmp_path: Path):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}

    def work(path: Path) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", textwrap.dedent(WORK), str(path)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)

    whole, killed = create(tmp_path / "whole"), create(tmp_path / "killed")
    whole_process = work(whole.path)
    whole_process.communicate(timeout=60)
    assert whole_process.returncode == 0
    dice = random.Random(5)
    for _ in range(3):
        process = work(killed.path)
        assert process.stdout is not None
        for _ in range(dice.randint(2, 9)):
            process.stdout.readline()
        process.kill()
        process.communicate(timeout=60)
        assert process.returncode < 0
    process = work(killed.path)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert killed.ledger.path.read_bytes() == whole.ledger.path.read_bytes()
