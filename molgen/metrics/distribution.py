"""The distribution metrics of MOSES (Polykovskiy et al. 2020, Front. Pharmacol. 11, 565644), as its code computes them.

Validity counts raw strings. Uniqueness at k is over the first k *valid canonical* strings. Everything else is over
*all* valid molecules, duplicates included. Novelty compares with the raw training strings as published.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem.Scaffolds import MurckoScaffold

from molgen.chem.descriptors import DESCRIPTORS
from molgen.core.errors import DataError


@dataclass(frozen=True)
class Sample:
    """The valid part of a list of raw strings: canonical SMILES and molecules, in order, and the raw count.

    ``index`` says which raw string each came from.
    """

    n_raw: int
    smiles: list[str]
    mols: list[Chem.Mol]
    index: list[int] = field(default_factory=list)

    @property
    def validity(self) -> float:
        """Share of the raw strings that parse."""
        return len(self.smiles) / self.n_raw


def read_sample(raw: Sequence[str]) -> Sample:
    """Parse raw strings as MOSES does: RDKit parses and sanitizes, nothing is standardized, empty is invalid.

    Raises:
        DataError: no strings at all, or none of them valid.
    """
    if not raw:
        raise DataError("no molecules to evaluate: the list is empty")
    smiles, mols, index = [], [], []
    with rdBase.BlockLogs():
        for position, text in enumerate(raw):
            mol = Chem.MolFromSmiles(text) if text else None
            if mol is None:
                continue
            # Everything downstream sees the molecule of the canonical string, so that no metric depends on the
            # atom order of the raw one. A structure that does not survive its own canonical SMILES is not valid.
            canonical = Chem.MolToSmiles(mol)
            again = Chem.MolFromSmiles(canonical)
            if again is not None:
                mols.append(again)
                smiles.append(canonical)
                index.append(position)
    if not mols:
        raise DataError(f"none of the {len(raw)} strings is a valid molecule; first: {raw[0]!r}")
    return Sample(len(raw), smiles, mols, index)


def validity(raw: Sequence[str]) -> float:
    """Share of raw strings that RDKit parses and sanitizes."""
    return read_sample(raw).validity


def uniqueness(canonical: Sequence[str], k: int | None = None) -> float | None:
    """Share of distinct strings among the first ``k`` valid canonical ones (all without ``k``); None if fewer than k.

    MOSES divides by the number it has and warns; a number from 600 molecules is no unique@1k, so there is none here.
    """
    if k is not None and len(canonical) < k:
        return None
    first = canonical[:k]
    return len(set(first)) / len(first)


def novelty(canonical: Sequence[str], training: Container[str]) -> float:
    """Share of the distinct canonical strings that are not among the training strings (compared as text)."""
    distinct = set(canonical)
    known = lookup(training)
    return sum(text not in known for text in distinct) / len(distinct)


def lookup(strings: Container[str]) -> Container[str]:
    """A list as a set; whatever answers ``in`` quickly stays as it is."""
    return set(strings) if isinstance(strings, (list, tuple)) else strings


def fragment_counts(mols: Sequence[Chem.Mol]) -> Counter[str]:
    """BRICS fragment SMILES (dummy isotopes kept) and how often each occurs."""
    counts: Counter[str] = Counter()
    for mol in mols:
        counts.update(Chem.MolToSmiles(Chem.FragmentOnBRICSBonds(mol)).split("."))
    return counts


def scaffold_counts(mols: Sequence[Chem.Mol], min_rings: int = 2) -> Counter[str]:
    """Murcko scaffold SMILES with at least ``min_rings`` rings and how often each occurs."""
    counts: Counter[str] = Counter()
    for mol in mols:
        scaffold = MurckoScaffold.GetScaffoldForMol(mol)
        if scaffold.GetNumAtoms() and scaffold.GetRingInfo().NumRings() >= min_rings:
            counts[Chem.MolToSmiles(scaffold)] += 1
    return counts


def cosine_similarity(a: Mapping[str, int], b: Mapping[str, int]) -> float | None:
    """Cosine of two count vectors over the union of their keys; None where one of them is empty."""
    if not a or not b:
        return None
    # Counts are integers: exact in Python, and one rounding at the end instead of one per key.
    dot = sum(count * b[key] for key, count in a.items() if key in b)
    squares = sum(count * count for count in a.values()) * sum(count * count for count in b.values())
    return float(dot / squares**0.5)


def properties(mols: Sequence[Chem.Mol]) -> dict[str, np.ndarray]:
    """logP (Crippen), SA score (Ertl), QED and weight in g/mol, each ``float64 [n]``."""
    names = {"logP": "logp", "SA": "sa_score", "QED": "qed", "weight": "mol_weight"}
    return {
        name: np.array([DESCRIPTORS[descriptor](mol) for mol in mols], dtype=np.float64)
        for name, descriptor in names.items()
    }


def wasserstein(a: np.ndarray, b: np.ndarray) -> float:
    """Wasserstein-1 distance of two samples of real numbers, in their unit: the area between their step functions."""
    a, b = np.sort(np.asarray(a, dtype=np.float64)), np.sort(np.asarray(b, dtype=np.float64))
    grid = np.sort(np.concatenate([a, b]))
    share_a = np.searchsorted(a, grid[:-1], side="right") / len(a)
    share_b = np.searchsorted(b, grid[:-1], side="right") / len(b)
    return float(np.abs(share_a - share_b) @ np.diff(grid))


def property_frechet(a: np.ndarray, b: np.ndarray) -> float:
    """One-dimensional Frechet distance of two samples: squared shift of mean plus squared shift of deviation.

    Versions of MOSES before 2019 printed this under the names of the properties; published metric files of that time
    (JT-VAE's, for one) hold it. Its unit is the square of the property's: never compare it with Wasserstein-1.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return float((a.mean() - b.mean()) ** 2 + (a.std() - b.std()) ** 2)
