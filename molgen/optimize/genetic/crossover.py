"""Two molecules exchange parts, cut at a single bond outside of rings or through a ring (Jensen 2019).

Jensen, Chem. Sci. 10 (2019) 3567, doi:10.1039/c8sc05372c: a child is a part of one parent joined to a part of the
other. Here the second part is drawn so that the child has about the size of its parents, whatever the sizes of the
parts, and a ring that is made of two halves gets a size that rings have.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from molgen.optimize.genetic.pieces import join
from molgen.optimize.genetic.sketch import Sketch, pick, weighted
from molgen.optimize.genetic.tables import Tables

#: How often the cut goes through a ring.
RING_CUT = 0.3
#: Standard deviation of a child's size around the mean of its parents' (heavy atoms), and how near a child is to it.
SPREAD, WIDTH = 4.0, 2.0
_TRIES = 12


@dataclass(frozen=True)
class Half:
    """What two cuts through one ring leave: atoms, the two ends with the orders of their cut bonds."""

    atoms: frozenset[int]
    ends: tuple[int, int]
    orders: tuple[int, int]
    arc: int  # atoms of the ring in it


def cross(first: Sketch, second: Sketch, tables: Tables, rng: np.random.Generator) -> Chem.RWMol | None:
    """A drawing of a child, or None if the two cannot be cut alike."""
    target = (len(first) + len(second)) / 2 + SPREAD * rng.standard_normal()
    if first.rings and second.rings and rng.random() < RING_CUT:
        return _cross_rings(first, second, target, tables, rng)
    return _cross_branches(first, second, target, rng)


def _cross_branches(
    first: Sketch, second: Sketch, target: float, rng: np.random.Generator
) -> Chem.RWMol | None:
    if not first.branches or not second.branches:
        return None
    inner, _, kept = first.branches[pick(rng, len(first.branches))]
    missing = target - len(kept)
    fit = np.array([len(side) for _, _, side in second.branches]) - missing
    other, _, taken = second.branches[weighted(rng, _near(fit))]
    return _assembled(first, second, kept, taken, [(inner, other, 1)])


def _near(difference: np.ndarray) -> np.ndarray:
    """Running sums of the weights of parts by how far the child's size would be from the one wanted."""
    weights = np.exp(-0.5 * np.square(difference / WIDTH))
    return np.cumsum(weights + 1e-6)


def _cross_rings(
    first: Sketch, second: Sketch, target: float, tables: Tables, rng: np.random.Generator
) -> Chem.RWMol | None:
    left = halves(first, rng, 1)
    right = halves(second, rng, _TRIES)
    if not left or not right:
        return None
    a = left[pick(rng, len(left))]
    shares = np.array([tables.ring_sizes.get(a.arc + b.arc, 0.0) for b in right])
    fit = np.array([len(a.atoms) + len(b.atoms) for b in right]) - target
    weights = shares * np.exp(-0.5 * np.square(fit / (2 * WIDTH)))
    if weights.sum() <= 0:
        return None
    b = right[weighted(rng, np.cumsum(weights))]
    turn = rng.random() < 0.5
    bonds = []
    for i, order, k in ((a.ends[0], a.orders[0], int(turn)), (a.ends[1], a.orders[1], 1 - int(turn))):
        bonds.append((i, b.ends[k], order if order == b.orders[k] else 1))
    return _assembled(first, second, a.atoms, b.atoms, bonds)


def halves(sketch: Sketch, rng: np.random.Generator, cuts: int) -> list[Half]:
    """Both parts of up to ``cuts`` random pairs of cuts through one ring each."""
    found: list[Half] = []
    for _ in range(_TRIES):
        ring = sketch.rings[pick(rng, len(sketch.rings))]
        n = len(ring)
        p = pick(rng, n)
        q = (p + 1 + pick(rng, n - 1)) % n
        # bond k of the ring joins atoms k and k + 1
        one, two = (ring[p], ring[(p + 1) % n]), (ring[q], ring[(q + 1) % n])
        inside = sketch.side(one[1], (one, two))
        if one[0] in inside:  # another ring holds it together
            continue
        order_one, order_two = _order(sketch, *one), _order(sketch, *two)
        arc = (q - p) % n
        everything = frozenset(range(len(sketch)))
        near = frozenset(inside)
        found.append(Half(near, (one[1], two[0]), (order_one, order_two), arc))
        found.append(Half(everything - near, (one[0], two[1]), (order_one, order_two), n - arc))
        if len(found) >= 2 * cuts:
            break
    return found


def _order(sketch: Sketch, i: int, j: int) -> int:
    return math.floor(sketch.mol.GetBondBetweenAtoms(i, j).GetBondTypeAsDouble())


def _assembled(
    first: Sketch,
    second: Sketch,
    kept: frozenset[int],
    taken: frozenset[int],
    bonds: list[tuple[int, int, int]],
) -> Chem.RWMol | None:
    if len({(i, j) for i, j, _ in bonds}) < len(
        bonds
    ):  # two ends in one atom on both sides: the bond is there twice
        return None
    n = len(first)
    drop = [i for i in range(n) if i not in kept] + [n + i for i in range(len(second)) if i not in taken]
    return join(first, second, drop, [(i, n + j, order) for i, j, order in bonds])
