from __future__ import annotations

import numpy as np
import pytest

from molgen.core.errors import DataError
from molgen.metrics.classes import class_score, fit_classes


def clusters(counts: list[int], seed: int = 0) -> np.ndarray:
    """Fingerprints around ten patterns of bits, ``counts[i]`` of pattern i."""
    patterns = np.random.default_rng(7).random((10, 256)) < 0.2
    rng = np.random.default_rng(seed)
    rows = np.repeat(patterns[: len(counts)], counts, axis=0)
    return np.packbits(rows ^ (rng.random(rows.shape) < 0.02), axis=1)


def test_balanced_classes_score_their_number_and_one_class_scores_one() -> None:
    classes = fit_classes(clusters([30] * 10), 10)
    every = class_score(classes.membership(clusters([20] * 10, seed=1)))
    one = class_score(classes.membership(clusters([200], seed=2)))
    half = class_score(classes.membership(clusters([20] * 5, seed=3)))
    assert 5 < every <= 10
    assert one == pytest.approx(1.0, abs=0.05)
    assert one < half < every


def test_it_is_gameable_by_copies_as_the_docstring_says() -> None:
    reference = clusters([30] * 10)
    classes = fit_classes(reference, 10)
    genuine = class_score(classes.membership(clusters([30] * 10, seed=4)))
    assert class_score(classes.membership(reference)) >= genuine * 0.98
    ten_repeated = np.repeat(reference[::30], 30, axis=0)
    assert class_score(classes.membership(ten_repeated)) >= genuine * 0.98


def test_memberships_sum_to_one_and_the_seed_decides() -> None:
    reference = clusters([30] * 10)
    first, second = fit_classes(reference, 10, seed=3), fit_classes(reference, 10, seed=3)
    assert np.array_equal(first.centers, second.centers)
    assert np.allclose(first.membership(reference).sum(axis=1), 1.0)


def test_too_few_molecules_for_so_many_classes() -> None:
    with pytest.raises(DataError, match="200 classes need at least 1000"):
        fit_classes(clusters([10] * 10), 200)
