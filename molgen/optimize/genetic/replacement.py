"""Changes of whole pieces: a side chain, a ring or a linker becomes another one, as common as in ZINC250k."""

from __future__ import annotations

import numpy as np
from rdkit import Chem

from molgen.optimize.genetic.mutation import Change
from molgen.optimize.genetic.pieces import join, piece
from molgen.optimize.genetic.sketch import Sketch, pick
from molgen.optimize.genetic.tables import Tables

#: Heavy atoms of what may be replaced in one step.
LARGEST = 12
#: Standard deviation of the new piece's size around that of the old one.
SPREAD = 2.5

Branch = tuple[int, int, frozenset[int]]


def swap_branch(sketch: Sketch, tables: Tables, rng: np.random.Generator) -> Chem.RWMol | None:
    """A side chain becomes another one."""
    places = [row for row in sketch.branches if len(row[2]) <= min(LARGEST, len(sketch) // 2)]
    if not places:
        return None
    _, outer, side = places[pick(rng, len(places))]
    return _attached(sketch, tables, rng, side, (outer,))


def add_piece(sketch: Sketch, tables: Tables, rng: np.random.Generator) -> Chem.RWMol | None:
    """A hydrogen becomes a side chain, small ones first."""
    places = [i for i, free in enumerate(sketch.free) if free]
    if not places:
        return None
    return _attached(sketch, tables, rng, frozenset(), (places[pick(rng, len(places))],))


def drop_branch(sketch: Sketch, tables: Tables, rng: np.random.Generator) -> Chem.RWMol | None:
    """A side chain becomes a hydrogen."""
    places = [row for row in sketch.branches if 1 < len(row[2]) <= min(LARGEST, len(sketch) // 3)]
    if not places:
        return None
    drawing = sketch.editable()
    drawing.BeginBatchEdit()
    for i in places[pick(rng, len(places))][2]:
        drawing.RemoveAtom(i)
    drawing.CommitBatchEdit()
    return drawing


def insert_piece(sketch: Sketch, tables: Tables, rng: np.random.Generator) -> Chem.RWMol | None:
    """A ring or a linker comes between two parts."""
    if not sketch.branches:
        return None
    inner, outer, _ = sketch.branches[pick(rng, len(sketch.branches))]
    return _attached(sketch, tables, rng, frozenset(), (inner, outer), cut=(inner, outer))


def swap_core(sketch: Sketch, tables: Tables, rng: np.random.Generator) -> Chem.RWMol | None:
    """A ring or linker between two or three parts becomes another one, the parts in any order."""
    rows = sketch.branches
    if len(rows) < 4:
        return None
    for _ in range(8):
        chosen: list[Branch] = []
        for _ in range(2 if rng.random() < 0.6 else 3):
            row = rows[pick(rng, len(rows))]
            if all(row[2].isdisjoint(other[2]) for other in chosen):
                chosen.append(row)
        core = len(sketch) - sum(len(side) for _, _, side in chosen)
        if len(chosen) > 1 and 0 < core <= LARGEST:
            middle = frozenset(range(len(sketch))).difference(*(side for _, _, side in chosen))
            return _attached(sketch, tables, rng, middle, tuple(inner for inner, _, _ in chosen))
    return None


def _attached(
    sketch: Sketch,
    tables: Tables,
    rng: np.random.Generator,
    drop: frozenset[int],
    places: tuple[int, ...],
    cut: tuple[int, int] | None = None,
) -> Chem.RWMol | None:
    """The drawing without the atoms ``drop``, with a piece of about their number bonded to the atoms ``places``."""
    size = len(drop) + SPREAD * rng.standard_normal() + (0.0 if drop else 2.0)
    text = tables.draw_piece(len(places), size, rng)
    if text is None:
        return None
    part = piece(text)
    ends = [part.ends[k] for k in rng.permutation(len(part.ends))]
    n = len(sketch)
    bonds = [(i, n + near, 1) for i, (_, near) in zip(places, ends, strict=True)]
    if len({(i, j) for i, j, _ in bonds}) < len(bonds):
        return None
    drawing = join(sketch, part.sketch, [*drop, *(n + star for star, _ in part.ends)], bonds)
    if cut is not None:
        drawing.RemoveBond(*cut)
    return drawing


#: Change -> how often it is tried.
PIECE_CHANGES: dict[Change, float] = {
    swap_branch: 0.40,
    add_piece: 0.12,
    drop_branch: 0.12,
    insert_piece: 0.06,
    swap_core: 0.30,
}
