from __future__ import annotations

import json
from pathlib import Path

import pytest

from molgen.benchmark.oracle import Suite, sheet
from molgen.benchmark.parts import TARGETS
from molgen.cli import run
from molgen.core.errors import ConfigError, DataError
from molgen.workflows.benchmark import benchmark
from molgen.workflows.benchmark_so_far import so_far

PMO, GUACAMOL = Suite("pmo"), Suite("guacamol")


def made(out: Path, *tasks: str, seed: int = 1, budget: int = 36, suite: Suite = PMO) -> float:
    """A finished benchmark of one seed, where a queue puts it; the sum of its scores."""
    result = benchmark(
        suite, out / f"seed-{seed}", tasks=tasks, seed=seed, budget=budget, optimizer="random", model="moses",
        overrides=["batch_size=12", "output.n=1"], quiet=True,
    )  # fmt: skip
    return result.total


def cut(folder: Path, lines: int) -> None:
    """As a run is that was stopped."""
    ledger = folder / "ledger.jsonl"
    ledger.write_text("".join(ledger.read_text("utf-8").splitlines(keepends=True)[:lines]), "utf-8")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | {"status": "interrupted"}), "utf-8")


def test_what_is_finished_is_judged_as_by_the_benchmark_itself(tmp_path: Path) -> None:
    totals = [made(tmp_path, "median1", "qed", seed=seed) for seed in (1, 2)]
    board = so_far(PMO, tmp_path)
    assert [(run.result.task, run.seed) for run in board.runs] == [
        ("median1", 1), ("median1", 2), ("qed", 1), ("qed", 2),
    ]  # fmt: skip
    assert sum(run.result.score for run in board.runs) == pytest.approx(sum(totals))
    assert not board.unfinished
    assert "4 of 46 runs" in " ".join(board.notes())
    assert so_far(PMO, tmp_path / "seed-2").sums()["sum"] == pytest.approx(totals[1])
    assert [run.result.task for run in so_far(PMO, tmp_path / "seed-2" / "qed").runs] == ["qed"]
    assert {run.result.task for run in so_far(PMO, tmp_path, tasks=["qed"]).runs} == {"qed"}


def test_a_run_that_goes_on_has_a_lower_bound(tmp_path: Path) -> None:
    whole = made(tmp_path, "median1", budget=240)
    folder = tmp_path / "seed-1" / "median1"
    before = (folder / "ledger.jsonl").read_text("utf-8")
    bounds = []
    almost = len(before.splitlines()) - 8
    for lines, calls in ((140, 100), (almost, 200)):
        (folder / "ledger.jsonl").write_text(before, "utf-8")
        cut(folder, lines)
        board = so_far(PMO, tmp_path)
        assert board.unfinished == ["seed-1/median1"]
        assert "lower bound" in " ".join(board.notes())
        assert board.runs[0].result.calls == calls
        # later labels are in flight, or of steps to be told again
        assert board.runs[0].result.league.letter == "A"
        bounds.append(board.runs[0].result.score)
    assert 0 < bounds[0] <= bounds[1] <= whole
    cut(folder, 50)
    with pytest.raises(DataError, match="100 calls"):  # its curve has no point yet
        so_far(PMO, tmp_path)
    header, *rows = before.splitlines(keepends=True)
    (folder / "ledger.jsonl").write_text("".join([header, *rows[20:]]), "utf-8")
    assert so_far(PMO, tmp_path).runs[0].result.league.letter == "C"  # labels that were never counted


def test_a_run_of_one_suite_is_judged_by_the_other_where_the_function_is_the_same(tmp_path: Path) -> None:
    made(tmp_path, "median1", "qed")
    (judged,) = so_far(GUACAMOL, tmp_path).runs  # qed is PMO's alone
    assert judged.result.task == "median1"
    own = made(tmp_path / "own", "median1", suite=GUACAMOL)
    assert judged.result.score == pytest.approx(own)
    assert judged.result.league.letter == "A"
    with pytest.raises(DataError, match=r"TDC 0\.3\.6.*there are runs of PMO with the oracles of TDC 1"):
        so_far(Suite("pmo", "0.3.6"), tmp_path)


def test_eighteen_functions_are_the_same() -> None:
    common = [task for task in GUACAMOL.tasks() if task in PMO.tasks()]
    assert len(common) == 18
    ours, theirs = (sheet([*TARGETS.values()], suite, common) for suite in (PMO, GUACAMOL))
    for task in common:
        assert ours[task] == pytest.approx(theirs[task], abs=1e-12, nan_ok=True)


def test_what_cannot_be_judged_together_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no run of PMO"):
        so_far(PMO, tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        so_far(PMO, tmp_path / "none")
    with pytest.raises(ConfigError, match="did you mean 'median2'"):
        so_far(PMO, tmp_path, tasks=["median22"])
    made(tmp_path, "median1")
    made(tmp_path, "qed", budget=24)
    with pytest.raises(DataError, match=r"median1.*qed differ in budget"):
        so_far(PMO, tmp_path)


def test_the_command_prints_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made(tmp_path, "median1")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    assert run(["benchmark", "pmo", "-o", str(tmp_path), "--so-far"]) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[0].split() == ["task", "mean", "seeds", "calls", "diversity", "SA", "league"]
    assert run(["benchmark", "guacamol", "-o", str(tmp_path), "--so-far", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["task"] == "median1"
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
    assert run(["benchmark", "pmo", "-o", str(tmp_path), "--so-far", "--queue", "--set", "seed=3"]) == 2
    assert "leave out --queue, --set" in capsys.readouterr().err
