from __future__ import annotations

import math
from pathlib import Path

import pytest

from molgen.benchmark.league import League
from molgen.benchmark.oracle import Suite
from molgen.benchmark.result import BenchmarkResult, judge

A = League("A")


def test_only_the_budget_is_looked_at() -> None:
    """PMO's buffer could take one molecule more than its budget."""
    scored = [("C" * n, 0.1) for n in range(1, 51)]
    result = judge(Suite("pmo"), "qed", [*scored, ("CCO", 1.0)], budget=50, league=A)
    assert result.calls == 50
    assert result.top1 == 0.1
    assert result == judge(Suite("pmo"), "qed", scored, budget=50, league=A)


def test_no_value_counts_as_zero_and_is_said() -> None:
    result = judge(
        Suite("pmo", "0.3.6"), "sitagliptin_mpo", [("C", math.nan), ("CC", 0.5)], budget=10, league=A
    )
    assert (result.calls, result.without_value, result.top1, result.top10) == (2, 1, 0.5, 0.25)
    whole = BenchmarkResult(Path("x"), Suite("pmo", "0.3.6"), {"budget": 10, "seed": 1}, [result])
    assert "1 molecules have no value by definition and count as 0." in whole.notes()


def test_a_run_that_found_nothing_has_a_result() -> None:
    for suite in (Suite("pmo"), Suite("guacamol")):
        result = judge(suite, "median1", [], budget=10, league=A, invalid=64)
        assert (result.score, result.calls, result.best) == (0.0, 0, "")


def test_guacamol_counts_stereoisomers_once() -> None:
    alanines = [("C[C@H](N)C(=O)O", 0.3), ("C[C@@H](N)C(=O)O", 0.3), ("CC(N)C(=O)O", 0.3)]
    once = judge(Suite("guacamol"), "median1", alanines[:1], budget=10, league=A)
    assert judge(Suite("guacamol"), "median1", alanines, budget=10, league=A).score == once.score > 0


def test_guacamol_takes_the_best_whenever_they_were_found() -> None:
    scored = [("CCO", 0.1), ("CC1(C)C2CCC1(C)C(=O)C2", 0.9), ("CCN", 0.2)]
    forwards, backwards = (
        judge(Suite("guacamol"), "celecoxib_rediscovery", order, budget=10, league=A).score
        for order in (scored, scored[::-1])
    )
    assert forwards == backwards > 0


@pytest.mark.parametrize(("letters", "expected"), [("AA", "A"), ("ABA", "B"), ("CAB", "C")])
def test_the_league_of_a_benchmark_is_the_lowest_of_its_tasks(letters: str, expected: str) -> None:
    tasks = [judge(Suite("pmo"), "qed", [("C", 0.5)], budget=1, league=League(letter)) for letter in letters]
    assert BenchmarkResult(Path("x"), Suite("pmo"), {"budget": 1, "seed": 1}, tasks).league == expected
