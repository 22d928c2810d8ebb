"""Read a scaffold for constrained growth: its fragments become the first steps, its open places a mask."""

from __future__ import annotations

import numpy as np
from rdkit import Chem, rdBase

from molgen.core.errors import DataError
from molgen.models.graph_vae.cutting import MAX_HEAVY_ATOMS, Cutter, OutsideError
from molgen.models.graph_vae.grown import Scaffold
from molgen.models.graph_vae.table import FragmentTable


def read_scaffold(smiles: str, table: FragmentTable, limits: tuple[int, int]) -> Scaffold:
    """The scaffold in the fragments of ``table``, which is extended by those that it lacks.

    ``[*]``, ``[*:1]`` ... mark where something may be attached, one bond each; without marks it is every atom with a
    hydrogen. Raises :class:`DataError` where the text is no scaffold, with the reason.
    """
    mol, marked = _parse(smiles)
    try:
        tree = Cutter().cut(mol)
    except OutsideError as error:
        raise DataError(f"scaffold {smiles!r} cannot be used: {error}") from None
    if mol.GetNumAtoms() >= MAX_HEAVY_ATOMS:
        raise DataError(
            f"scaffold {smiles!r} is too large: {mol.GetNumAtoms()} of {MAX_HEAVY_ATOMS} heavy atoms"
        )
    wider = table.extended(sorted({name for name in tree.fragments if name not in table.number}))
    fragment = [wider.number[name] for name in tree.fragments]
    allowed: list[dict[int, int]] = []
    for number, atoms in zip(fragment, tree.atoms, strict=True):
        first = int(wider.start[number])
        if marked is None:
            allowed.append({place: int(wider.free[first + place]) for place in range(len(atoms))})
        else:
            allowed.append({place: marked[atom] for place, atom in enumerate(atoms) if atom in marked})
    scaffold = Scaffold(wider, fragment, tree.parent, tree.entry, tree.parent_site, allowed)
    _close_used(scaffold, every=marked is None)
    return _canonical(scaffold)


def _parse(smiles: str) -> tuple[Chem.Mol, dict[int, int] | None]:
    """The scaffold without its marks, flat, and how many bonds each marked atom may get (None: no marks)."""
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        raise DataError(f"scaffold {smiles!r} is not a SMILES that RDKit reads")
    if len(Chem.GetMolFrags(mol)) != 1:
        raise DataError(f"scaffold {smiles!r} has more than one part; name the parts one at a time")
    stars = [atom for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0]
    if len(stars) == mol.GetNumAtoms():
        raise DataError(f"scaffold {smiles!r} has no atom")
    marks: dict[int, int] = {}
    for star in stars:
        bonds = star.GetBonds()
        if star.IsInRing() or len(bonds) != 1:
            raise DataError(
                f"scaffold {smiles!r} is cut through a ring: an attachment point has {len(bonds)} bonds; "
                "it needs exactly one, to an atom of the scaffold (rings cannot be closed onto it)"
            )
        if bonds[0].GetBondType() != Chem.BondType.SINGLE:
            raise DataError(f"scaffold {smiles!r}: an attachment point needs a single bond")
        near = bonds[0].GetOtherAtom(star)
        marks[near.GetIdx()] = marks.get(near.GetIdx(), 0) + 1
    editable = Chem.RWMol(mol)
    for index, count in marks.items():
        editable.GetAtomWithIdx(index).SetIntProp("marks", count)
    for star in sorted((s.GetIdx() for s in stars), reverse=True):
        near = editable.GetAtomWithIdx(star).GetNeighbors()[0]
        # a hydrogen takes the bond's place; written out, or [nH] would lose it and a sulfone become sulfur dioxide
        near.SetNumExplicitHs(near.GetTotalNumHs() + 1)
        near.SetNoImplicit(True)
        editable.RemoveAtom(star)
    plain = editable.GetMol()
    with rdBase.BlockLogs():
        try:
            Chem.SanitizeMol(plain)
            plain = Chem.RemoveHs(plain)
        except Chem.MolSanitizeException as error:
            raise DataError(
                f"scaffold {smiles!r} is no molecule without its attachment points: {error}"
            ) from None
    if not stars:
        return plain, None
    return plain, {a.GetIdx(): a.GetIntProp("marks") for a in plain.GetAtoms() if a.HasProp("marks")}


def _close_used(scaffold: Scaffold, *, every: bool) -> None:
    """Bonds inside the scaffold take their places from what is free (only where no marks say what is free)."""
    if not every:
        return
    for i in range(1, len(scaffold.fragment)):
        scaffold.allowed[i][scaffold.entry[i]] -= 1
        scaffold.allowed[scaffold.parent[i]][scaffold.parent_site[i]] -= 1


def _canonical(scaffold: Scaffold) -> Scaffold:
    """Turn symmetric fragments so that bonds and open places take the sites that the decoder has learned to prefer."""
    table = scaffold.table
    entry, site = list(scaffold.entry), list(scaffold.parent_site)
    allowed = list(scaffold.allowed)
    for i, number in enumerate(scaffold.fragment):
        row = int(table.symmetric[number])
        if row < 0:
            continue
        children = [k for k in range(1, len(entry)) if scaffold.parent[k] == i]
        used = ([scaffold.entry[i]] if i else []) + [scaffold.parent_site[k] for k in children]
        places = [place for place, room in allowed[i].items() if room > 0]
        options = table.permutations[row]
        best = min(
            options.tolist(), key=lambda image: ([image[u] for u in used], sorted(image[p] for p in places))
        )
        if i:
            entry[i] = best[entry[i]]
        for k in children:
            site[k] = best[site[k]]
        allowed[i] = {best[place]: room for place, room in allowed[i].items()}
    return Scaffold(table, scaffold.fragment, scaffold.parent, entry, site, allowed)


def attachable(scaffold: Scaffold) -> int:
    """How many bonds the scaffold may get in all."""
    return int(np.sum([max(0, room) for places in scaffold.allowed for room in places.values()]))
