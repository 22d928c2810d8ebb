"""Exact Tanimoto statistics between large fingerprint sets by matrix products: nearest neighbors, internal diversity.

Intersections of 0/1 fingerprints are whole numbers, so a product in a narrow type is exact as long as that type
holds them: bfloat16 holds every integer up to 256, int8 products accumulate in int32. Which type is fastest
depends on the chip (AMX, VNNI, AVX-512), so it is measured once, and the result does not depend on the choice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import pairwise

import numpy as np
import torch
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from torch import Tensor

from molgen.core.errors import DataError

Progress = Callable[[int], None]
_EXACT = 256  # largest number of set bits for which every product type below is exact


def morgan_bits(mols: Sequence[Chem.Mol], radius: int = 2, n_bits: int = 1024) -> np.ndarray:
    """Packed Morgan fingerprints ``uint8 [n, n_bits / 8]``; the defaults are those of MOSES."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=radius, fpSize=n_bits)
    packed = np.empty((len(mols), n_bits // 8), dtype=np.uint8)
    for i, mol in enumerate(mols):
        packed[i] = np.packbits(generator.GetFingerprintAsNumPy(mol).astype(bool))
    return packed


def _multiply_float32(a: Tensor, b: Tensor) -> Tensor:
    return a @ b.t()


def _multiply_int8(a: Tensor, b: Tensor) -> Tensor:
    return torch._int_mm(a, b.t())


_PRODUCTS: dict[torch.dtype, Callable[[Tensor, Tensor], Tensor]] = {
    torch.float32: _multiply_float32,
    torch.bfloat16: _multiply_float32,
    torch.int8: _multiply_int8,
}


@cache
def _fastest_type() -> torch.dtype:
    """The element type whose product is fastest here, among those that give the exact result."""
    bits = torch.arange(512 * 1024).reshape(512, 1024) * 7919 % 25 == 0
    expected = _multiply_float32(bits.float(), bits.float())
    timings: dict[torch.dtype, float] = {}
    for dtype, multiply in _PRODUCTS.items():
        operand = bits.to(dtype)
        try:
            result = multiply(operand, operand)
        except (RuntimeError, AttributeError):  # this build of torch has no such product
            continue
        if torch.equal(result.float(), expected):
            start = time.perf_counter()
            multiply(operand, operand)
            timings[dtype] = time.perf_counter() - start
    return min(timings, key=lambda dtype: timings[dtype])


def _unpack(packed: np.ndarray, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """The 0/1 matrix in ``dtype`` and its row sums in float32."""
    bits = torch.from_numpy(np.unpackbits(packed, axis=1))
    return bits.to(dtype), bits.sum(dim=1, dtype=torch.float32)


def _check(*fingerprints: np.ndarray) -> None:
    for packed in fingerprints:
        if packed.dtype != np.uint8 or packed.ndim != 2 or len(packed) == 0:
            raise DataError(
                f"expected packed fingerprints uint8 [n, bytes] with n > 0, got {packed.dtype} {packed.shape}"
            )
    if len({packed.shape[1] for packed in fingerprints}) > 1:
        raise DataError("the fingerprints differ in length")


def nearest_similarity(
    queries: np.ndarray, references: np.ndarray, *, chunk: int = 2048, progress: Progress | None = None
) -> np.ndarray:
    """Tanimoto similarity of each query to its nearest reference, ``float64 [n]`` (each rounded to float32, as MOSES).

    Args:
        queries: packed fingerprints ``uint8 [n, bytes]``.
        references: packed fingerprints ``uint8 [m, bytes]``.
        chunk: rows per block; bounds the memory.
        progress: called with the number of references done.

    References are taken by their number of bits: at equal numbers the similarity grows with the intersection, so
    only the largest intersection per group needs the division. Two empty fingerprints count as identical, as in MOSES.
    """
    _check(queries, references)
    distinct, inverse = np.unique(queries, axis=0, return_inverse=True)
    counts = np.bitwise_count(references).sum(axis=1, dtype=np.int64)
    order = np.argsort(counts, kind="stable")
    references, counts = references[order], counts[order]
    limit = max(int(counts[-1]), int(np.bitwise_count(distinct).sum(axis=1, dtype=np.int64).max()))
    dtype = _fastest_type() if limit <= _EXACT else torch.float32
    multiply = _PRODUCTS[dtype]
    x, x_sum = _unpack(distinct, dtype)
    best = torch.zeros(len(distinct))
    bounds = (np.flatnonzero(np.diff(counts)) + 1).tolist()  # where the next number of bits begins
    for start in range(0, len(counts), chunk):
        stop = min(start + chunk, len(counts))
        y, _ = _unpack(references[start:stop], dtype)
        inner = [bound for bound in bounds if start < bound < stop]
        edges = [start, *inner, stop]
        for row in range(0, len(x), chunk):
            common = multiply(x[row : row + chunk], y)
            for low, high in pairwise(edges):
                largest = common[:, low - start : high - start].amax(dim=1).float()
                similarity = largest / (x_sum[row : row + chunk] + float(counts[low]) - largest)
                similarity.nan_to_num_(nan=1.0)
                torch.maximum(best[row : row + chunk], similarity, out=best[row : row + chunk])
        if progress is not None:
            progress(stop)
    return best.double().numpy()[inverse.reshape(-1)]


def similarity_blocks(
    a: np.ndarray, b: np.ndarray, *, chunk: int = 2048
) -> Iterator[tuple[slice, slice, Tensor]]:
    """Exact Tanimoto similarities of packed fingerprints, block by block: (rows of a, rows of b, float32 block)."""
    _check(a, b)
    limit = max(int(np.bitwise_count(x).sum(axis=1, dtype=np.int64).max()) for x in (a, b))
    dtype = _fastest_type() if limit <= _EXACT else torch.float32
    y, y_sum = _unpack(b, dtype)
    for start in range(0, len(a), chunk):
        rows = slice(start, min(start + chunk, len(a)))
        x, x_sum = _unpack(a[rows], dtype)
        for first in range(0, len(b), chunk):
            columns = slice(first, min(first + chunk, len(b)))
            common = _product(x, y[columns], dtype)
            union = (x_sum[:, None] + y_sum[None, columns]).sub_(common)
            yield rows, columns, common.div_(union).nan_to_num_(nan=1.0)


def without_self(block: Tensor, rows: slice, columns: slice, value: float) -> None:
    """Overwrite what a molecule has with itself in a block of a set against itself."""
    first, last = max(rows.start, columns.start), min(rows.stop, columns.stop)
    if first < last:
        own = torch.arange(first, last)
        block[own - rows.start, own - columns.start] = value


def _product(x: Tensor, y: Tensor, dtype: torch.dtype) -> Tensor:
    """Intersections in float32; int8 products want more than 16 rows, a handful is as fast in float32."""
    if dtype == torch.int8 and min(len(x), len(y)) <= 16:
        return _multiply_float32(x.float(), y.float())
    return _PRODUCTS[dtype](x, y).float()


def nearest_others(fingerprints: np.ndarray, k: int = 1, *, chunk: int = 2048) -> np.ndarray:
    """Similarity of each molecule to its k-th most similar *other* one of the set, ``float64 [n]``; needs n > k."""
    if len(fingerprints) <= k:
        raise DataError(f"the {k}. nearest other molecule needs more than {k} molecules")
    best = torch.full((len(fingerprints), k), -1.0)
    for rows, columns, block in similarity_blocks(fingerprints, fingerprints, chunk=chunk):
        without_self(block, rows, columns, -1.0)
        best[rows] = torch.cat([best[rows], block], dim=1).topk(k, dim=1).values
    return best[:, -1].double().numpy()


def internal_diversity(fingerprints: np.ndarray, *, chunk: int = 2048) -> tuple[float, float]:
    """IntDiv and IntDiv2 of MOSES for packed fingerprints ``uint8 [n, bytes]``.

    ``IntDiv = 1 - mean_ij T``, ``IntDiv2 = 1 - mean_i sqrt(mean_j T^2)``; pairs of a molecule with itself count,
    and the root is taken per row, before averaging, as the published code does (its paper has it otherwise).
    """
    _check(fingerprints)
    distinct, weights = np.unique(fingerprints, axis=0, return_counts=True)
    limit = int(np.bitwise_count(distinct).sum(axis=1, dtype=np.int64).max())
    dtype = _fastest_type() if limit <= _EXACT else torch.float32
    x, x_sum = _unpack(distinct, dtype)
    weight = torch.from_numpy(weights).double()
    n = len(fingerprints)
    means, squares = torch.zeros(len(x), dtype=torch.float64), torch.zeros(len(x), dtype=torch.float64)
    for row in range(0, len(x), chunk):
        rows = slice(row, row + chunk)
        for column in range(row, len(x), chunk):  # the lower half is the upper one turned
            columns = slice(column, column + chunk)
            common = _PRODUCTS[dtype](x[rows], x[columns]).float()
            union = (x_sum[rows, None] + x_sum[None, columns]).sub_(common)
            similarity = common.div_(union).nan_to_num_(nan=1.0).double()
            turned = column > row
            means[rows] += similarity @ weight[columns]
            if turned:
                means[columns] += weight[rows] @ similarity
            similarity.square_()
            squares[rows] += similarity @ weight[columns]
            if turned:
                squares[columns] += weight[rows] @ similarity
    row_weight = torch.from_numpy(weights).double() / n
    return float(1.0 - row_weight @ (means / n)), float(1.0 - row_weight @ (squares / n).sqrt())
