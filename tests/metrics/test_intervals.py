from __future__ import annotations

import math

import numpy as np
import pytest

from molgen.metrics.intervals import fold_deviation, mean_interval, share_interval, size_warnings


def test_the_interval_of_a_share_is_wilsons() -> None:
    low, high = share_interval(8, 10)
    assert (low, high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert share_interval(10, 10)[1] == 1.0
    assert share_interval(0, 10)[0] == 0.0
    assert share_interval(0, 0) == (0.0, 1.0)


def test_the_interval_of_a_mean_covers_it_nineteen_times_of_twenty() -> None:
    rng = np.random.default_rng(0)
    inside = 0
    for seed in range(200):
        low, high = mean_interval(rng.normal(3, 1, 60), seed=seed, resamples=200)
        inside += low <= 3 <= high
    assert 178 <= inside <= 200
    assert all(math.isnan(value) for value in mean_interval(np.ones(1)))


def test_leaving_out_folds_estimates_the_deviation_of_a_mean() -> None:
    values = np.random.default_rng(1).normal(0, 1, 4000)
    found = np.mean(
        [fold_deviation(lambda rows: float(values[rows].mean()), 4000, seed=seed) for seed in range(40)]
    )
    assert found == pytest.approx(1 / 4000**0.5, rel=0.2)


def test_small_samples_are_told_the_size_that_would_be_needed() -> None:
    found = size_warnings(500, ["FCD/Test", "validity"])
    assert len(found) == 2
    assert "FCD from 500 molecules: 10,000 or more would be needed" in found[0]
    assert size_warnings(30_000, ["FCD/Test", "validity", "coverage (ChemNet)"]) == []
