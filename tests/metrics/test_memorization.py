from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from molgen.metrics.known import hashed
from molgen.metrics.memorization import copy_share, mann_whitney, memorization


def test_the_test_is_that_of_scipy_with_the_sign_of_c_t() -> None:
    rng = np.random.default_rng(0)
    sample, control = rng.normal(0.3, 1, 80).round(1), rng.normal(size=60).round(1)
    closer, z = mann_whitney(sample, control)
    found = mannwhitneyu(sample, control, use_continuity=False, method="asymptotic")
    assert closer == pytest.approx(found.statistic / (80 * 60))
    assert z < 0  # the sample is closer
    from scipy.stats import norm

    assert 2 * norm.cdf(z) == pytest.approx(found.pvalue, rel=1e-6)


def test_copies_are_counted_and_left_out_of_the_test() -> None:
    """Held-out molecules are no copies by construction: copies in the test would make every model a copier."""
    rng = np.random.default_rng(1)
    control = rng.uniform(0.3, 0.6, 500)
    novel = rng.uniform(0.3, 0.6, 80)
    nearest = np.concatenate([np.ones(20), novel])
    names = [f"copy{i}" for i in range(20)] + [f"new{i}" for i in range(80)]
    training = hashed(f"copy{i}" for i in range(50))
    audit = memorization(names, nearest, training, control=control)
    assert audit.copies == 0.2
    assert len(audit.nearest) == 80
    assert audit.z is not None
    assert abs(audit.z) < 3


def test_molecules_that_hug_the_training_set_stand_out() -> None:
    rng = np.random.default_rng(2)
    names = [f"new{i}" for i in range(200)]
    audit = memorization(names, rng.uniform(0.7, 0.95, 200), {"x"}, control=rng.uniform(0.3, 0.6, 200))
    assert audit.closer == 1.0
    assert audit.z is not None
    assert audit.z < -10


def test_molecules_that_were_not_searched_do_not_count() -> None:
    audit = memorization(["a", "b", "c"], np.array([0.5, np.nan, 1.0]), {"c"})
    assert audit.nearest.tolist() == [0.5]
    assert (audit.closer, audit.z, audit.scaffold_copies) == (None, None, None)


def test_scaffold_copies_are_of_the_molecules_with_rings() -> None:
    audit = memorization(
        ["a", "b", "c"],
        np.zeros(3),
        set(),
        scaffolds=["c1ccccc1", "", "C1CC1"],
        training_scaffolds={"c1ccccc1"},
    )
    assert audit.scaffold_copies == 0.5
    assert copy_share(["a", "b"], ["b"]) == 0.5


def test_a_hashed_set_knows_its_members() -> None:
    known = hashed(["CCO", "CCN", "CCO"])
    assert "CCO" in known
    assert "CCC" not in known
    assert len(known) == 2
    assert "CCO" not in hashed([])
