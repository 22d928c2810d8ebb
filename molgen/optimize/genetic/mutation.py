"""Changes of one atom, one bond or one place of a molecule: small steps from what is known to be good.

Each takes a drawing and returns an edited one, or None where the drawing offers no place for it; whether the result is
a molecule is for :func:`molgen.optimize.genetic.sketch.finished` to say.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from rdkit import Chem

from molgen.optimize.genetic.sketch import BOND, RING_SIZES, Sketch, pick, weighted
from molgen.optimize.genetic.tables import Tables

Change = Callable[[Sketch, Tables, np.random.Generator], Chem.RWMol | None]

#: Bonds that an element has in a neutral atom; sulfur and phosphorus with more come with the pieces.
VALENCE = {5: 3, 6: 4, 7: 3, 8: 2, 9: 1, 14: 4, 15: 3, 16: 2, 17: 1, 34: 2, 35: 1, 53: 1}
#: A new bond is double (or triple) this often where the valences allow it.
DOUBLE, TRIPLE = 0.2, 0.03


def _element(tables: Tables, rng: np.random.Generator, at_least: int = 1) -> int:
    """An element as frequent as in ZINC250k (carbon less: its share is halved) with so many bonds."""
    for _ in range(20):
        z = tables.elements[weighted(rng, tables.element_weights)]
        if VALENCE.get(z, 0) >= at_least and (z != 6 or rng.random() < 0.5):
            return z
    return 6


def _order(rng: np.random.Generator, room: int) -> int:
    draw = rng.random()
    if room >= 3 and draw < TRIPLE:
        return 3
    return 2 if room >= 2 and draw < DOUBLE else 1


def append_atom(sketch: Sketch, tables: Tables, rng: np.random.Generator) -> Chem.RWMol | None:
    """A hydrogen becomes an atom."""
    places = [i for i, free in enumerate(sketch.free) if free]
    if not places:
        return None
    i = places[pick(rng, len(places))]
    z = _element(tables, rng)
    drawing = sketch.editable()
    new = drawing.AddAtom(Chem.Atom(z))
    drawing.AddBond(i, new, BOND[_order(rng, min(sketch.free[i], VALENCE[z]))])
    return drawing


def insert_atom(sketch: Sketch, tables: Tables, rng: np.random.Generator) -> Chem.RWMol | None:
    """An atom comes between two others; in a ring, the ring grows."""
    places = [(i, j) for i, j, order, _ in sketch.bonds if order == 1]
    if not places:
        return None
    i, j = places[pick(rng, len(places))]
    drawing = sketch.editable()
    new = drawing.AddAtom(Chem.Atom(_element(tables, rng, at_least=2)))
    drawing.RemoveBond(i, j)
    drawing.AddBond(i, new, BOND[1])
    drawing.AddBond(new, j, BOND[1])
    return drawing


def delete_atom(sketch: Sketch, tables: Tables, rng: np.random.Generator) -> Chem.RWMol | None:
    """An atom with one or two neighbors goes; the two are bonded to each other."""
    places = [
        i
        for i, near in enumerate(sketch.near)
        if (len(near) == 1 or (len(near) == 2 and near[1] not in sketch.near[near[0]]))
        and not sketch.charged[i]
    ]
    if not places or len(sketch) < 3:
        return None
    i = places[pick(rng, len(places))]
    near = sketch.near[i]
    drawing = sketch.editable()
    if len(near) == 2:
        drawing.AddBond(near[0], near[1], BOND[1])
    drawing.RemoveAtom(i)
    return drawing


def change_atom(sketch: Sketch, tables: Tables, rng: np.random.Generator) -> Chem.RWMol | None:
    """An atom becomes one of another element that can have its bonds."""
    places = [i for i, z in enumerate(sketch.elements) if z in VALENCE and not sketch.charged[i]]
    if not places:
        return None
    i = places[pick(rng, len(places))]
    drawing = sketch.editable()
    used = sum(int(bond.GetBondTypeAsDouble()) for bond in drawing.GetAtomWithIdx(i).GetBonds())
    z = _element(tables, rng, at_least=used)
    if z == sketch.elements[i] or VALENCE[z] < used:
        return None
    drawing.GetAtomWithIdx(i).SetAtomicNum(z)
    return drawing


def change_bond(sketch: Sketch, tables: Tables, rng: np.random.Generator) -> Chem.RWMol | None:
    """A bond gets another order: up where both ends have hydrogens, or down."""
    if not sketch.bonds:
        return None
    i, j, order, ring = sketch.bonds[pick(rng, len(sketch.bonds))]
    most = min(2 if ring else 3, order + min(sketch.free[i], sketch.free[j]))
    orders = [new for new in range(1, most + 1) if new != order]
    if not orders:
        return None
    drawing = sketch.editable()
    drawing.GetBondBetweenAtoms(i, j).SetBondType(BOND[orders[pick(rng, len(orders))]])
    return drawing


def open_ring(sketch: Sketch, tables: Tables, rng: np.random.Generator) -> Chem.RWMol | None:
    """A ring bond goes."""
    places = [(i, j) for i, j, _, ring in sketch.bonds if ring]
    if not places:
        return None
    drawing = sketch.editable()
    drawing.RemoveBond(*places[pick(rng, len(places))])
    return drawing


def close_ring(sketch: Sketch, tables: Tables, rng: np.random.Generator) -> Chem.RWMol | None:
    """Two atoms with hydrogens are bonded to a ring, of a size as frequent as in ZINC250k."""
    places = [i for i, free in enumerate(sketch.free) if free]
    if len(places) < 2:
        return None
    start = places[pick(rng, len(places))]
    distance = {start: 1}  # in atoms of the ring to be
    queue = [start]
    for i in queue:
        for j in sketch.near[i]:
            if j not in distance and distance[i] < RING_SIZES.stop - 1:
                distance[j] = distance[i] + 1
                queue.append(j)
    ends = [i for i in queue if distance[i] > 2 and sketch.free[i]]
    if not ends:
        return None
    shares = np.cumsum([tables.ring_sizes.get(distance[i], 0.0) + 1e-4 for i in ends])
    drawing = sketch.editable()
    drawing.AddBond(start, ends[weighted(rng, shares)], BOND[1])
    return drawing


def move_branch(sketch: Sketch, tables: Tables, rng: np.random.Generator) -> Chem.RWMol | None:
    """A substituent goes to another atom: the isomer next door."""
    places = [row for row in sketch.branches if 2 * len(row[2]) <= len(sketch)]
    if not places:
        return None
    inner, outer, side = places[pick(rng, len(places))]
    ends = [i for i, free in enumerate(sketch.free) if free and i not in side and i != outer]
    if not ends:
        return None
    drawing = sketch.editable()
    drawing.RemoveBond(inner, outer)
    drawing.AddBond(inner, ends[pick(rng, len(ends))], BOND[1])
    return drawing


#: Change -> how often it is tried. Growth and shrinkage balance each other.
ATOM_CHANGES: dict[Change, float] = {
    append_atom: 0.15,
    insert_atom: 0.10,
    delete_atom: 0.20,
    change_atom: 0.20,
    change_bond: 0.10,
    open_ring: 0.03,
    close_ring: 0.07,
    move_branch: 0.15,
}
