from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from molgen.core.errors import DataError
from molgen.metrics.distribution import (
    cosine_similarity,
    fragment_counts,
    novelty,
    properties,
    property_frechet,
    read_sample,
    scaffold_counts,
    uniqueness,
    validity,
    wasserstein,
)
from molgen.metrics.similarity import internal_diversity, morgan_bits, nearest_similarity

# The unit test of MOSES itself (its tests/test_metrics.py), with its published values. The SA difference is left
# out: RDKit's SA score has changed since.
TEST = ["Oc1ccccc1-c1cccc2cnccc12", "COc1cccc(NC(=O)Cc2coc3ccc(OC)cc23)c1"]
GENERATED = [
    *("CNC", "Oc1ccccc1-c1cccc2cnccc12", "INVALID", "CCCP"),
    *("Cc1noc(C)c1CN(C)C(=O)Nc1cc(F)cc(F)c1", "Cc1nc(NCc2ccccc2)no1-c1ccccc1"),
]


def test_the_published_values_of_the_moses_unit_test() -> None:
    generated, test = read_sample(GENERATED), read_sample(TEST)
    ours, theirs = morgan_bits(generated.mols), morgan_bits(test.mols)
    assert uniqueness(generated.smiles, 3) == 1.0
    assert nearest_similarity(ours, theirs).mean() == pytest.approx(0.3152585653588176, abs=1e-12)
    assert internal_diversity(ours)[0] == pytest.approx(0.7189187309761661, abs=1e-7)
    assert cosine_similarity(fragment_counts(test.mols), fragment_counts(generated.mols)) == pytest.approx(
        0.3
    )
    assert cosine_similarity(scaffold_counts(test.mols), scaffold_counts(generated.mols)) == pytest.approx(
        0.5
    )
    a, b = properties(generated.mols), properties(test.mols)
    published = {"logP": 1.63229, "QED": 0.20370891752648637, "weight": 106.87}
    for name, value in published.items():
        assert wasserstein(a[name], b[name]) == pytest.approx(value, rel=1e-9), name


def test_validity_counts_raw_strings_and_an_empty_one_is_invalid() -> None:
    assert validity(["C", "", "INVALID", "c1ccccc1", "C(C)(C)(C)(C)C"]) == 2 / 5


def test_a_sample_holds_canonical_strings_in_order() -> None:
    sample = read_sample(["OCC", "bad(", "CCO", "c1ccccc1"])
    assert sample.smiles == ["CCO", "CCO", "c1ccccc1"]
    assert (sample.n_raw, sample.validity) == (4, 0.75)


def test_nothing_valid_is_said_and_not_scored_as_zero() -> None:
    with pytest.raises(DataError, match="empty"):
        read_sample([])
    with pytest.raises(DataError, match="none of the 2 strings"):
        read_sample(["xx", "yy"])


def test_uniqueness_at_k_needs_k_molecules() -> None:
    smiles = ["C", "C", "CC", "CCC"]
    assert uniqueness(smiles, 2) == 0.5
    assert uniqueness(smiles) == 0.75
    assert uniqueness(smiles, 5) is None


def test_novelty_is_over_distinct_molecules() -> None:
    assert novelty(["C", "C", "C", "CC"], ["C", "N"]) == 0.5
    assert novelty(["C"], {"C"}) == 0.0


def test_scaffolds_need_two_rings_and_fragments_keep_their_labels() -> None:
    mols = read_sample(["Cc1ccccc1", "c1ccc(-c2ccccc2)cc1", "CCO"]).mols
    assert scaffold_counts(mols) == {"c1ccc(-c2ccccc2)cc1": 1}
    assert "[16*]c1ccccc1" in fragment_counts(mols)


def test_cosine_similarity_of_counts() -> None:
    assert cosine_similarity({"a": 3, "b": 4}, {"a": 3, "b": 4}) == 1.0
    assert cosine_similarity({"a": 1}, {"b": 1}) == 0.0
    assert cosine_similarity({"a": 1}, {}) is None


def test_wasserstein_is_scipys() -> None:
    rng = np.random.default_rng(0)
    for sizes in ((5, 9), (1, 300), (400, 400)):
        a, b = rng.normal(size=sizes[0]).round(1), rng.normal(1, 2, size=sizes[1]).round(1)
        assert wasserstein(a, b) == pytest.approx(wasserstein_distance(a, b), rel=1e-12)


def test_published_values_of_the_jtvae_sample() -> None:
    """The first third of JT-VAE's published sample; benchmarks/moses_parity.py checks all of it, all metrics."""
    folder = Path(os.environ.get("MOLGEN_TEST_DATA", ""))
    path = folder / "parity" / "jtvae_moses_sample.smi.gz"
    if not path.is_file():
        pytest.skip("MOLGEN_TEST_DATA does not point to a folder with parity/jtvae_moses_sample.smi.gz")
    with gzip.open(path, "rt") as file:
        raw = [line.strip() for line, _ in zip(file, range(10_000), strict=False)]
    sample = read_sample(raw)
    assert sample.validity == 1.0
    assert uniqueness(sample.smiles, 10_000) == 0.9992
    first, second = internal_diversity(morgan_bits(sample.mols[:3000]))
    assert first == pytest.approx(0.85117122, abs=2e-3)  # published for all 30,000
    assert second == pytest.approx(0.84530886, abs=2e-3)


def test_the_old_property_distance_has_its_own_name_and_square_unit() -> None:
    """MOSES before 2019 printed this under the plain names; it must never stand for Wasserstein-1."""
    a, b = np.array([1.0, 3.0]), np.array([5.0, 9.0])  # means 2 and 7, deviations 1 and 2
    assert property_frechet(a, b) == pytest.approx(25.0 + 1.0)
    assert property_frechet(a, a) == 0.0
    assert wasserstein(a, b) == pytest.approx(5.0)
