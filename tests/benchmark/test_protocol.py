from __future__ import annotations

import random

import pytest

from molgen.benchmark.protocol import auc_top, guacamol_score, mean_top, padded_top


def plainly(scores: list[float], k: int, budget: int, every: int) -> float:
    """The area under the published curve, point by point."""
    scores = scores[:budget]
    xs = [0, *range(every, len(scores), every), len(scores), budget]
    ys = [0.0]
    for x in xs[1:]:
        best = sorted(scores[:x], reverse=True)[:k]
        ys.append(sum(best) / len(best))
    return sum((b - a) * (p + q) / 2 for a, b, p, q in zip(xs, xs[1:], ys, ys[1:], strict=False)) / budget


@pytest.mark.parametrize("n", [1, 7, 99, 100, 101, 250, 999, 1000])
@pytest.mark.parametrize("k", [1, 10, 100])
def test_the_area_is_that_of_the_published_curve(n: int, k: int) -> None:
    scores = [random.Random(n).random() for _ in range(n)]
    assert auc_top(scores, k, 1000) == pytest.approx(plainly(scores, k, 1000, 100), rel=1e-12)


def test_a_perfect_run_loses_half_of_the_first_interval() -> None:
    assert auc_top([1.0] * 10_000, 10) == pytest.approx(1 - 50 / 10_000)


def test_a_ten_thousand_and_first_molecule_does_not_count() -> None:
    scores = [0.1] * 10_000
    assert auc_top([*scores, 1.0], 1) == auc_top(scores, 1)
    assert auc_top([*scores, 1.0], 1) < 0.1


def test_a_run_that_stops_early_is_divided_by_the_budget_and_holds_its_last_value() -> None:
    short = [0.5] * 100
    assert auc_top(short, 10, 1000) == pytest.approx((100 * 0.25 + 900 * 0.5) / 1000)
    assert auc_top(short, 10, 1000) != pytest.approx(
        0.5
    )  # what a division by the calls made would be nearer to


def test_the_last_stretch_takes_all_entries_even_if_it_is_short() -> None:
    scores = [0.0] * 150 + [1.0]
    assert auc_top(scores, 1, 151) == pytest.approx((51 * 0.5) / 151)


def test_the_order_of_the_calls_counts() -> None:
    early, late = [1.0] * 10 + [0.0] * 990, [0.0] * 990 + [1.0] * 10
    assert auc_top(early, 10, 1000) > 0.9 > 0.1 > auc_top(late, 10, 1000)


def test_scores_of_one_run_do_not_leak_into_the_next() -> None:
    """PMO's buffer was a mutable default argument: the second run started with the molecules of the first."""
    assert auc_top([1.0] * 200, 10, 1000) > 0.5
    assert auc_top([0.0] * 200, 10, 1000) == 0.0
    assert auc_top([], 10, 1000) == 0.0


def test_fewer_than_k_are_averaged_as_they_are_in_pmo_and_padded_in_guacamol() -> None:
    assert mean_top([1.0, 0.5], 10) == 0.75
    assert padded_top([1.0, 0.5], 10) == pytest.approx(0.15)
    assert mean_top([], 10) == padded_top([], 10) == 0.0


def test_a_guacamol_score_is_the_mean_over_its_tops() -> None:
    scores = [1.0] + [0.5] * 9 + [0.2] * 90
    assert guacamol_score(scores, (1, 10, 100)) == pytest.approx((1.0 + 0.55 + 0.235) / 3)
    assert guacamol_score(scores, (1,)) == 1.0
    assert guacamol_score([1.0] * 53, (159,)) == pytest.approx(1 / 3)
