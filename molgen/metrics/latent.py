"""How smooth a latent space is: path length, locality and drift, for any pair of functions encode and decode.

The path length is that of Karras et al. 2019 (arXiv:1812.04948) with Tanimoto distance in the place of the perceptual
one. Molecules are discrete, so decoding jumps; that is why locality, distinct molecules per path and monotone drift are
measured beside it. Compare models on the same pairs of molecules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from rdkit import Chem, rdBase

from molgen.chem.canonical import canonical
from molgen.chem.fingerprints import morgan
from molgen.core.errors import DataError

Encode = Callable[[Sequence[str]], np.ndarray]  # SMILES -> points [n, d]
Decode = Callable[[np.ndarray], Sequence[str]]  # points [n, d] -> one string per point, greedily


@dataclass(frozen=True)
class PathLength:
    """``length``: mean squared Tanimoto distance of a small step over its square; lower is smoother.

    ``distinct``: different valid molecules per path. ``drift``: mean Spearman correlation of the place on the path
    with the similarity to its end; 1 is a steady way. ``valid``: share of the decoded strings that parse.
    """

    length: float
    distinct: float
    drift: float
    valid: float
    paths: int


def slerp(a: np.ndarray, b: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Points between ``a`` and ``b`` ``[n, d]`` at ``t [n]`` on the great circle, lengths interpolated likewise."""
    length_a, length_b = np.linalg.norm(a, axis=1), np.linalg.norm(b, axis=1)
    cosine = (a * b).sum(axis=1) / np.maximum(length_a * length_b, 1e-12)
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    straight = np.sin(angle) < 1e-6
    sine = np.where(straight, 1.0, np.sin(angle))
    left = np.where(straight, 1.0 - t, np.sin((1.0 - t) * angle) / sine)
    right = np.where(straight, t, np.sin(t * angle) / sine)
    return np.asarray(left[:, None] * a + right[:, None] * b)


def path_length(
    starts: Sequence[str],
    ends: Sequence[str],
    encode: Encode,
    decode: Decode,
    *,
    step: float = 1e-2,
    points: int = 10,
    seed: int = 0,
) -> PathLength:
    """Walk from each start to its end. ``step`` is the small step of the length, ``points`` the stations of a path.

    Raises:
        DataError: no pairs, or lists of unequal length.
    """
    if not starts or len(starts) != len(ends):
        raise DataError("path length needs as many ends as starts, at least one pair")
    a, b = np.asarray(encode(starts), dtype=np.float64), np.asarray(encode(ends), dtype=np.float64)
    at = np.random.default_rng(seed).uniform(0.0, 1.0 - step, len(a))
    one, two = _bits(decode(slerp(a, b, at))), _bits(decode(slerp(a, b, at + step)))
    both = [(x, y) for x, y in zip(one, two, strict=True) if x is not None and y is not None]
    steps = [(1.0 - _tanimoto(x, y)) ** 2 / step**2 for x, y in both]
    distinct, drifts, valid = [], [], []
    goal = _bits(ends)
    stations = np.linspace(0.0, 1.0, points)
    way = slerp(np.repeat(a, points, 0), np.repeat(b, points, 0), np.tile(stations, len(a)))
    decoded = list(decode(way))  # all paths in one call: decoders are fast in large batches
    for i in range(len(a)):
        texts = decoded[i * points : (i + 1) * points]
        rows = _bits(texts)
        found = [(place, row) for place, row in zip(stations, rows, strict=True) if row is not None]
        valid.append(len(found) / points)
        distinct.append(len({canonical(text) for text in texts} - {None}))
        target = goal[i]
        if len(found) > 2 and target is not None:
            drifts.append(_spearman([p for p, _ in found], [_tanimoto(row, target) for _, row in found]))
    return PathLength(
        length=float(np.mean(steps)) if steps else float("nan"),
        distinct=float(np.mean(distinct)),
        drift=float(np.mean(drifts)) if drifts else float("nan"),
        valid=float(np.mean(valid)),
        paths=len(a),
    )


def locality(
    smiles: Sequence[str],
    encode: Encode,
    decode: Decode,
    *,
    radii: Sequence[float] = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0),
    seed: int = 0,
) -> dict[float, float]:
    """Mean Tanimoto similarity of the molecule decoded at distance r, in a random direction, to the one at 0.

    Radius 0 is reconstruction. Directions have unit length and are the same for every radius; invalid strings count as
    similarity 0.
    """
    if not smiles:
        raise DataError("locality needs at least one molecule")
    z = np.asarray(encode(smiles), dtype=np.float64)
    direction = np.random.default_rng(seed).normal(size=z.shape)
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    origin = _bits(smiles)
    result = {}
    for radius in radii:
        there = _bits(decode(z + radius * direction))
        pairs = zip(origin, there, strict=True)
        result[radius] = float(
            np.mean([0.0 if x is None or y is None else _tanimoto(x, y) for x, y in pairs])
        )
    return result


def _parse(text: str) -> Chem.Mol | None:
    with rdBase.BlockLogs():
        return Chem.MolFromSmiles(text) if text else None


def _bits(texts: Sequence[str]) -> list[np.ndarray | None]:
    mols = [_parse(text) for text in texts]
    return [None if mol is None else morgan([mol])[0] for mol in mols]


def _tanimoto(a: np.ndarray, b: np.ndarray) -> float:
    both, either = int(np.bitwise_count(a & b).sum()), int(np.bitwise_count(a | b).sum())
    return both / either if either else 1.0


def _spearman(x: Sequence[float], y: Sequence[float]) -> float:
    from scipy.stats import rankdata

    a, b = rankdata(x), rankdata(y)
    if a.std() == 0 or b.std() == 0:
        return 0.0  # nothing moves: no drift
    return float(np.corrcoef(a, b)[0, 1])
