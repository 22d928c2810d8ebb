"""Features of sites and fragments from the arrays of a table: what the model knows of a fragment that it never saw."""

from __future__ import annotations

import numpy as np

_ELEMENTS = (5, 6, 7, 8, 9, 14, 15, 16, 17, 34, 35, 53)
_HOPS, _PLACES, _PAIRS = 3, 16, 32
_OWN = len(_ELEMENTS) + 1 + 2 + 5 + 1 + 7 + 5 + 3
SITE_FEATURES = _OWN * (_HOPS + 1) + _PLACES
FRAGMENT_FEATURES = _OWN + _PAIRS + 3


def _flat_bonds(
    bonds: np.ndarray, start: np.ndarray, bond_start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    shift = np.repeat(start[:-1], np.diff(bond_start))
    ends = bonds[:, :2].astype(np.int64) + shift[:, None]
    return np.concatenate([ends[:, 0], ends[:, 1]]), np.concatenate([ends[:, 1], ends[:, 0]])


def _own(
    atoms: np.ndarray, bonds: np.ndarray, here: np.ndarray
) -> np.ndarray:  # element, charge, H, aromatic, ring, degree, bond orders
    n = len(atoms)
    element = np.full(n, len(_ELEMENTS))
    for k, number in enumerate(_ELEMENTS):
        element[atoms[:, 0] == number] = k
    orders = np.concatenate([bonds[:, 2], bonds[:, 2]])
    degree = np.bincount(here, minlength=n)
    ring = np.where(atoms[:, 4] == 0, 0, np.clip(atoms[:, 4] - 2, 1, 6))
    has = [np.bincount(here, orders == order, minlength=n) > 0 for order in (2, 3, 1)]
    columns = [
        np.eye(len(_ELEMENTS) + 1)[element],
        (atoms[:, 1:2] < 0),
        (atoms[:, 1:2] > 0),
        np.eye(5)[np.clip(atoms[:, 2], 0, 4)],
        atoms[:, 3:4] > 0,
        np.eye(7)[ring],
        np.eye(5)[np.clip(degree, 0, 4)],
        np.stack(has, 1),
    ]
    return np.concatenate(columns, 1).astype(np.float32)


def site_features(
    atoms: np.ndarray, bonds: np.ndarray, start: np.ndarray, bond_start: np.ndarray
) -> np.ndarray:
    """What an atom is, what its surroundings are up to three bonds away (means), and its place in the canonical SMILES.

    The place tells apart sites whose surroundings look alike. float32 ``[N, SITE_FEATURES]``.
    """
    here, there = _flat_bonds(bonds, start, bond_start)
    own = _own(atoms, bonds, here)
    order = np.argsort(here, kind="stable")
    here, there = here[order], there[order]
    degree = np.bincount(here, minlength=len(atoms)).astype(np.float32)
    layers = [own]
    for _ in range(_HOPS):
        total = np.zeros_like(own)
        if len(here):
            first = np.flatnonzero(np.diff(here, prepend=-1))
            total[here[first]] = np.add.reduceat(layers[-1][there], first, axis=0)
        layers.append(total / np.maximum(degree, 1)[:, None])
    place = np.arange(len(atoms)) - np.repeat(start[:-1], np.diff(start))
    return np.concatenate([*layers, np.eye(_PLACES, dtype=np.float32)[place % _PLACES]], 1).astype(np.float32)


def fragment_features(
    atoms: np.ndarray, bonds: np.ndarray, start: np.ndarray, bond_start: np.ndarray
) -> np.ndarray:
    """Sums over the atoms and over kinds of bonds, float32 ``[F, FRAGMENT_FEATURES]``."""
    here, there = _flat_bonds(bonds, start, bond_start)
    own = _own(atoms, bonds, here)
    count = len(start) - 1
    owner = np.repeat(np.arange(count), np.diff(start))
    sums = np.zeros((count, _OWN), np.float32)
    np.add.at(sums, owner, own)
    half = len(bonds)
    kind = atoms[:, 0].astype(np.int64) * 3 + atoms[:, 2] * 5 + atoms[:, 3] * 7
    # which atoms a bond joins, folded into a few columns
    pair = (
        kind[here[:half]] * kind[there[:half]] + kind[here[:half]] + kind[there[:half]] + bonds[:, 2] * 11
    ) % _PAIRS
    pairs = np.zeros((count, _PAIRS), np.float32)
    np.add.at(pairs, (np.repeat(np.arange(count), np.diff(bond_start)), pair), 1)
    size = np.diff(start)[:, None]
    rings = np.diff(bond_start)[:, None] - size + 1
    return np.concatenate([sums / 4, pairs / 4, size / 8, rings, rings > 0], 1).astype(np.float32)
