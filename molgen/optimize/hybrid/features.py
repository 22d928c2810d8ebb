"""What the surrogate sees of a molecule: count fingerprints as sets of folded bits, and a few descriptors.

A count fingerprint becomes a set by naming each repetition: a pattern that occurs three times gives the elements
(pattern, 1), (pattern, 2), (pattern, 3). The Tanimoto similarity of such sets is the MinMax similarity of the
counts (sum of the smaller counts over sum of the larger ones), and the size of an intersection is a sum of table
columns, which is cheap (:mod:`molgen.optimize.hybrid.kernels`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator as generators
from rdkit.Chem import rdMolDescriptors

#: Name -> folded width. Circular environments to two bonds, the same by atom features, pairs of atoms by distance.
FINGERPRINTS: dict[str, int] = {"ecfp4": 4096, "fcfp4": 2048, "pairs": 4096}
_ELEMENTS = (6, 7, 8, 9, 16, 17)
#: Descriptors in the order of their columns, each with the step that a chemist would call a small change.
DESCRIPTORS: dict[str, float] = {
    "carbon": 2.0, "nitrogen": 1.0, "oxygen": 1.0, "fluorine": 1.0, "sulfur": 1.0, "chlorine": 1.0,
    "other_elements": 1.0, "hydrogens": 3.0, "charges": 1.0, "rotatable_bonds": 2.0, "donors": 1.0,
    "polar_surface": 20.0, "log_p": 0.7, "aromatic_rings": 1.0, "aliphatic_rings": 1.0, "bridgeheads": 1.0,
    "stereocenters": 1.0,
}  # fmt: skip
_STEPS = np.array(list(DESCRIPTORS.values()))
_NO_TAG = Chem.ChiralType.CHI_UNSPECIFIED
_PLAIN = rdMolDescriptors.NumRotatableBondsOptions.NonStrict  # half the time of the strict count
_MOST = 64  # repetitions of one pattern that are told apart


@dataclass(frozen=True)
class Row:
    """One molecule: the folded elements of each fingerprint (int64, sorted, distinct) and its descriptors."""

    elements: tuple[np.ndarray, ...]
    descriptors: np.ndarray  # float64, in units of DESCRIPTORS


@lru_cache(maxsize=1)
def _makers() -> tuple[Any, ...]:
    features = generators.GetMorganFeatureAtomInvGen()
    return (
        generators.GetMorganGenerator(radius=2),
        generators.GetMorganGenerator(radius=2, atomInvariantsGenerator=features),
        generators.GetAtomPairGenerator(maxDistance=10),
    )


def featurize(mol: Chem.Mol) -> Row:
    """The row of a sanitized molecule; the same for every atom order."""
    elements = []
    for make, width in zip(_makers(), FINGERPRINTS.values(), strict=True):
        counts = make.GetSparseCountFingerprint(mol).GetNonzeroElements()
        elements.append(_fold(counts, width))
    return Row(tuple(elements), _describe(mol))


def _fold(counts: dict[int, int], width: int) -> np.ndarray:
    keys = np.fromiter(counts.keys(), dtype=np.uint64, count=len(counts))
    times = np.minimum(np.fromiter(counts.values(), dtype=np.int64, count=len(counts)), _MOST)
    repeated = np.repeat(keys, times)
    starts = np.repeat(np.cumsum(times) - times, times)
    level = (np.arange(len(repeated)) - starts).astype(np.uint64)
    mixed = (repeated + level * np.uint64(0x9E3779B97F4A7C15)) * np.uint64(0xD6E8FEB86659FD93)
    mixed ^= mixed >> np.uint64(32)
    mixed *= np.uint64(0xD6E8FEB86659FD93)
    return np.unique((mixed >> np.uint64(33)).astype(np.int64) % width)


def _describe(mol: Chem.Mol) -> np.ndarray:
    elements = dict.fromkeys((*_ELEMENTS, 0), 0)
    hydrogens = charges = centers = 0
    for atom in mol.GetAtoms():  # one pass: each look at an atom from Python costs
        number = atom.GetAtomicNum()
        elements[number if number in elements else 0] += 1
        hydrogens += atom.GetTotalNumHs()
        charges += abs(atom.GetFormalCharge())
        centers += atom.GetChiralTag() != _NO_TAG
    log_p, _ = rdMolDescriptors.CalcCrippenDescriptors(mol)
    values = [
        *elements.values(),
        hydrogens,
        charges,
        rdMolDescriptors.CalcNumRotatableBonds(mol, _PLAIN),
        rdMolDescriptors.CalcNumHBD(mol),
        rdMolDescriptors.CalcTPSA(mol),
        log_p,
        rdMolDescriptors.CalcNumAromaticRings(mol),
        rdMolDescriptors.CalcNumAliphaticRings(mol),
        rdMolDescriptors.CalcNumBridgeheadAtoms(mol),
        centers,
    ]
    return np.array(values, dtype=np.float64) / _STEPS


def stack(rows: Sequence[Row], fingerprint: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(elements of all rows end to end, where each row begins, size of each row): int64."""
    parts = [row.elements[fingerprint] for row in rows]
    sizes = np.array([len(part) for part in parts], dtype=np.int64)
    flat = np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
    return flat, np.cumsum(sizes) - sizes, sizes
