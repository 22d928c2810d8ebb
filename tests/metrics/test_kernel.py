from __future__ import annotations

import numpy as np
import pytest

from molgen.core.errors import DataError
from molgen.metrics.kernel import kernel_distance


def test_the_value_is_that_of_the_definition() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 3)), rng.normal(0.5, 1, size=(5, 3))

    def k(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / 3 + 1) ** 3)

    xx = np.mean([k(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j])
    yy = np.mean([k(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j])
    xy = np.mean([k(a, b) for a in x for b in y])
    assert kernel_distance(x, y).value == pytest.approx(xx + yy - 2 * xy)


def test_it_does_not_depend_on_sample_size_as_the_frechet_distance_does() -> None:
    rng = np.random.default_rng(1)
    values = {
        n: np.mean(
            [kernel_distance(rng.normal(size=(n, 8)), rng.normal(size=(400, 8))).value for _ in range(60)]
        )
        for n in (20, 200)
    }
    assert abs(values[20]) < 0.02
    assert abs(values[200]) < 0.02


def test_another_distribution_is_many_deviations_away() -> None:
    rng = np.random.default_rng(2)
    found = kernel_distance(rng.normal(0.5, 1, (300, 8)), rng.normal(size=(300, 8)))
    same = kernel_distance(rng.normal(size=(300, 8)), rng.normal(size=(300, 8)))
    assert found.value > 5 * found.deviation > 0
    assert abs(same.value) < 5 * same.deviation


def test_one_molecule_has_no_distance() -> None:
    with pytest.raises(DataError, match="at least 2"):
        kernel_distance(np.zeros((1, 2)), np.zeros((4, 2)))
