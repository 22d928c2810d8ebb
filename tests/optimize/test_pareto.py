import numpy as np
import pytest

from molgen.optimize.pareto import crowding, fronts


def slowly(points):
    """Fronts by the definition, one pair at a time."""
    left, found = set(range(len(points))), []
    while left:
        front = {
            i
            for i in left
            if not any((points[j] >= points[i]).all() and (points[j] > points[i]).any() for j in left)
        }
        found.append(sorted(front))
        left -= front
    return found


@pytest.mark.parametrize("m", [1, 2, 3, 5])
def test_fronts_are_those_of_the_definition(m):
    random = np.random.default_rng(m)
    points = random.integers(0, 6, (60, m)) / 5  # many ties, and equal points
    assert [front.tolist() for front in fronts(points)] == slowly(points)


def test_sums_that_rounding_makes_equal_did_not_hide_a_dominating_point():
    points = np.array([[1.0, 1e-20], [1.0, 0.0], [1.0, 2e-20]])
    assert [front.tolist() for front in fronts(points)] == [[2], [0], [1]]


def test_a_missing_value_is_the_worst():
    points = np.array([[0.5, np.nan], [0.5, 0.0], [np.nan, np.nan]])
    assert [front.tolist() for front in fronts(points)] == [[1], [0], [2]]


def test_nothing_has_no_front():
    assert list(fronts(np.zeros((0, 2)))) == []


def test_crowding_is_the_room_between_the_neighbors_and_endless_at_the_ends():
    points = np.array([[0.0, 1.0], [0.2, 0.7], [0.9, 0.1], [1.0, 0.0]])
    gaps = crowding(points)
    assert np.isinf(gaps[[0, 3]]).all()
    assert gaps[1] == pytest.approx(0.9 + 0.9)
    assert gaps[2] == pytest.approx(0.8 + 0.7)
    assert crowding(np.array([[0.5, 0.5]])).tolist() == [0.0]
