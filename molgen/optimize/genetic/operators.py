"""The operators of a genetic search: crossover and mutation of molecules, and many children of many parents at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache

import numpy as np
from rdkit import Chem, rdBase

from molgen.chem.rings import flat
from molgen.optimize.genetic.crossover import cross
from molgen.optimize.genetic.mutation import ATOM_CHANGES, Change
from molgen.optimize.genetic.replacement import PIECE_CHANGES
from molgen.optimize.genetic.sketch import Sketch, finished, weighted
from molgen.optimize.genetic.tables import Tables, running, tables

#: How often a mutation changes a whole piece and not one atom or bond.
PIECES = 0.4
#: An atom environment that ZINC250k does not have is let through this often (each of several by itself).
STRANGE = 0.3
#: A drawing that is no molecule is drawn again, so often at most.
_TRIES = 8

#: A child: its canonical SMILES, where it came from, and the positions of its parents in the list given.
Child = tuple[str, str, tuple[int, ...]]

_CHANGES = [(tuple(group), running(list(group.values()))) for group in (ATOM_CHANGES, PIECE_CHANGES)]


def crossover(
    a: Chem.Mol, b: Chem.Mol, rng: np.random.Generator, strange: float = STRANGE
) -> Chem.Mol | None:
    """A child that has a part of each parent, sanitized and without stereo; None where they cannot be combined.

    Cut at a single bond outside of rings or through a ring (Jensen, Chem. Sci. 10 (2019) 3567). ``strange``: how
    readily atom environments that ZINC250k does not have are let through, 0 never, 1 always.
    """
    with rdBase.BlockLogs():
        return _crossed(Sketch.of(a), Sketch.of(b), tables(), rng, strange)


def mutate(mol: Chem.Mol, rng: np.random.Generator, strange: float = STRANGE) -> Chem.Mol | None:
    """A molecule with one change (atom, bond, ring, substituent or piece); None where nothing came of it."""
    with rdBase.BlockLogs():
        return _mutated(Sketch.of(mol), tables(), rng, strange)


def offspring(
    parents: Sequence[str],
    n: int,
    rng: np.random.Generator,
    *,
    weights: Sequence[float] | None = None,
    known: Collection[str] = (),
    mutation: float = 0.5,
    strange: float = STRANGE,
    table: Tables | None = None,
    tries: int = 4,
) -> list[Child]:
    """At most ``n`` new distinct molecules from parents drawn with ``weights`` (equal if None).

    ``mutation``: the share of children with one parent and one change; of the others, children of two, every third is
    changed once more. Nothing that is in ``parents`` or ``known`` (canonical SMILES without stereo) comes back. Fewer
    come back when ``tries * n`` draws were not enough: small parents have few children. Parents that do not parse
    are passed over. ``table``: what the operators know, the shipped one by default (``tables().widened(seeds)`` where
    the parents come from compounds of the user).
    """
    table = table or tables()
    known = known if isinstance(known, (set, frozenset, dict)) else set(known)
    cumulative = running([1.0] * len(parents) if weights is None else list(weights))
    found: dict[str, Child] = {}
    if not len(parents) or cumulative[-1] <= 0:
        return []
    own = {flat(text) for text in parents}
    with rdBase.BlockLogs():
        for _ in range(tries * n):
            if len(found) >= n:
                break
            i = weighted(rng, cumulative)
            first = sketch_of(parents[i])
            if first is None:
                continue
            child: Chem.Mol | None
            positions: tuple[int, ...]
            if rng.random() < mutation or len(parents) == 1:
                child, origin, positions = _mutated(first, table, rng, strange), "mutation", (i,)
            else:
                child, origin, positions = _of_two(parents, i, cumulative, table, rng, strange)
            if child is None:
                continue
            text = Chem.MolToSmiles(child)
            if text not in found and text not in own and text not in known:
                found[text] = (text, origin, positions)
    return list(found.values())


def _of_two(
    parents: Sequence[str],
    i: int,
    cumulative: np.ndarray,
    table: Tables,
    rng: np.random.Generator,
    strange: float,
) -> tuple[Chem.Mol | None, str, tuple[int, ...]]:
    j = weighted(rng, cumulative)
    if j == i:
        j = weighted(rng, cumulative)
    first, second = sketch_of(parents[i]), sketch_of(parents[j])
    if first is None or second is None:
        return None, "crossover", (i, j)
    child = _crossed(first, second, table, rng, strange)
    if child is not None and rng.random() < 1 / 3:
        child = _mutated(Sketch.of(child), table, rng, strange) or child
    return child, "crossover", (i, j)


@lru_cache(maxsize=4096)
def sketch_of(smiles: str) -> Sketch | None:
    """The drawing of a parent, kept; None where the string does not parse."""
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
    return None if mol is None or not mol.GetNumAtoms() else Sketch.of(mol)


def _crossed(
    first: Sketch, second: Sketch, table: Tables, rng: np.random.Generator, strange: float
) -> Chem.Mol | None:
    for _ in range(_TRIES):
        one, other = (first, second) if rng.random() < 0.5 else (second, first)
        child = _accepted(cross(one, other, table, rng), table, rng, strange)
        if child is not None:
            return child
    return None


def _mutated(sketch: Sketch, table: Tables, rng: np.random.Generator, strange: float) -> Chem.Mol | None:
    for _ in range(_TRIES):
        changes, cumulative = _CHANGES[int(rng.random() < PIECES)]
        change: Change = changes[weighted(rng, cumulative)]
        child = _accepted(change(sketch, table, rng), table, rng, strange)
        if child is not None:
            return child
    return None


def _accepted(
    drawing: Chem.RWMol | None, table: Tables, rng: np.random.Generator, strange: float
) -> Chem.Mol | None:
    if drawing is None or (child := finished(drawing, table.allowed_rings)) is None:
        return None
    odd = table.strange(child)
    return child if odd == 0 or rng.random() < strange**odd else None
