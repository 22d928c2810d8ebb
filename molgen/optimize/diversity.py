"""Variety: a scaffold memory that makes a search move on, and the choice of different molecules among good ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from rdkit import Chem
from rdkit.SimDivFilters import rdSimDivPickers

from molgen.chem.fingerprints import bit_vector, morgan, tanimoto


class ScaffoldMemory:
    """Counts visits per Murcko scaffold (Blaschke et al., J. Cheminf. 2020, doi:10.1186/s13321-020-00473-0).

    A visit is any proposal, repeats included, whose total is at least ``min_score``: counting repeats is what stops
    a strategy from earning for ever with one molecule. Acyclic molecules count as scaffolds of their own.
    """

    def __init__(self, bucket_size: int, min_score: float) -> None:
        self.bucket_size = bucket_size
        self.min_score = min_score
        self.visits: Counter[str] = Counter()

    def visit(self, scaffold: str, total: float) -> float:
        """Record a visit; the factor on the reward: 1 while there is room, 0 once the bucket is full."""
        if not total >= self.min_score:
            return 1.0
        self.visits[scaffold] += 1
        return 1.0 if self.visits[scaffold] <= self.bucket_size else 0.0


def butina(mols: Sequence[Chem.Mol], similarity: float = 0.4) -> np.ndarray:
    """Cluster numbers int64 ``[n]`` from 0, in the order in which the clusters' first members stand in the list.

    Butina, J. Chem. Inf. Comput. Sci. 39 (1999) 747, on ECFP4: the molecule with most neighbors at or above
    ``similarity`` is the center of the first cluster, and so on with those that are left; neighbors are counted again
    after each cluster, and among equals the earlier molecule is the center. Memory grows with the square of ``n``.
    """
    prints = morgan(list(mols))
    near = tanimoto(prints, prints) >= similarity
    np.fill_diagonal(near, True)  # also for a molecule without a single bit
    counts = near.sum(axis=1)
    center = np.full(len(near), -1, dtype=np.int64)
    while (center < 0).any():
        best = int(np.where(center < 0, counts, -1).argmax())
        members = np.flatnonzero(near[best] & (center < 0))
        center[members] = best
        counts = counts - near[:, members].sum(axis=1)
    numbers: dict[int, int] = {}
    return np.array([numbers.setdefault(int(c), len(numbers)) for c in center], dtype=np.int64)


def one_of_each(clusters: np.ndarray, n: int) -> list[int]:
    """``n`` indices, ascending: the first member of each cluster, then the second of each, and so on."""
    seen: Counter[int] = Counter()
    turn = []
    for cluster in clusters.tolist():
        turn.append(seen[cluster])
        seen[cluster] += 1
    order = sorted(range(len(turn)), key=lambda i: (turn[i], i))
    return sorted(order[:n])


def maxmin(mols: Sequence[Chem.Mol], n: int) -> list[int]:
    """``n`` indices, ascending, that start with the first molecule and add what is least like those so far (ECFP4).

    Ashton et al., Quant. Struct.-Act. Relat. 21 (2002) 598, by RDKit's picker.
    """
    if n >= len(mols):
        return list(range(len(mols)))
    prints = [bit_vector(mol) for mol in mols]
    return sorted(rdSimDivPickers.MaxMinPicker().LazyBitVectorPick(prints, len(prints), n, [0]))
