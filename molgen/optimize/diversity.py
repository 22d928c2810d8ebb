"""Variety: quotas of scaffolds or clusters that make a search move on, and the choice of different molecules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from rdkit import Chem
from rdkit.SimDivFilters import rdSimDivPickers

from molgen.chem.fingerprints import bit_vector, morgan, tanimoto
from molgen.core.schema import DiversityConfig
from molgen.optimize.memory import Entry


class Quota(Protocol):
    """Counts visits of kinds of molecules and says what room is left for more of a kind."""

    @property
    def visits(self) -> Counter[str]:
        """Kind -> visits."""
        ...

    def visit(self, entry: Entry) -> float:
        """Record a visit; the factor on the reward: 1 while there is room, less once the bucket is full."""
        ...

    def clear(self) -> None:
        """Begin anew: another objective counts other molecules as good."""
        ...

    def metrics(self) -> Mapping[str, float]:
        """How many kinds were visited by good molecules, and how many of them are full."""
        ...


class _Buckets:
    """What both quotas have in common.

    A visit is any proposal, repeats included, whose total is at least ``min_score``: counting repeats is what stops a
    strategy from earning for ever with one molecule.
    """

    def __init__(self, bucket_size: int, min_score: float, strength: float = 1.0) -> None:
        self.bucket_size = bucket_size
        self.min_score = min_score
        self.strength = strength
        self.visits: Counter[str] = Counter()

    def count(self, kind: str) -> float:
        """One more visit of this kind, and the factor."""
        self.visits[kind] += 1
        return 1.0 if self.visits[kind] <= self.bucket_size else 1.0 - self.strength

    def metrics(self) -> dict[str, float]:
        """How many kinds, and how many of them are full."""
        full = sum(count >= self.bucket_size for count in self.visits.values())
        return {"kinds": float(len(self.visits)), "full_kinds": float(full)}


class ScaffoldMemory:
    """A quota for each Murcko scaffold (Blaschke et al., J. Cheminf. 2020, doi:10.1186/s13321-020-00473-0).

    Acyclic molecules count as scaffolds of their own. ``strength``: share of the reward that a full bucket takes.
    """

    def __init__(self, bucket_size: int, min_score: float, strength: float = 1.0) -> None:
        self._buckets = _Buckets(bucket_size, min_score, strength)

    @property
    def visits(self) -> Counter[str]:
        """Scaffold -> visits."""
        return self._buckets.visits

    def visit(self, entry: Entry) -> float:
        """See :class:`Quota`."""
        return self._buckets.count(entry.scaffold) if entry.total >= self._buckets.min_score else 1.0

    def clear(self) -> None:
        """No visits so far."""
        self._buckets.visits.clear()

    def metrics(self) -> dict[str, float]:
        """``kinds`` and ``full_kinds``: scaffolds."""
        return self._buckets.metrics()


class ClusterMemory:
    """A quota for each cluster of similar molecules (ECFP4), by leaders (Hartigan 1975; "sphere exclusion").

    A good molecule that is less than ``similarity`` like every leader so far becomes one; any other belongs to the
    leader that it is most like, the earlier among equals. So two scaffolds that differ in an atom share a quota, and
    a scaffold with very different decorations has several. Leaders depend on the order of the ledger alone: a resumed
    run has the same ones.
    """

    def __init__(
        self, bucket_size: int, min_score: float, similarity: float = 0.5, strength: float = 1.0
    ) -> None:
        self._buckets = _Buckets(bucket_size, min_score, strength)
        self.similarity = similarity
        self._leaders: list[str] = []
        self._member: dict[str, int] = {}
        self._prints = np.zeros((64, 256), dtype=np.uint8)

    @property
    def visits(self) -> Counter[str]:
        """SMILES of the leader -> visits."""
        return self._buckets.visits

    def visit(self, entry: Entry) -> float:
        """See :class:`Quota`."""
        if not entry.total >= self._buckets.min_score:
            return 1.0
        return self._buckets.count(self.leader(str(entry.smiles)))

    def leader(self, smiles: str) -> str:
        """The leader of its cluster; the molecule itself becomes one where there is none."""
        known = self._member.get(smiles)
        if known is None:
            bits = morgan([Chem.MolFromSmiles(smiles)])
            near = tanimoto(bits, self._prints[: len(self._leaders)])[0]
            if len(near) and near.max() >= self.similarity:
                known = int(near.argmax())
            else:
                known = len(self._leaders)
                if known == len(self._prints):  # room for twice as many
                    self._prints = np.concatenate([self._prints, np.zeros_like(self._prints)])
                self._prints[known] = bits[0]
                self._leaders.append(smiles)
            self._member[smiles] = known
        return self._leaders[known]

    def clear(self) -> None:
        """No visits and no leaders so far."""
        self._buckets.visits.clear()
        self._leaders.clear()
        self._member.clear()

    def metrics(self) -> dict[str, float]:
        """``kinds`` and ``full_kinds``: clusters."""
        return self._buckets.metrics()


def build_quota(config: DiversityConfig | None) -> Quota | None:
    """The quota that a configuration asks for."""
    if config is None:
        return None
    if config.kind == "cluster":
        return ClusterMemory(config.bucket_size, config.min_score, config.similarity, config.strength)
    return ScaffoldMemory(config.bucket_size, config.min_score, config.strength)


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
