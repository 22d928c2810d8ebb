from __future__ import annotations

import numpy as np
import pytest
import torch
from rdkit import Chem
from rdkit.DataStructs import BulkTanimotoSimilarity

from molgen.core.errors import DataError
from molgen.metrics import similarity
from molgen.metrics.similarity import internal_diversity, morgan_bits, nearest_similarity


@pytest.fixture
def packed() -> np.ndarray:
    rng = np.random.default_rng(3)
    bits = rng.random((60, 1024)) < rng.uniform(0.0, 0.1, size=(60, 1))
    bits[0] = False  # nothing set
    bits[1] = bits[2]
    return np.packbits(bits, axis=1)


def brute(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    x, y = np.unpackbits(a, axis=1).astype(float), np.unpackbits(b, axis=1).astype(float)
    common = x @ y.T
    union = x.sum(1)[:, None] + y.sum(1)[None] - common
    return np.where(union == 0, 1.0, common / np.maximum(union, 1))


@pytest.mark.parametrize("chunk", [7, 1000])
def test_nearest_similarity_is_that_of_all_pairs(packed: np.ndarray, chunk: int) -> None:
    found = nearest_similarity(packed[:25], packed[20:], chunk=chunk)
    assert np.allclose(found, brute(packed[:25], packed[20:]).max(axis=1), atol=1e-7)
    assert nearest_similarity(packed[:1], packed[:1])[0] == 1.0  # two empty fingerprints are identical


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int8])
def test_every_product_type_gives_the_same_digits(
    packed: np.ndarray, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = nearest_similarity(packed[:25], packed[20:]), internal_diversity(packed)
    monkeypatch.setattr(similarity, "_fastest_type", lambda: dtype)
    assert np.array_equal(nearest_similarity(packed[:25], packed[20:]), expected[0])
    assert internal_diversity(packed) == expected[1]


def test_dense_fingerprints_do_not_overflow_the_narrow_types(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity, "_fastest_type", lambda: torch.bfloat16)
    bits = np.zeros((2, 1024), dtype=bool)
    bits[0, :601] = bits[1, 300:901] = True
    packed = np.packbits(bits, axis=1)
    assert nearest_similarity(packed[:1], packed[1:])[0] == pytest.approx(301 / 901, abs=1e-7)


def test_internal_diversity_takes_the_root_per_row_and_counts_self_pairs(packed: np.ndarray) -> None:
    pairs = brute(packed, packed)
    first, second = internal_diversity(packed, chunk=13)
    assert first == pytest.approx(1 - pairs.mean(), abs=1e-7)
    assert second == pytest.approx(1 - np.sqrt((pairs**2).mean(axis=1)).mean(), abs=1e-7)


def test_copies_of_one_molecule_have_no_diversity() -> None:
    packed = morgan_bits([Chem.MolFromSmiles("CCO")] * 5)
    assert internal_diversity(packed) == (0.0, 0.0)


def test_morgan_bits_are_rdkits() -> None:
    mols = [Chem.MolFromSmiles(text) for text in ("CC(=O)Nc1ccc(O)cc1", "CCOc1ccccc1", "C1CCNCC1")]
    packed = morgan_bits(mols)
    prints = [
        Chem.rdFingerprintGenerator.GetMorganGenerator(2, fpSize=1024).GetFingerprint(mol) for mol in mols
    ]
    assert packed.shape == (3, 128)
    assert np.allclose(brute(packed[:1], packed)[0], BulkTanimotoSimilarity(prints[0], prints))


def test_nonsense_is_refused() -> None:
    good = np.zeros((1, 128), dtype=np.uint8)
    with pytest.raises(DataError, match="packed"):
        nearest_similarity(good.astype(float), good)
    with pytest.raises(DataError, match="n > 0"):
        nearest_similarity(good, good[:0])
    with pytest.raises(DataError, match="length"):
        nearest_similarity(good, good[:, :64])


@pytest.mark.parametrize("chunk", [7, 1000])
def test_the_nearest_other_is_not_the_molecule_itself(packed: np.ndarray, chunk: int) -> None:
    alike = brute(packed, packed)
    np.fill_diagonal(alike, -1.0)
    for k in (1, 3):
        expected = np.sort(alike, axis=1)[:, -k]
        assert np.allclose(similarity.nearest_others(packed, k, chunk=chunk), expected, atol=1e-7)
    with pytest.raises(DataError):
        similarity.nearest_others(packed[:2], 2)
