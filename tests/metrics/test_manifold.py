from __future__ import annotations

import numpy as np
import pytest
import torch

from molgen.core.errors import DataError
from molgen.metrics.manifold import euclidean, expected_coverage, manifold, tanimoto_distance


def brute(sample: np.ndarray, reference: np.ndarray, k: int) -> tuple[float, float, float, float]:
    """The definitions, one by one, as in the papers."""
    within_r = np.linalg.norm(reference[:, None] - reference[None], axis=2)
    within_s = np.linalg.norm(sample[:, None] - sample[None], axis=2)
    across = np.linalg.norm(sample[:, None] - reference[None], axis=2)
    reach_r, reach_s = np.sort(within_r, axis=1)[:, k], np.sort(within_s, axis=1)[:, k]
    inside = across <= reach_r[None]
    return (
        inside.any(axis=1).mean(),
        (across <= reach_s[:, None]).any(axis=0).mean(),
        inside.sum(axis=1).mean() / k,
        (across.min(axis=0) <= reach_r).mean(),
    )


@pytest.mark.parametrize("chunk", [7, 2048])
def test_all_four_are_those_of_their_definitions(chunk: int) -> None:
    rng = np.random.default_rng(0)
    sample, reference = rng.normal(0.4, 1, (40, 3)), rng.normal(0, 1, (50, 3))
    found = manifold(sample, reference, lambda a, b: euclidean(a, b, chunk=chunk), k=4)
    assert (found.precision, found.recall, found.density, found.coverage) == pytest.approx(
        brute(sample.astype("f4"), reference.astype("f4"), 4), abs=1e-6
    )


def test_dropped_modes_keep_precision_and_lose_coverage() -> None:
    rng = np.random.default_rng(1)
    modes = rng.normal(0, 30, (10, 4))
    reference = np.repeat(modes, 30, axis=0) + rng.normal(size=(300, 4))
    perfect = np.repeat(modes, 30, axis=0) + rng.normal(size=(300, 4))
    collapsed = np.repeat(modes[:2], 150, axis=0) + rng.normal(size=(300, 4))
    good, bad = manifold(perfect, reference, euclidean), manifold(collapsed, reference, euclidean)
    assert good.coverage > 0.9
    assert good.coverage == pytest.approx(good.coverage_ceiling, abs=0.05)
    assert bad.precision > 0.85
    assert bad.coverage < 0.3
    assert bad.recall < 0.3


def test_an_outlier_of_the_sample_spoils_recall_but_not_coverage() -> None:
    rng = np.random.default_rng(2)
    reference = rng.normal(size=(200, 4))
    narrow = rng.normal(0, 0.05, (199, 4))
    with_outlier = np.concatenate([narrow, [[60.0, 0, 0, 0]]])
    without, spoiled = manifold(narrow, reference, euclidean), manifold(with_outlier, reference, euclidean)
    assert spoiled.recall > without.recall + 0.3
    assert abs(spoiled.coverage - without.coverage) < 0.02


def test_fingerprints_are_compared_by_tanimoto() -> None:
    rng = np.random.default_rng(3)
    packed = np.packbits(rng.random((60, 256)) < 0.1, axis=1)
    same = manifold(packed, packed, tanimoto_distance, k=3)
    assert (same.precision, same.recall, same.coverage) == (1.0, 1.0, 1.0)
    other = np.packbits(rng.random((60, 256)) < 0.6, axis=1)
    assert manifold(other, packed, tanimoto_distance, k=3).recall == 0.0
    block = torch.cat([b for _, _, b in tanimoto_distance(packed[:1], packed)])
    assert float(block[0, 0]) == 0.0


def test_expected_coverage_is_what_simulation_gives() -> None:
    rng = np.random.default_rng(4)
    found = [
        manifold(rng.normal(size=(60, 2)), rng.normal(size=(80, 2)), euclidean, k=3).coverage
        for _ in range(40)
    ]
    assert expected_coverage(60, 80, 3) == pytest.approx(np.mean(found), abs=0.03)


def test_too_few_molecules_are_named() -> None:
    with pytest.raises(DataError, match="more than 5"):
        manifold(np.zeros((5, 2)), np.zeros((9, 2)), euclidean)
