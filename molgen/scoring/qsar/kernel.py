"""Tanimoto similarity of count fingerprints between sets of molecules, exact, as sparse products."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from molgen.scoring.qsar.features import Features

_COLUMNS = 512
_FEW = 64


def tanimoto_counts(a: Features, b: Features) -> np.ndarray:
    """``sum min / sum max`` of the counts, float64 ``[len(a), len(b)]``; 1 for a molecule with itself.

    Ralaivola et al., Neural Networks 18 (2005) 1093: a positive definite kernel. Subsets of one set share a matrix.
    """
    if a.root is b.root:
        return np.asarray(_own(a.root)[np.ix_(a.rows, b.rows)], dtype=np.float64)
    return _kernel(a, b)


def _own(x: Features) -> np.ndarray:
    """The matrix of a set with itself, float32, kept with the set."""
    if "gram" not in x.shared:
        x.shared["gram"] = _kernel(x, x).astype(np.float32)
    return np.asarray(x.shared["gram"])


def _kernel(a: Features, b: Features) -> np.ndarray:
    if "columns" not in b.shared or b.root is not b:
        keys, ends = b.levels()
        vocabulary, places = np.unique(keys, return_inverse=True)
        ones = np.ones(len(places), dtype=np.float32)
        matrix = sparse.csr_matrix((ones, places, ends), shape=(len(b), len(vocabulary))).T.tocsr()
        found = (vocabulary, matrix, np.diff(ends))
        if b.root is b:
            b.shared["columns"] = found
    else:
        found = b.shared["columns"]
    vocabulary, columns, size_b = found
    keys, ends = a.levels()
    place = np.searchsorted(vocabulary, keys)
    known = vocabulary[np.minimum(place, len(vocabulary) - 1)] == keys
    kept = np.concatenate([[0], np.cumsum(known)])[ends]
    ones = np.ones(int(known.sum()), dtype=np.float32)
    rows = sparse.csr_matrix((ones, place[known], kept), shape=(len(a), len(vocabulary)))
    if len(a) < _FEW:
        both = (rows @ columns).toarray().astype(np.float64)
    else:
        both = np.empty((len(a), len(b)))
        for start in range(0, len(b), _COLUMNS):
            part = slice(start, start + _COLUMNS)
            both[:, part] = rows @ columns[:, part].toarray()
    either = np.diff(ends)[:, None] + size_b[None, :] - both
    return np.asarray(both / np.maximum(either, 1))
