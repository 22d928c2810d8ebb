from __future__ import annotations

import json
from pathlib import Path

import pytest

from molgen.benchmark.oracle import Suite
from molgen.cli import run
from molgen.core.errors import ConfigError, Interrupted, RunError, RunLockedError
from molgen.run.interrupt import Stop
from molgen.run.lock import RunLock
from molgen.workflows import benchmark_queue
from molgen.workflows.benchmark import benchmark
from molgen.workflows.benchmark_queue import queue

SUITE = Suite("pmo")
SMALL = {"optimizer": "random", "model": "moses", "budget": 24, "quiet": True}
SHORT = ["batch_size=12", "output.n=1"]


class Here:
    """A "process" that does its work in this one, when it is made."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        at = {name: arguments[i + 1] for i, name in enumerate(arguments) if name.startswith("-")}
        self.ended = False
        benchmark(
            SUITE, Path(at["-o"]), tasks=[at["--task"]], seed=int(at["--seed"]), overrides=SHORT, **SMALL
        )

    def poll(self) -> int:
        return 0

    def terminate(self) -> None:
        self.ended = True

    def wait(self) -> int:
        return 0


class Broken(Here):
    """Leaves nothing behind."""

    def __init__(self, arguments: list[str], log: Path) -> None:
        log.write_text("out of memory", "utf-8")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark_queue, "_LOOK", 0.0)


def small(out: Path, tasks=("median1", "valsartan_smarts"), seeds=(1, 2), **options):
    return queue(SUITE, out, tasks=tasks, seeds=seeds, overrides=SHORT, **{"spawn": Here, **SMALL, **options})


def test_the_board_has_means_over_the_seeds_and_sums(tmp_path: Path) -> None:
    board = small(tmp_path / "q")
    assert [(run.seed, run.result.task) for run in board.runs] == [
        (1, "median1"),
        (1, "valsartan_smarts"),
        (2, "median1"),
        (2, "valsartan_smarts"),
    ]
    row = board.rows()[0]
    scores = [run.result.score for run in board.runs if run.result.task == "median1"]
    assert row["mean"] == pytest.approx(sum(scores) / 2)
    assert row["sd"] == pytest.approx(abs(scores[0] - scores[1]) / 2**0.5)
    assert 0.5 < row["diversity"] < 1
    assert 1 < row["sa_score"] < 6
    assert row["league"] == "A"
    sums = board.sums()
    assert sums["whole_seeds"] == 2
    assert sums["sum_without_valsartan"] == pytest.approx(row["mean"])
    stored = json.loads((tmp_path / "q" / "results.json").read_text("utf-8"))
    assert stored["missing"] == []
    assert len(stored["runs"]) == 4
    assert (tmp_path / "q" / "results.csv").read_text("utf-8").startswith("task,mean,sd,seeds,")
    assert [line["task"] for line in board.table()][-1] == "sum without valsartan"


def test_a_queue_that_was_cut_goes_on_and_pays_for_nothing_twice(tmp_path: Path) -> None:
    whole = small(tmp_path / "whole", ["median1"])
    started = []

    class Cut(Here):
        def __init__(self, arguments: list[str], log: Path) -> None:
            started.append(log.name)
            if len(started) == 2:
                raise Interrupted("SIGTERM")
            super().__init__(arguments, log)

    with pytest.raises(Interrupted):
        small(tmp_path / "cut", ["median1"], spawn=Cut)
    table = json.loads((tmp_path / "cut" / "results.json").read_text("utf-8"))
    assert table["missing"] == ["seed-2/median1"]
    again = small(tmp_path / "cut", ["median1"], spawn=Cut)
    assert started == ["seed-1-median1.log", "seed-2-median1.log", "seed-2-median1.log"]
    assert again.rows() == whole.rows()


def test_a_signal_ends_the_processes_and_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Here] = []
    stops: list[Stop] = []
    init = Stop.__init__

    def remember(self: Stop) -> None:
        init(self)
        stops.append(self)

    monkeypatch.setattr(Stop, "__init__", remember)

    class Slow(Here):
        def __init__(self, arguments: list[str], log: Path) -> None:
            self.ended = False
            made.append(self)
            if len(made) == 2:
                stops[0].request("SIGTERM")

        def poll(self) -> None:  # type: ignore[override]
            return None

    with pytest.raises(Interrupted, match="the same command"):
        small(tmp_path / "q", workers=2, spawn=Slow)
    assert [job.ended for job in made] == [True, True]


def test_a_run_that_fails_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    def spawn(arguments: list[str], log: Path) -> Here:
        return (Broken if "seed-1-median1" in log.name else Here)(arguments, log)

    with pytest.raises(RunError, match=r"seed-1/median1.*seed-1-median1\.log"):
        small(tmp_path / "q", ["median1"], spawn=spawn)
    table = json.loads((tmp_path / "q" / "results.json").read_text("utf-8"))
    assert [run["seed"] for run in table["runs"]] == [2]
    assert table["failed"] == ["seed-1/median1"]
    assert len(small(tmp_path / "q", ["median1"]).runs) == 2


def test_two_queues_do_not_share_a_folder_and_settings_do_not_mix(tmp_path: Path) -> None:
    small(tmp_path / "q", ["median1"], seeds=[1])
    with pytest.raises(ConfigError, match="other settings"):
        small(tmp_path / "q", ["median1"], seeds=[1], budget=25)
    with RunLock(tmp_path / "q" / "queue.lock"), pytest.raises(RunLockedError):
        small(tmp_path / "q", ["median1"])


def test_the_command_starts_a_process_for_each_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(benchmark_queue, "_spawn", Here)
    command = ["benchmark", "pmo", "--queue", "--seeds", "3", "--task", "median1", "--budget", "24", "-o"]
    command += [str(tmp_path / "q"), "--optimizer", "random", "--model", "moses", "--set", SHORT[0]]
    assert run([*command, "--set", SHORT[1], "--quiet", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["seed_3"] > 0
    assert run([*command, "--seeds", "one"]) == 2
    assert run([*command, "--overwrite"]) == 2


def test_what_a_process_is_told(tmp_path: Path) -> None:
    """The arguments are a command that `molgen` understands."""
    told: list[list[str]] = []

    def spawn(arguments: list[str], log: Path) -> Here:
        told.append(arguments)
        return Here(arguments, log)

    small(tmp_path / "q", ["median1"], seeds=[5], spawn=spawn)
    assert run([*told[0], "--quiet"]) == 0
