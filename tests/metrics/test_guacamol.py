"""The expected values are those of the package guacamol 0.5.5 (its functions on the same numbers), computed once."""

from __future__ import annotations

import math

import numpy as np
import pytest
from rdkit import Chem

from molgen.core.errors import DataError
from molgen.metrics.guacamol import (
    DESCRIPTORS,
    continuous_kl,
    describe_set,
    discrete_kl,
    flat_smiles,
    guacamol_metrics,
    reference_of,
)

ONE = ["CCO", "CCCO", "c1ccccc1O", "CC(=O)Nc1ccc(O)cc1", "CC(C)Cc1ccc(C(C)C(=O)O)cc1", "O=C(O)c1ccccc1O"]
TWO = ["CCN", "CCCN", "c1ccccc1N", "CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "CCCC"]


def test_nine_descriptors_and_the_similarity_to_the_nearest_other() -> None:
    values, similarity = describe_set(ONE)
    assert tuple(values) == DESCRIPTORS
    assert len(DESCRIPTORS) == 9
    assert values["NumAromaticRings"].tolist() == [0, 0, 1, 1, 1, 1]
    assert values["MolWt"][0] == pytest.approx(46.069)
    assert similarity.shape == (6,)
    assert similarity.max() < 1.0  # not the molecule itself


def test_the_divergences_are_those_of_the_original() -> None:
    a, b = np.array([1.0, 2, 2, 3, 5, 8]), np.array([1.5, 2, 4, 4, 6, 7])
    assert continuous_kl(a, b) == pytest.approx(0.03840095134914337, rel=1e-9)
    assert discrete_kl(a, b) == pytest.approx(11.026432254933713, rel=1e-9)
    assert discrete_kl(a, a) == continuous_kl(b, b) == 0.0


def test_the_reference_itself_scores_one() -> None:
    reference = reference_of(ONE, None)
    found = guacamol_metrics([True] * 6, ONE, ONE, reference, training=TWO)
    assert found["KL score"] == pytest.approx(1.0)
    assert found["validity"] == found["novelty"] == 1.0
    assert found["uniqueness"] is None  # of 10,000 valid molecules, not of six
    assert "FCD score" not in found


def test_repeats_and_invalid_strings_count_where_they_should() -> None:
    reference = reference_of(ONE, None)
    found = guacamol_metrics([True, False, True, True], ["CCN", "CCN", "CCO"], ["CCN"] * 3, reference, ONE)
    assert found["validity"] == 0.75
    assert found["novelty"] == 0.5
    assert 0 < found["KL score"] < 1


def test_stereo_is_no_difference() -> None:
    assert flat_smiles(Chem.MolFromSmiles("C[C@H](N)C(=O)O")) == flat_smiles(
        Chem.MolFromSmiles("C[C@@H](N)C(=O)O")
    )


def test_a_descriptor_without_spread_is_no_crash() -> None:
    assert continuous_kl(np.ones(4), np.ones(5)) == 0.0
    assert continuous_kl(np.ones(4), np.arange(5.0)) == math.inf
    assert discrete_kl(np.arange(5.0), np.full(3, 99.0)) == math.inf


def test_one_molecule_has_no_divergence() -> None:
    with pytest.raises(DataError, match="at least 2"):
        describe_set(["CCO"])
