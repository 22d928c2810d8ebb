from __future__ import annotations

import math

import pytest

from molgen.benchmark.curves import at_least, at_most, gaussian, log_mean, mean, product_root, up_to

MU, SIGMA, X = -1.223, 0.334, 8.343


def bell(x: float) -> float:
    return math.exp(-((x - MU) ** 2) / (2 * SIGMA**2))


def test_a_bell() -> None:
    curve = gaussian(MU, SIGMA)
    assert curve(MU) == 1.0
    assert curve(-1.0) == pytest.approx(bell(-1.0), rel=1e-14)
    assert curve(X) == pytest.approx(bell(X), rel=1e-12)


def test_half_bells() -> None:
    low, high = at_most(MU, SIGMA), at_least(MU, SIGMA)
    assert [low(MU), low(-math.inf), low(math.inf)] == [1.0, 1.0, 0.0]
    assert [high(MU), high(math.inf), high(-math.inf)] == [1.0, 1.0, 0.0]
    assert low(-1.0) == high(2 * MU + 1.0) == pytest.approx(bell(-1.0), rel=1e-12)
    assert low(-5.0) == high(5.0) == 1.0


@pytest.mark.parametrize(("x", "y"), [(-1, 0), (0, 0), (0.2, 0.25), (0.4, 0.5), (0.8, 1), (1, 1)])
def test_proportional_up_to(x: float, y: float) -> None:
    assert up_to(0.8)(x) == pytest.approx(y, rel=1e-14)


def test_means() -> None:
    values = [0.232, 0.01, 0.7]
    assert mean(values) == pytest.approx(0.314)
    expected = (0.232 * 0.01 * 0.7) ** (1 / 3)
    assert product_root(values) == pytest.approx(expected, rel=1e-15)
    assert log_mean(values) == pytest.approx(expected, rel=1e-14)
    assert log_mean([0.0, 1.0]) == product_root([0.0, 1.0]) == 0.0
    assert math.isnan(log_mean([-1.0, 2.0]))
