"""A molecule as an editable drawing: single, double and triple bonds, no stereo, and the free hydrogens.

Operators work on drawings because an aromatic bond cannot be changed by itself; :func:`finished` turns an edited
drawing back into a molecule, or says no.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np
from rdkit import Chem

BOND = {1: Chem.BondType.SINGLE, 2: Chem.BondType.DOUBLE, 3: Chem.BondType.TRIPLE}
_ORDER = {bond: order for order, bond in BOND.items()}
#: Sizes of rings that a child may have, unless the user's own compounds have others.
RING_SIZES = range(3, 9)
#: Rings up to this size bear no double bond that is not aromatic.
STRAINED_RING = 4


@dataclass(frozen=True, eq=False)
class Sketch:
    """A Kekule structure that is read often and never changed: edits are made on :meth:`editable` copies.

    ``near[i]``: the neighbors of atom i. ``free[i]``: hydrogens on it. ``elements[i]``: atomic number.
    ``bonds``: (begin, end, order, in a ring). ``rings``: atom indices of the smallest rings, in ring order.
    """

    mol: Chem.Mol
    near: tuple[tuple[int, ...], ...]
    free: tuple[int, ...]
    elements: tuple[int, ...]
    charged: tuple[bool, ...]
    bonds: tuple[tuple[int, int, int, bool], ...]
    rings: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, mol: Chem.Mol) -> Sketch:
        """The drawing of a sanitized molecule, without its stereo. Raises ValueError without a Kekule form."""
        plain = Chem.Mol(mol)
        Chem.RemoveStereochemistry(plain)
        Chem.Kekulize(plain, clearAromaticFlags=True)
        info = plain.GetRingInfo()
        near: list[list[int]] = [[] for _ in range(plain.GetNumAtoms())]
        bonds = []
        for bond in plain.GetBonds():
            i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            near[i].append(j)
            near[j].append(i)
            order = _ORDER.get(bond.GetBondType(), 1)
            bonds.append((i, j, order, info.NumBondRings(bond.GetIdx()) > 0))
        free, elements, charged = [], [], []
        for atom in plain.GetAtoms():
            free.append(atom.GetTotalNumHs())
            elements.append(atom.GetAtomicNum())
            charged.append(atom.GetFormalCharge() != 0)
            atom.SetNumExplicitHs(0)  # so that they are counted anew after an edit
            atom.SetNoImplicit(False)
        return cls(
            plain,
            tuple(map(tuple, near)),
            tuple(free),
            tuple(elements),
            tuple(charged),
            tuple(bonds),
            tuple(info.AtomRings()),
        )

    def __len__(self) -> int:
        return len(self.near)

    def editable(self) -> Chem.RWMol:
        """A copy to edit."""
        return Chem.RWMol(self.mol)

    def side(self, start: int, without: Sequence[tuple[int, int]]) -> set[int]:
        """The atoms that stay connected with ``start`` when the bonds ``without`` are cut."""
        barred = {pair for i, j in without for pair in ((i, j), (j, i))}
        seen = {start}
        stack = [start]
        while stack:
            i = stack.pop()
            for j in self.near[i]:
                if j not in seen and (i, j) not in barred:
                    seen.add(j)
                    stack.append(j)
        return seen

    @cached_property
    def branches(self) -> tuple[tuple[int, int, frozenset[int]], ...]:
        """Both sides of each acyclic single bond: (atom within, atom without, the atoms of this side)."""
        everything = frozenset(range(len(self)))
        found = []
        for i, j, order, ring in self.bonds:
            if order == 1 and not ring:
                side = frozenset(self.side(i, ((i, j),)))
                found += [(i, j, side), (j, i, everything - side)]
        return tuple(found)


def pick(rng: np.random.Generator, n: int) -> int:
    """A random index below ``n``, cheaper than ``rng.integers``."""
    return int(rng.random() * n)


def weighted(rng: np.random.Generator, cumulative: np.ndarray) -> int:
    """A random index with the given running sums of weights."""
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))


def finished(drawing: Chem.RWMol, ring_sizes: Collection[int] = RING_SIZES) -> Chem.Mol | None:
    """The sanitized molecule of an edited drawing, or None if its valences or rings are not those of a real one."""
    mol = drawing.GetMol()
    if Chem.SanitizeMol(mol, catchErrors=True) != Chem.SanitizeFlags.SANITIZE_NONE:
        return None
    return mol if sound_rings(mol, ring_sizes) and len(Chem.GetMolFrags(mol)) == 1 else None


@cache
def _suspect() -> tuple[Chem.Mol, ...]:
    """What a ring that is not sound has: a double bond in a small ring, two at one carbon, a triple bond."""
    return tuple(map(Chem.MolFromSmarts, ("[r3,r4]=@[r3,r4]", "[#6;R](=*)=*", "*#@*")))


def sound_rings(mol: Chem.Mol, sizes: Collection[int] = RING_SIZES) -> bool:
    """Whether rings have one of these sizes, no triple bond or allene, and no double bond where they are strained."""
    info = mol.GetRingInfo()
    if any(len(ring) not in sizes for ring in info.AtomRings()):
        return False
    if not any(mol.HasSubstructMatch(pattern) for pattern in _suspect()):
        return True  # nearly all; a look at each bond costs more
    doubled: set[int] = set()
    for bond in mol.GetBonds():
        kind = bond.GetBondType()
        if kind == Chem.BondType.TRIPLE:
            if info.NumBondRings(bond.GetIdx()):
                return False
        elif kind == Chem.BondType.DOUBLE:
            if info.NumBondRings(bond.GetIdx()) and info.MinBondRingSize(bond.GetIdx()) <= STRAINED_RING:
                return False
            for atom in (bond.GetBeginAtom(), bond.GetEndAtom()):
                if atom.GetAtomicNum() == 6 and info.NumAtomRings(atom.GetIdx()):
                    if atom.GetIdx() in doubled:
                        return False  # two double bonds at one carbon of a ring: it would have to be straight
                    doubled.add(atom.GetIdx())
    return True
