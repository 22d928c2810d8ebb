"""Synthetic accessibility (SA score), 1 easy .. 10 hard, with the values of RDKit's Contrib implementation.

The fragment contributions ship as a plain array (tables/sa_fragments.npz) because RDKit keeps them as a pickle,
and molgen loads none. Ertl and Schuffenhauer, Journal of Cheminformatics 1:8 (2009).
"""

from __future__ import annotations

import math
from functools import cache
from importlib.resources import files

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem import rdMolDescriptors as rdmd

from molgen.chem.stereo import stereo_centers

_UNKNOWN = -4.0  # contribution of a fragment that PubChem's million did not have
_LOW, _HIGH = -4.0, 2.5


@cache
def _table() -> tuple[np.ndarray, np.ndarray]:
    """Sorted fragment ids (uint32) and their contributions (float64)."""
    with files("molgen.chem").joinpath("tables/sa_fragments.npz").open("rb") as stream:
        content = np.load(stream, allow_pickle=False)
        assert int(content["format"]) == 1
        ids = np.cumsum(content["id_steps"], dtype=np.uint64).astype(np.uint32)
        return ids, content["levels"][content["level"]]


@cache
def _generator() -> rdFingerprintGenerator.FingerprintGenerator64:
    return rdFingerprintGenerator.GetMorganGenerator(radius=2)


def sa_score(mol: Chem.Mol) -> float:
    """SA score of a molecule with at least one atom; equal to ``sascorer.calculateScore(mol)``."""
    ids, contributions = _table()
    fragments = _generator().GetSparseCountFingerprint(mol).GetNonzeroElements()
    keys = np.fromiter(fragments, dtype=np.uint32, count=len(fragments))
    places = np.searchsorted(ids, keys)
    places[places == len(ids)] = 0
    values = np.where(ids[places] == keys, contributions[places], _UNKNOWN).tolist()
    score = 0.0  # summed one by one: the same order, so the same last bit, as RDKit
    for value, count in zip(values, fragments.values(), strict=True):
        score += value * count
    score /= sum(fragments.values())

    atoms = mol.GetNumAtoms()
    centers = stereo_centers(mol)
    score2 = 0.0 - (atoms**1.005 - atoms)
    score2 -= math.log10(centers + 1)
    score2 -= math.log10(rdmd.CalcNumSpiroAtoms(mol) + 1)
    score2 -= math.log10(rdmd.CalcNumBridgeheadAtoms(mol) + 1)
    score2 -= math.log10(2) if any(len(ring) > 8 for ring in mol.GetRingInfo().AtomRings()) else 0.0
    symmetry = math.log(atoms / len(fragments)) * 0.5 if atoms > len(fragments) else 0.0
    value = 11.0 - (score + score2 + symmetry - _LOW + 1) / (_HIGH - _LOW) * 9.0
    if value > 8.0:
        value = 8.0 + math.log(value + 1.0 - 9.0)
    return min(max(value, 1.0), 10.0)
