"""Pieces of molecules: where molecules are cut, and how pieces are put together again.

A piece is a SMILES with ``*`` where a single bond was cut. Cut are single bonds outside of rings that have an end in a
ring or join carbon and a heteroatom: about what a chemist would disconnect (compare BRICS, Degen et al. 2008).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rdkit import Chem, rdBase

from molgen.optimize.genetic.sketch import BOND, Sketch
from molgen.optimize.genetic.tables import heavy_atoms


@dataclass(frozen=True, eq=False)
class Piece:
    """A piece as a drawing: ``ends`` are (wildcard, its neighbor), ``size`` the heavy atoms without wildcards."""

    sketch: Sketch
    ends: tuple[tuple[int, int], ...]
    size: int

    @classmethod
    def read(cls, smiles: str) -> Piece:
        """From SMILES with wildcards. Raises ValueError where it does not parse."""
        mol = Chem.MolFromSmiles(smiles)
        if mol is None:
            raise ValueError(f"not a piece of a molecule: {smiles!r}")
        sketch = Sketch.of(mol)
        ends = tuple(
            (i, sketch.near[i][0]) for i, z in enumerate(sketch.elements) if z == 0 and sketch.near[i]
        )
        return cls(sketch, ends, sum(z > 0 for z in sketch.elements))


@lru_cache(maxsize=20_000)
def piece(smiles: str) -> Piece:
    """:meth:`Piece.read`, kept: pieces are used again and again."""
    with rdBase.BlockLogs():
        return Piece.read(smiles)


def cut_bonds(mol: Chem.Mol) -> list[int]:
    """The bonds where a molecule is cut, indices in rising order."""
    found = []
    info = mol.GetRingInfo()
    for bond in mol.GetBonds():
        if bond.GetBondType() != Chem.BondType.SINGLE or info.NumBondRings(bond.GetIdx()):
            continue
        ends = bond.GetBeginAtom(), bond.GetEndAtom()
        if any(atom.GetFormalCharge() and atom.GetDegree() == 1 for atom in ends):
            continue  # an oxide goes with what it balances
        in_ring = any(info.NumAtomRings(atom.GetIdx()) for atom in ends)
        hetero = (ends[0].GetAtomicNum() == 6) != (ends[1].GetAtomicNum() == 6)
        if in_ring or (hetero and not any(atom.GetFormalCharge() for atom in ends)):
            found.append(bond.GetIdx())
    return found


def fragments(mol: Chem.Mol, bonds: Sequence[int]) -> list[str]:
    """Canonical SMILES of the pieces between the bonds cut, one entry per occurrence, ``*`` where each cut was."""
    if not bonds:
        return []
    cut = Chem.FragmentOnBonds(mol, list(bonds), dummyLabels=[(0, 0)] * len(bonds))
    return Chem.MolToSmiles(cut).split(".")


def elementary(mol: Chem.Mol) -> list[str]:
    """The pieces when everything is cut at once: ring systems, short chains, functional groups."""
    return fragments(mol, cut_bonds(mol))


def side_chains(mol: Chem.Mol, largest: int) -> Iterator[str]:
    """Both sides of each single cut with at most ``largest`` heavy atoms."""
    for bond in cut_bonds(mol):
        for smiles in fragments(mol, (bond,)):
            if heavy_atoms(smiles) <= largest:
                yield smiles


def join(
    first: Sketch, second: Sketch, drop: Sequence[int], bonds: Sequence[tuple[int, int, int]]
) -> Chem.RWMol:
    """Put two drawings together: ``bonds`` are (atom, atom, order), and ``drop`` the atoms that go.

    Atoms of the second are counted on from the first.
    """
    drawing = first.editable()
    drawing.InsertMol(second.mol)
    for i, j, order in bonds:
        drawing.AddBond(i, j, BOND[order])
    drawing.BeginBatchEdit()
    for i in drop:
        drawing.RemoveAtom(i)
    drawing.CommitBatchEdit()
    return drawing
