"""A molecule as the graph that chemprop's message passing reads: one-hot atoms and directed bonds.

The features of chemprop 2 (Heid et al., J. Chem. Inf. Model. 64 (2024) 9), 72 per atom and 14 per bond, in its order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem.rdchem import BondType, HybridizationType

N_ATOM, N_BOND = 72, 14


def _places(choices: list[Any]) -> dict[Any, int]:
    return {choice: place for place, choice in enumerate(choices)}


_H = HybridizationType
#: Each group has one more place than choices: for what is none of them.
_GROUPS = [
    _places([*range(1, 37), 53]),  # elements
    _places(list(range(6))),  # neighbors, hydrogens included
    _places([-1, -2, 1, 2, 0]),  # formal charge
    _places(list(range(4))),  # chiral tag
    _places(list(range(5))),  # hydrogens
    _places([_H.S, _H.SP, _H.SP2, _H.SP2D, _H.SP3, _H.SP3D, _H.SP3D2]),
]
_BONDS = _places([BondType.SINGLE, BondType.DOUBLE, BondType.TRIPLE, BondType.AROMATIC])


@dataclass(frozen=True)
class Graph:
    """``atoms`` float32 ``[n, 72]``, ``bonds`` float32 ``[2 m, 14]``, ``start`` and ``end`` int64 ``[2 m]``.

    Directed bonds 2 k and 2 k + 1 are each other's reverse.
    """

    atoms: np.ndarray
    bonds: np.ndarray
    start: np.ndarray
    end: np.ndarray


def graph_of(mol: Chem.Mol) -> Graph:
    """The graph of a molecule as RDKit reads it from SMILES, without explicit hydrogens."""
    atoms = np.zeros((mol.GetNumAtoms(), N_ATOM), dtype=np.float32)
    for row, atom in zip(atoms, mol.GetAtoms(), strict=True):
        values = (
            atom.GetAtomicNum(),
            atom.GetTotalDegree(),
            atom.GetFormalCharge(),
            int(atom.GetChiralTag()),
            int(atom.GetTotalNumHs()),
            atom.GetHybridization(),
        )
        first = 0
        for value, places in zip(values, _GROUPS, strict=True):
            row[first + places.get(value, len(places))] = 1
            first += len(places) + 1
        row[first] = atom.GetIsAromatic()
        row[first + 1] = 0.01 * atom.GetMass()
    n_bonds = mol.GetNumBonds()
    bonds = np.zeros((2 * n_bonds, N_BOND), dtype=np.float32)
    ends = np.zeros((2, 2 * n_bonds), dtype=np.int64)
    for k, bond in enumerate(mol.GetBonds()):
        row = bonds[2 * k]
        kind = _BONDS.get(bond.GetBondType())
        if kind is not None:
            row[1 + kind] = 1
        row[5] = bond.GetIsConjugated()
        row[6] = bond.IsInRing()
        row[7 + min(int(bond.GetStereo()), 6)] = 1
        bonds[2 * k + 1] = row
        a, b = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        ends[:, 2 * k], ends[:, 2 * k + 1] = (a, b), (b, a)
    return Graph(atoms, bonds, ends[0], ends[1])
