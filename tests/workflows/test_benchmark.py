from __future__ import annotations

import json
from pathlib import Path

import pytest

import molgen as mg
from molgen.benchmark.oracle import OracleScorer, Suite
from molgen.cli import run
from molgen.core.errors import ConfigError, DataError, Interrupted, ModelError
from molgen.optimize.memory import TIMES
from molgen.run.folder import RunFolder
from molgen.run.interrupt import Stop
from molgen.workflows import optimize as workflow
from molgen.workflows.benchmark import benchmark, read_task

SUITE = Suite("pmo")


def small(out: Path, *tasks: str, suite: Suite = SUITE, **options):
    defaults = {
        "optimizer": "random",
        "model": "moses",
        "budget": 40,
        "overrides": ["batch_size=16", "output.n=1"],
        "quiet": True,
    }
    return benchmark(suite, out, tasks=tasks, **(defaults | options))


def ledger(path: Path) -> list[dict]:
    rows = RunFolder.open(path).ledger.rows()
    return [{key: value for key, value in row.items() if key not in TIMES} for row in rows]


def test_each_task_is_a_run_and_the_table_has_the_sums(tmp_path: Path) -> None:
    result = small(tmp_path / "b", "median1", "valsartan_smarts")
    assert [row.task for row in result.tasks] == ["median1", "valsartan_smarts"]
    assert all(row.calls == 40 and row.league.letter == "A" for row in result.tasks)
    rows = ledger(tmp_path / "b" / "median1")
    scored = [row for row in rows if row["status"] == "scored"]
    assert len(scored) == len({row["smiles"] for row in scored}) == 40
    best = sorted((row["values"]["median1"] for row in scored), reverse=True)
    assert result.tasks[0].top10 == pytest.approx(sum(best[:10]) / 10)
    assert result.tasks[0].invalid == sum(row["status"] == "invalid" for row in rows)
    assert 0 < result.tasks[0].auc_top10 < result.tasks[0].top10
    assert result.total == sum(row.auc_top10 for row in result.tasks)
    assert result.total_without_lottery == result.tasks[0].auc_top10
    stored = json.loads((tmp_path / "b" / "results.json").read_text("utf-8"))
    assert stored["sum"] == result.total
    assert (tmp_path / "b" / "results.csv").read_text("utf-8").count("\n") == 3
    words = " ".join(result.notes())
    assert "2 of 23 tasks" in words
    assert "League A" in words
    assert [row["task"] for row in result.table()][-2:] == ["sum of 2", "sum without valsartan"]


def test_the_result_of_a_task_does_not_depend_on_the_tasks_before_it(tmp_path: Path) -> None:
    together = small(tmp_path / "both", "deco_hop", "scaffold_hop").tasks
    alone = [small(tmp_path / name, name).tasks[0] for name in ("scaffold_hop", "deco_hop")]
    assert together == alone[::-1]


def test_a_second_seed_starts_from_nothing(tmp_path: Path) -> None:
    """PMO's runs in one process shared their buffer."""
    first = small(tmp_path / "1", "median1", seed=1).tasks[0]
    second = small(tmp_path / "2", "median1", seed=2).tasks[0]
    again = small(tmp_path / "3", "median1", seed=1).tasks[0]
    assert first == again != second
    assert second.calls == 40


def test_an_interrupted_benchmark_goes_on_with_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = small(tmp_path / "whole", "median1", "perindopril_mpo")
    calls, stops = [], []
    score, init = OracleScorer.__call__, Stop.__init__

    def remember(self: Stop) -> None:
        init(self)
        stops.append(self)

    def stop_at_the_fifth(self: OracleScorer, mols):
        calls.append(self.name)
        if len(calls) == 5:
            stops[-1].request("SIGTERM")
        return score(self, mols)

    monkeypatch.setattr(Stop, "__init__", remember)
    monkeypatch.setattr(OracleScorer, "__call__", stop_at_the_fifth)
    with pytest.raises(Interrupted, match="the same command") as stopped:
        small(tmp_path / "cut", "median1", "perindopril_mpo")
    assert stopped.value.exit_code == 75
    assert "1 of 2 tasks are done, their table is" in str(stopped.value)
    assert RunFolder.open(tmp_path / "cut" / "median1").status == "done"
    assert RunFolder.open(tmp_path / "cut" / "perindopril_mpo").status == "interrupted"
    table = json.loads((tmp_path / "cut" / "results.json").read_text("utf-8"))
    assert [row["task"] for row in table["tasks"]] == ["median1"]  # kept, though the benchmark was cut
    assert table["missing"] == ["perindopril_mpo"]
    before = len(calls)
    capsys.readouterr()
    result = small(tmp_path / "cut", "median1", "perindopril_mpo", quiet=False)
    assert "done before: median1; 1 of 2 tasks to do" in capsys.readouterr().err
    assert result.tasks == whole.tasks
    assert "median1" not in calls[before:]  # what is done is not done again
    for task in ("median1", "perindopril_mpo"):
        assert ledger(tmp_path / "cut" / task) == ledger(tmp_path / "whole" / task)


def test_a_signal_while_results_are_written_did_not_stop_the_benchmark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stops = []
    init = Stop.__init__
    monkeypatch.setattr(Stop, "__init__", lambda self: (init(self), stops.append(self))[0])
    deliver = workflow.deliver

    def late(*arguments):
        stops[-1].request("SIGTERM")
        return deliver(*arguments)

    monkeypatch.setattr(workflow, "deliver", late)
    with pytest.raises(Interrupted, match="the same command"):
        small(tmp_path / "b", "median1", "median2")
    assert RunFolder.open(tmp_path / "b" / "median1").status == "done"
    assert not (tmp_path / "b" / "median2").exists()


def test_a_second_call_with_another_task_threw_the_table_of_the_first_away(tmp_path: Path) -> None:
    first = small(tmp_path / "b", "perindopril_mpo").tasks[0]
    both = small(tmp_path / "b", "median1")
    assert [row.task for row in both.tasks] == ["median1", "perindopril_mpo"]
    assert both.tasks[1] == first
    assert (tmp_path / "b" / "results.csv").read_text("utf-8").count("\n") == 3
    other = small(tmp_path / "b", "median1", seed=2, overwrite=True)
    assert [row.task for row in other.tasks] == ["median1"]  # another seed: not of one table
    assert small(tmp_path / "b", "median2", seed=2).total == sum(row.score for row in other.tasks) + (
        read_task(SUITE, "median2", tmp_path / "b" / "median2").score
    )


def test_other_settings_do_not_continue_a_benchmark(tmp_path: Path) -> None:
    small(tmp_path / "b", "median1")
    with pytest.raises(ConfigError, match="started with other settings"):
        small(tmp_path / "b", "median1", seed=2)
    with pytest.raises(ConfigError, match="started with other settings"):
        small(tmp_path / "b", "median1", suite=Suite("pmo", "0.3.6"))
    assert small(tmp_path / "b", "median1", seed=2, overwrite=True).tasks[0].calls == 40


def test_labels_outside_of_the_count_are_found_in_the_journal(tmp_path: Path) -> None:
    small(tmp_path / "b", "median1")
    journal = tmp_path / "b" / "median1" / "scores.jsonl"
    row = {"m": "CC1(C)C2CCC1(C)C(=O)C2", "p": "none", "s": SUITE.fingerprint("median1"), "v": 0.4}
    with journal.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    result = read_task(SUITE, "median1", tmp_path / "b" / "median1")
    assert result.league.letter == "C"
    assert "1 molecules were labeled" in result.league.reasons[0]


def test_a_model_taught_by_an_earlier_run_is_no_league_a(tmp_path: Path) -> None:
    taught = small(tmp_path / "first", "median1", optimizer="reinforce", budget=20)
    result = small(tmp_path / "next", "median1", model=str(taught.path / "median1" / "model"), budget=20)
    assert result.league == "C"
    assert "taught by the objective of an earlier run" in result.notes()[-1]


def test_seed_compounds_are_counted(tmp_path: Path) -> None:
    (tmp_path / "seeds.smi").write_text("CC1(C)C2CCC1(C)C(=O)C2\nCC(C)C1CCC(C)CC1O\n", "utf-8")
    options = ["output.n=1", f"seeds.path={tmp_path / 'seeds.smi'}", "seeds.policy=none"]
    result = small(tmp_path / "b", "median1", overrides=options).tasks[0]
    assert result.calls == 40
    assert result.league.letter == "A"
    assert [row["origin"] for row in ledger(tmp_path / "b" / "median1")[:3]] == ["seed", "seed", "random"]
    (tmp_path / "seeds.csv").write_text("smiles,median1\nCC1(C)C2CCC1(C)C(=O)C2,0.33\n", "utf-8")
    options[1] = f"seeds.path={tmp_path / 'seeds.csv'}"
    assert small(tmp_path / "c", "median1", overrides=options).tasks[0].league.letter == "C"


def test_a_guacamol_task_averages_over_its_best_and_pads_short_lists(tmp_path: Path) -> None:
    result = small(tmp_path / "b", "isomers_c11h24", suite=Suite("guacamol"))
    row = result.tasks[0]
    lines = [line for line in ledger(tmp_path / "b" / "isomers_c11h24") if line["status"] == "scored"]
    assert len(lines) == 40
    assert row.score == pytest.approx(sum(line["total"] for line in lines) / 159, rel=1e-9)
    assert row.best_of_data == 0.684
    assert "1 of 20 tasks" in " ".join(result.notes())
    assert result.table()[0]["best of data"] == "0.684"


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"optimizer": "reinfroce"}, ConfigError, "did you mean 'reinforce'"),
        ({"model": "no-such"}, ModelError, "no model 'no-such'"),
        ({"overrides": ["optimizer.params.sgima=1"]}, ConfigError, "no such parameter"),
        ({"overrides": ["bugdet.molecules=1"]}, ConfigError, "did you mean 'budget'"),
    ],
)
def test_mistakes_are_found_before_any_work(tmp_path: Path, options, error, words) -> None:
    with pytest.raises(error, match=words):
        small(tmp_path / "b", "median1", **options)
    assert not (tmp_path / "b").exists()


def test_missing_classifiers_are_named_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOLGEN_DATA", str(tmp_path / "cache"))
    with pytest.raises(DataError, match="molgen data fetch drd2 gsk3b jnk3"):
        small(tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["benchmark", "pmo", "--task", "median1", "--optimizer", "random"]
    command += ["--budget", "30", "-q"]
    assert run([*command, "-o", str(tmp_path / "b"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["n_tasks"] == 1
    assert answer["tasks"][0]["calls"] == 30
    assert run([*command, "-o", str(tmp_path / "b")]) == 0
    printed = capsys.readouterr()
    assert "AUC top-10" in printed.out
    assert "League A" in printed.out
    assert printed.err == ""
    assert run(["benchmark", "guacamol", "--task", "median2,medain1", "-o", str(tmp_path / "b")]) == 2
    assert "'medain1' of guacamol; did you mean 'median1'" in capsys.readouterr().err


def test_a_task_is_not_resumed_without_its_oracle(tmp_path: Path) -> None:
    small(tmp_path / "b", "median1")
    with pytest.raises(ConfigError, match="part of a benchmark; go on with the command that started it"):
        mg.resume(tmp_path / "b" / "median1", quiet=True)


def test_the_verb_is_not_hidden_by_the_package_of_that_name(tmp_path: Path) -> None:
    import molgen.benchmark.oracle  # noqa: F401

    result = mg.benchmark(  # type: ignore[operator]
        "guacamol", tmp_path / "b", tasks=["median1"], optimizer="random", budget=10, quiet=True
    )
    assert result.tasks[0].calls == 10
