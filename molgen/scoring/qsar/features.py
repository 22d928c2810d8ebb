"""What the activity models see of a molecule: atom environments with their counts, eight descriptors, a graph."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem import Crippen, Descriptors, rdFingerprintGenerator, rdMolDescriptors

RADIUS, N_BITS = 2, 2048
DESCRIPTORS = (
    "mol_weight",
    "logp",
    "tpsa",
    "hbd",
    "hba",
    "rotatable_bonds",
    "fraction_csp3",
    "aromatic_rings",
)
_MOST = 255  # a count above it says no more


class Features:
    """Features of a list of molecules. Rows taken from one set share what was computed for all of it.

    ``indptr`` int64 ``[n + 1]``, ``hashes`` uint64 and ``counts`` int64 ``[k]``: the atom environments (ECFP4, not
    folded) of each molecule. Rogers and Hahn, J. Chem. Inf. Model. 50 (2010) 742.
    """

    def __init__(
        self,
        indptr: np.ndarray,
        hashes: np.ndarray,
        counts: np.ndarray,
        mols: Sequence[Chem.Mol] | None = None,
        descriptors: np.ndarray | None = None,
    ) -> None:
        self.indptr, self.hashes, self.counts = indptr, hashes, counts
        self.mols = mols
        self._descriptors = descriptors
        self._table: np.ndarray | None = None
        self._bits: np.ndarray | None = None
        self.root: Features = self
        self.rows = np.arange(len(indptr) - 1)
        self.shared: dict[str, Any] = {}  # kernels, graphs: filled by the models that need them

    @classmethod
    def of(cls, mols: Sequence[Chem.Mol]) -> Features:
        """The features of RDKit molecules."""
        make = _generator()
        found = [make.GetSparseCountFingerprint(mol).GetNonzeroElements() for mol in mols]
        return cls.from_counts(found, mols)

    @classmethod
    def from_counts(
        cls,
        found: Sequence[dict[int, int]],
        mols: Sequence[Chem.Mol] | None,
        descriptors: np.ndarray | None = None,
    ) -> Features:
        """Features from environments that are known already: one dictionary (hash -> count) a molecule."""
        sizes = np.array([len(row) for row in found], dtype=np.int64)
        hashes = np.fromiter((k for row in found for k in row), dtype=np.uint64, count=int(sizes.sum()))
        counts = np.fromiter((v for row in found for v in row.values()), dtype=np.int64, count=len(hashes))
        indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        return cls(indptr, hashes, np.minimum(counts, _MOST), mols, descriptors)

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, rows: np.ndarray) -> Features:
        """The molecules at ``rows`` (positions in this set)."""
        part = object.__new__(Features)
        part.__dict__.update(self.__dict__)
        chosen = np.asarray(rows)
        sizes = np.diff(self.indptr)[chosen]
        part.indptr = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        places = np.repeat(self.indptr[:-1][chosen] - part.indptr[:-1], sizes) + np.arange(part.indptr[-1])
        part.hashes, part.counts = self.hashes[places], self.counts[places]
        part.mols = None if self.mols is None else [self.mols[i] for i in chosen.tolist()]
        part._descriptors = None if self._descriptors is None else self._descriptors[chosen]
        part._table = part._bits = None
        part.rows = self.rows[chosen]
        return part

    def alone(self) -> Features:
        """The same molecules as a set of their own, so that nothing is computed for those that they were taken from."""
        part = self.take(np.arange(len(self)))
        part.root, part.rows, part.shared = part, np.arange(len(part)), {}
        return part

    @property
    def descriptors(self) -> np.ndarray:
        """float32 ``[n, 8]``, in the order of :data:`DESCRIPTORS`."""
        if self._descriptors is None:
            assert self.mols is not None
            self._descriptors = np.array([_describe(mol) for mol in self.mols], dtype=np.float32).reshape(
                -1, len(DESCRIPTORS)
            )
        return self._descriptors

    @property
    def table(self) -> np.ndarray:
        """Folded counts, then the descriptors: float32 ``[n, 2048 + 8]``; what a forest is grown on."""
        if self.root is not self:
            return np.asarray(self.root.table[self.rows])
        if self._table is None:
            table = np.zeros((len(self), N_BITS + len(DESCRIPTORS)), dtype=np.float32)
            np.add.at(
                table, (self._owners(), (self.hashes % np.uint64(N_BITS)).astype(np.int64)), self.counts
            )
            table[:, N_BITS:] = self.descriptors
            self._table = table
        return self._table

    @property
    def bits(self) -> np.ndarray:
        """Packed ECFP4 bits uint8 ``[n, 256]``, those of :func:`molgen.chem.fingerprints.morgan`."""
        if self._bits is None:
            bits = np.zeros((len(self), N_BITS), dtype=bool)
            bits[self._owners(), (self.hashes % np.uint64(N_BITS)).astype(np.int64)] = True
            self._bits = np.packbits(bits, axis=1)
        return self._bits

    def levels(self) -> tuple[np.ndarray, np.ndarray]:
        """One key for each time that an environment occurs, so that intersections of counts are those of sets.

        Keys uint64 ``[k]`` and where each molecule's begin, int64 ``[n + 1]``.
        """
        repeats = self.counts
        starts = np.cumsum(repeats) - repeats
        level = np.arange(int(repeats.sum())) - np.repeat(starts, repeats)
        keys = (np.repeat(self.hashes, repeats) << np.uint64(8)) | level.astype(np.uint64)
        ends = np.concatenate([[0], np.cumsum(repeats)])
        return keys, ends[self.indptr]

    def _owners(self) -> np.ndarray:
        return np.repeat(np.arange(len(self)), np.diff(self.indptr))


@cache
def _generator() -> Any:
    return rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=N_BITS)


def _describe(mol: Chem.Mol) -> list[float]:
    return [
        Descriptors.MolWt(mol),
        Crippen.MolLogP(mol),
        rdMolDescriptors.CalcTPSA(mol),
        rdMolDescriptors.CalcNumHBD(mol),
        rdMolDescriptors.CalcNumHBA(mol),
        rdMolDescriptors.CalcNumRotatableBonds(mol),
        rdMolDescriptors.CalcFractionCSP3(mol),
        rdMolDescriptors.CalcNumAromaticRings(mol),
    ]


def environments(mol: Chem.Mol) -> list[tuple[int, frozenset[int]]]:
    """Every occurrence of an environment: its hash, and the atoms that it looks at. Sums to the counts of ``of``."""
    extra = rdFingerprintGenerator.AdditionalOutput()
    extra.AllocateBitInfoMap()
    _generator().GetSparseCountFingerprint(mol, additionalOutput=extra)
    found = []
    distances = Chem.GetDistanceMatrix(mol)
    for key, places in extra.GetBitInfoMap().items():
        for center, radius in places:
            atoms = frozenset(np.flatnonzero(distances[center] <= radius).tolist())
            found.append((int(key), atoms))
    return found
