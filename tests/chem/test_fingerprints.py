import numpy as np
import pytest
from rdkit import DataStructs

from molgen.chem import fingerprints
from molgen.chem.fingerprints import bit_vector, morgan, nearest, tanimoto


def test_similarities_are_rdkits(mols):
    packed = morgan(mols[:40])
    vectors = [bit_vector(mol) for mol in mols[:40]]
    expected = np.array([DataStructs.BulkTanimotoSimilarity(vector, vectors) for vector in vectors])
    assert packed.shape == (40, 256)
    np.testing.assert_allclose(tanimoto(packed, packed), expected, atol=1e-7)


def test_blocks_change_nothing(mols, monkeypatch):
    packed = morgan(mols[:30])
    whole = tanimoto(packed, packed[:7])
    monkeypatch.setattr(fingerprints, "_BLOCK", 500)
    np.testing.assert_array_equal(tanimoto(packed, packed[:7]), whole)
    index, best = nearest(packed, packed[:7])
    np.testing.assert_array_equal(best, whole.max(axis=1))
    np.testing.assert_array_equal(index, whole.argmax(axis=1))


def test_counts(mols):
    counts = morgan(mols[:5], n_bits=1024, counts=True)
    assert counts.shape == (5, 1024)
    assert counts.max() > 1


def test_two_empty_fingerprints_are_not_alike():
    assert tanimoto(np.zeros((1, 8), np.uint8), np.zeros((1, 8), np.uint8)) == 0


def test_mistakes_are_named(mols):
    with pytest.raises(ValueError, match="multiple of 64"):
        morgan(mols[:1], n_bits=100)
    with pytest.raises(ValueError, match="one width"):
        tanimoto(morgan(mols[:1]), morgan(mols[:1], n_bits=1024))
    with pytest.raises(ValueError, match="no references"):
        nearest(morgan(mols[:1]), morgan([]))
