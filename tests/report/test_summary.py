import dataclasses
import math

import pytest

from molgen.core.schema import OptimizeConfig
from molgen.optimize.protocol import Delivery
from molgen.report import summary


def test_rise_compares_the_first_and_last_tenth(delivery: Delivery) -> None:
    history = [{"step": at, "mean_score": 0.2 if at < 50 else 0.7} for at in range(100)]
    rise = summary.score_rise(dataclasses.replace(delivery, history=history))
    assert rise is not None
    assert (rise.steps, rise.first, rise.last) == (10, pytest.approx(0.2), pytest.approx(0.7))
    assert rise.gain == pytest.approx(0.5)


def test_a_step_without_a_mean_is_left_out_of_the_rise(delivery: Delivery) -> None:
    history = [{"mean_score": math.nan}, {"mean_score": 0.1}, {}, {"mean_score": 0.4}]
    rise = summary.score_rise(dataclasses.replace(delivery, history=history))
    assert rise is not None
    assert (rise.first, rise.last) == (0.1, 0.4)
    assert summary.score_rise(dataclasses.replace(delivery, history=history[:2])) is None


def test_scores_of_an_earlier_stage_are_not_compared_with_those_of_the_last(delivery):
    """A curriculum was said to have got worse, because its last objective is the hardest."""
    history = [
        {"step": at, "mean_score": 0.9 if at < 20 else 0.4 + at / 100, "stage": 1 + at // 20}
        for at in range(40)
    ]
    rise = summary.score_rise(dataclasses.replace(delivery, history=history))
    assert rise.staged
    assert (rise.steps, rise.gain) == (2, pytest.approx(0.18))
    assert not summary.score_rise(dataclasses.replace(delivery, history=history[:20])).staged


def test_first_and_last_scores_are_fifths_of_the_steps(delivery: Delivery) -> None:
    given = dataclasses.replace(
        delivery, scores=[0.1, 0.2, 0.3, 0.4, 0.5, math.nan], score_steps=[0, 1, 2, 3, 4, 4], history=[]
    )
    assert summary.first_and_last_scores(given) == ([0.1], [0.5])
    only_one_step = dataclasses.replace(given, scores=[0.1, 0.2], score_steps=[0, 0])
    assert summary.first_and_last_scores(only_one_step) == ([0.1, 0.2], [])


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-05-03T14:05:09+02:00", "2026-05-03 12:05 UTC"),
        ("2026-05-03T12:05:09Z", "2026-05-03 12:05 UTC"),
        ("2026-05-03 12:05", "2026-05-03 12:05 UTC"),
        (0, "1970-01-01 00:00 UTC"),
        (True, None),
        ("soon", None),
        (1e30, None),
        (None, None),
    ],
)
def test_times_are_utc_or_absent(value: object, expected: str | None) -> None:
    assert summary.utc(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.5, "0.50"),
        (0.0123456, "0.0123"),
        (3.14159, "3.14"),
        (456.78, "456.8"),
        (12345.6, "12,346"),
        (7, "7"),
    ],
)
def test_numbers_for_people(value: float, expected: str) -> None:
    assert summary.number(value) == expected
    assert summary.number(math.nan) == summary.number(None) == summary.NO_VALUE


def test_a_tiny_desirability_was_written_as_zero() -> None:
    assert summary.fraction(0.00001) == "<0.01"
    assert summary.fraction(0.0) == "0.00"
    assert summary.fraction(1.0) == "1.00"


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        ({"type": "step", "low": 1, "high": 4}, "1 to 4"),
        ({"type": "step", "high": 500}, "at most 500"),
        ({"type": "step", "low": 2}, "at least 2"),
        ({"type": "step", "low": 0, "high": 0}, "0"),
        ({"type": "reverse_sigmoid", "low": 90, "high": 140}, "low (good up to 90, poor at 140)"),
        ({"type": "sigmoid", "low": 5, "high": 7}, "high (poor at 5, good from 7)"),
        ({"type": "gaussian", "target": 2.5, "width": 1}, "near 2.50"),
        ({"type": "identity"}, "high"),
    ],
)
def test_wanted_values_in_words(transform: dict[str, object], expected: str) -> None:
    words = summary.component_words({"name": "x", "summary": "some value", "transform": transform})
    assert words == f"some value; wanted: {expected}"


def test_asked_names_model_budget_and_limits(delivery: Delivery, config: OptimizeConfig) -> None:
    text = summary.asked(delivery, config)
    assert "30 molecules" in text
    assert "druglike" in text
    assert "3,000 scored molecules" in text
    assert "0.80" in text
    assert summary.asked(delivery, None) == "30 molecules."


def test_reason_codes_become_words_and_words_stay() -> None:
    assert summary.loss_words("unparsable") == "not a valid structure"
    assert summary.loss_words("failed: qed broke") == "a component had no value: qed broke"
    assert summary.loss_words("logp 6.2 above 5") == "logp 6.2 above 5"


def test_flatten_keeps_order_and_cuts_the_diff_of_a_dirty_checkout() -> None:
    rows = summary.flatten({"b": {"x": 1, "y": None}, "a": ["p", "q"], "c": [{"k": 2}], "diff": "z" * 5000})
    assert rows[:4] == [("b.x", "1"), ("b.y", ""), ("a", "p, q"), ("c[0].k", "2")]
    assert len(rows[4][1]) < 500


def test_running_values_skip_what_is_missing() -> None:
    assert summary.running_best([None, 0.2, None, 0.1, 0.5]) == [None, 0.2, 0.2, 0.2, 0.5]
    assert summary.running_mean([0.0, None, 1.0], 2) == [0.0, 0.0, 1.0]
