"""Morgan fingerprints as packed bit rows, and Tanimoto similarities between many of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

_BLOCK = 1 << 22  # pairs x words at a time: bounds the scratch memory to some 32 MB


@lru_cache(maxsize=16)
def generator(radius: int = 2, n_bits: int = 2048) -> Any:
    """RDKit's Morgan generator (radius 2 = ECFP4), one per setting."""
    return rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=n_bits)


def bit_vector(mol: Chem.Mol, radius: int = 2, n_bits: int = 2048) -> DataStructs.ExplicitBitVect:
    """RDKit's own bit vector, for ``DataStructs.BulkTanimotoSimilarity`` with a few references."""
    return generator(radius, n_bits).GetFingerprint(mol)


def morgan(mols: Sequence[Chem.Mol], radius: int = 2, n_bits: int = 2048, counts: bool = False) -> np.ndarray:
    """Fingerprints, one row per molecule.

    Bits: uint8 ``[n, n_bits / 8]``, packed as by ``numpy.packbits``; ``n_bits`` is a multiple of 64.
    Counts: uint32 ``[n, n_bits]``. Rogers and Hahn, J. Chem. Inf. Model. 50 (2010) 742.
    """
    if n_bits % 64:
        raise ValueError(f"n_bits must be a multiple of 64, not {n_bits}")
    make = generator(radius, n_bits)
    if counts:
        table = np.zeros((len(mols), n_bits), dtype=np.uint32)
        for i, mol in enumerate(mols):
            table[i] = make.GetCountFingerprintAsNumPy(mol)
        return table
    packed = np.zeros((len(mols), n_bits // 8), dtype=np.uint8)
    for i, mol in enumerate(mols):
        packed[i] = np.packbits(make.GetFingerprintAsNumPy(mol))
    return packed


def tanimoto(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Tanimoto similarities float32 ``[len(a), len(b)]`` of packed fingerprints; two empty ones are 0 alike."""
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or a.shape[1] % 8:
        raise ValueError(f"packed fingerprints [n, bytes] of one width needed, not {a.shape} and {b.shape}")
    left, right = np.ascontiguousarray(a).view(np.uint64), np.ascontiguousarray(b).view(np.uint64)
    on_left = np.bitwise_count(left).sum(axis=1, dtype=np.int32)
    on_right = np.bitwise_count(right).sum(axis=1, dtype=np.int32)
    similarity = np.zeros((len(left), len(right)), dtype=np.float32)
    step = max(1, _BLOCK // max(1, right.size))
    for start in range(0, len(left), step):
        rows = slice(start, start + step)
        both = np.bitwise_count(left[rows, None, :] & right[None, :, :]).sum(axis=2, dtype=np.int32)
        either = on_left[rows, None] + on_right[None, :] - both
        similarity[rows] = both / np.maximum(either, 1)
    return similarity


def nearest(queries: np.ndarray, references: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each packed query row: index (int64) of the most similar reference, and the similarity (float32).

    Memory stays bounded whatever the sizes. Raises ValueError without references.
    """
    if len(references) == 0:
        raise ValueError("no references to compare with")
    index = np.zeros(len(queries), dtype=np.int64)
    best = np.zeros(len(queries), dtype=np.float32)
    step = max(1, _BLOCK // len(references))
    for start in range(0, len(queries), step):
        block = tanimoto(queries[start : start + step], references)
        index[start : start + step] = block.argmax(axis=1)
        best[start : start + step] = block.max(axis=1)
    return index, best
