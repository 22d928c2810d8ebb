import numpy as np
import pytest

from molgen.optimize import hypervolume as module
from molgen.optimize.hypervolume import hypervolume, volumes


def counted(points, cells=20):
    """On a grid of cells: points on its lines dominate whole cells, so that counting them is exact."""
    axes = [(np.arange(cells) + 0.5) / cells] * points.shape[1]
    middles = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, points.shape[1])
    inside = (middles[:, None] < points[None]).all(axis=2)
    return inside.any(axis=1).mean(), (inside & (inside.sum(axis=1) == 1)[:, None]).mean(axis=0)


@pytest.mark.parametrize("m", [1, 2, 3])
def test_volumes_are_those_of_counted_cells(m):
    random = np.random.default_rng(m)
    points = np.unique(random.integers(0, 21, (25, m)) / 20, axis=0)  # also dominated ones, and zeros
    total, alone = volumes(points)
    expected, each = counted(points)
    assert total == pytest.approx(expected)
    assert alone == pytest.approx(each)


def test_what_a_point_adds_is_what_is_lost_without_it():
    points = np.random.default_rng(5).random((12, 3))
    total, alone = volumes(points)
    for k in range(len(points)):
        assert total - hypervolume(np.delete(points, k, axis=0)) == pytest.approx(alone[k], abs=1e-12)


def test_many_objectives_are_estimated_and_the_same_each_time():
    points = np.random.default_rng(6).integers(2, 13, (8, 4)) / 12
    total, alone = volumes(points)
    assert (total, alone.tolist()) == (volumes(points)[0], volumes(points)[1].tolist())
    assert total == pytest.approx(counted(points, 12)[0], abs=0.02)
    assert (alone <= total).all()


def test_too_many_points_for_boxes_are_estimated(monkeypatch):
    points = np.random.default_rng(7).random((30, 3))
    exact = hypervolume(points)
    monkeypatch.setattr(module, "EXACT", 10)
    assert hypervolume(points) != exact
    assert hypervolume(points) == pytest.approx(exact, abs=0.015)


def test_nothing_has_no_volume_and_equal_points_share_theirs():
    assert volumes(np.zeros((0, 2)))[0] == 0.0
    total, alone = volumes(np.array([[0.5, 0.5], [0.5, 0.5], [np.nan, 1.0]]))
    assert total == pytest.approx(0.25)
    assert alone.tolist() == [0.25, 0.25, 0.0]
