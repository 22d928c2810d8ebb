import math

import numpy as np
import pytest

from molgen.optimize.memory import Entry
from molgen.optimize.reward import ParetoReward, TotalReward


def entry(point, status="scored", total=0.5):
    desirability = dict(zip("abc", point, strict=False))
    return Entry(0, 1, "x", (), "C", "C", status, total, math.nan, desirability=desirability)


def rated(points):
    reward = ParetoReward("abc"[: len(points[0])])
    entries = [entry(point) for point in points]
    reward.add(entries)
    return np.array(reward.rate(entries)), reward


@pytest.mark.parametrize("m", [2, 3])
def test_what_is_dominated_is_never_worth_more_than_what_dominates_it(m):
    points = np.random.default_rng(m).integers(0, 11, (150, m)) / 10  # ties, equal points and zeros
    worth, reward = rated(points.tolist())
    for p, value in zip(points, worth, strict=True):
        better = (points >= p).all(axis=1) & (points > p).any(axis=1)
        assert (worth[better] >= value).all()
    on_front = (points[:, None] == reward.front[None]).all(axis=2).any(axis=1) & (points > 0).all(axis=1)
    assert worth[on_front].min() > 0.5 >= worth[~on_front].max()


def test_on_the_front_the_loneliest_is_worth_most_and_behind_it_the_nearest():
    worth, _ = rated([(0.9, 0.2), (0.85, 0.25), (0.84, 0.26), (0.3, 0.9), (0.7, 0.2), (0.2, 0.2)])
    assert worth.argmax() == 3
    assert worth[3] == 1.0
    assert worth[4] > worth[5] > 0


def test_a_corner_without_volume_does_not_pass_for_the_front():
    worth, _ = rated([(1.0, 0.0), (0.5, 0.5), (0.45, 0.45)])
    assert worth[1] == 1.0
    assert worth[0] < worth[2]


def test_filtered_molecules_are_below_all_feasible_ones_and_never_on_the_front():
    reward = ParetoReward("ab")
    entries = [entry((0.1, 0.05)), entry((1.0, 1.0), "filtered", 0.0), entry((1.0, 1.0), "failed", math.nan)]
    reward.add(entries)
    worth = reward.rate(entries)
    assert worth[0] == 1.0
    assert worth[1] == 0.0
    assert math.isnan(worth[2])
    assert reward.front.tolist() == [[0.1, 0.05]]


def test_the_front_does_not_depend_on_the_order():
    points = np.random.default_rng(3).random((60, 3)).tolist()
    forward, backward = ParetoReward("abc"), ParetoReward("abc")
    forward.add([entry(p) for p in points])
    for p in points[::-1]:
        backward.add([entry(p)])
    assert forward.front.tolist() == backward.front.tolist()
    assert forward.metrics() == backward.metrics()
    assert 0 < forward.metrics()["hypervolume"] <= 1


def test_a_missing_value_counts_as_zero():
    worth, _ = rated([(0.5, math.nan), (0.4, 0.4)])
    assert worth[0] <= 0.25 < worth[1]


def test_one_objective_has_no_front():
    with pytest.raises(ValueError, match="two components"):
        ParetoReward(["a"])


def test_the_total_is_passed_on():
    assert TotalReward().rate([entry((1,), total=0.3)]) == [0.3]
