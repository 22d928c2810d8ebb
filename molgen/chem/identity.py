"""Hashes that tell in which sense two molecules are the same: as drawn, tautomer-blind, or two heavy atoms apart.

No hash here depends on another molecule, so that a million can be hashed chunk by chunk and found again by looking up
numbers. Graph hashes are Weisfeiler-Lehman sums over the heavy-atom graph without bond orders and hydrogens: they are
blind to tautomers, charges and stereo by construction, and cheap enough for all variants of a molecule.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rdkit import Chem, rdBase

from molgen.chem.fingerprints import generator
from molgen.chem.parse import parse
from molgen.chem.standardize import standardize
from molgen.core.errors import MoleculeError

#: Raised when any hash changes its meaning: stored hashes of another version are made again.
VERSION = 1
_ROUNDS = 6
_PAIRS = 60  # pairs of end atoms taken away, at most: a dendrimer has thousands
_LEAST = 5  # heavy atoms that must be left: below that, everything is near everything
_COUNTED = {6: 0, 7: 1, 8: 2, 16: 3, 9: 4, 17: 5, 35: 6, 53: 6}
_HASH = np.uint64(2**64 - 4)  # without the two bits that count atoms
_C1, _C2, _C3 = (np.uint64(c) for c in (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB))
_Graph = tuple[int, np.ndarray, np.ndarray, np.ndarray]  # place, adjacency, kept atoms, labels


@dataclass(frozen=True)
class Identities:
    """Hashes of a batch, one place per text; where ``why`` is not "", the text was refused and all else is empty.

    ``drawn`` uint64: canonical SMILES as drawn, salts and charges included. ``smiles``: the standardized one.
    ``body`` uint64: heavy-atom graph and hydrogen count of the standardized molecule: equal for all tautomers and
    stereo forms (and for a few others: a canonical tautomer decides). ``shape`` uint64: the graph without elements.
    ``elements`` uint8 ``[n, 8]``: counts of C, N, O, S, F, Cl, Br + I, others. ``unsaturation`` int16: rings and
    double bonds. ``near``: hashes of the molecule and of what is left without up to two end atoms, or without one
    chain or ring atom; the last two bits say how many are gone, see :func:`partners`. ``features``: Morgan features
    (radius 2, unfolded), sorted. Both are flat, the part of molecule i is ``[offsets[i]:offsets[i + 1]]``.
    """

    smiles: list[str]
    why: list[str]
    drawn: np.ndarray
    body: np.ndarray
    shape: np.ndarray
    elements: np.ndarray
    unsaturation: np.ndarray
    near: np.ndarray
    near_offsets: np.ndarray
    features: np.ndarray
    feature_offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.smiles)


def text_hash(text: str) -> int:
    """64-bit hash of a text, the same on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def identify(texts: Sequence[str]) -> Identities:
    """Hash SMILES as they were written; some 0.7 ms each."""
    n = len(texts)
    smiles, why = [""] * n, [""] * n
    drawn = np.zeros(n, dtype=np.uint64)
    hydrogens = np.zeros(n, dtype=np.uint64)
    elements = np.zeros((n, 8), dtype=np.uint8)
    unsaturation = np.zeros(n, dtype=np.int16)
    features: list[np.ndarray] = [np.zeros(0, dtype=np.uint32)] * n
    graphs: list[_Graph] = []
    with rdBase.BlockLogs():
        for i, text in enumerate(texts):
            try:
                raw = parse(text)
                mol = standardize(raw, text=text)
            except MoleculeError as error:
                why[i] = f"{error.why}: {error.detail}"
                continue
            smiles[i] = Chem.MolToSmiles(mol)
            drawn[i] = text_hash(smiles[i] if mol is raw else Chem.MolToSmiles(raw))
            hydrogens[i], elements[i], unsaturation[i], labels = _atoms(mol)
            features[i] = np.sort(
                np.array(list(generator(2).GetSparseFingerprint(mol).GetOnBits()), dtype=np.int64).astype(
                    np.uint32
                )
            )
            graphs.append((i, *_variants(mol), labels))
    near, body, shape = _hashes(graphs, n)
    body = _mix(body ^ (hydrogens * _C3))
    return Identities(
        smiles, why, drawn, body, shape, elements, unsaturation, *_flat(near, np.uint64), *_flat(features, np.uint32)
    )  # fmt: skip


def partners(near: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ``near`` hashes of molecules at most two heavy atoms away, uint64 ``[k]``, and whose each is, int64 ``[k]``.

    Two molecules are that close if what is left of them is equal, and no more than two atoms are gone from both
    together: one or two atoms more or fewer, or one end atom exchanged or moved.
    """
    missing = gone(near)
    found = [(np.flatnonzero(missing + its <= 2), np.uint64(its)) for its in range(3)]
    keys = np.concatenate([(near[places] & _HASH) | its for places, its in found])
    return keys, np.concatenate([places for places, _ in found])


def sites(mol: Chem.Mol) -> Counter[tuple[int, int]]:
    """How often each element stands at each kind of place of the bare skeleton: (color of the place, element)."""
    numbers = [atom.GetAtomicNum() for atom in mol.GetAtoms()]
    in_ring = np.array([[atom.IsInRing() for atom in mol.GetAtoms()]], dtype=np.uint64)
    adjacency = Chem.GetAdjacencyMatrix(mol).astype(np.uint64)[None]
    colors = _colors(adjacency, np.ones_like(in_ring), in_ring)[0]
    return Counter(zip(colors.tolist(), numbers, strict=True))


def gone(keys: np.ndarray) -> np.ndarray:
    """How many atoms of a molecule are missing from what each ``near`` hash stands for."""
    return np.asarray(keys & np.uint64(3)).astype(np.int64)


def _flat(parts: Sequence[np.ndarray], dtype: type) -> tuple[np.ndarray, np.ndarray]:
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts], dtype=np.int64)]).astype(np.int64)
    return (np.concatenate(parts) if parts else np.zeros(0)).astype(dtype), offsets


def _atoms(mol: Chem.Mol) -> tuple[int, np.ndarray, int, np.ndarray]:
    """Hydrogens, element counts, rings plus double bonds (by valences, so that charges may differ), atom labels."""
    counts = [0] * 8
    hydrogens, free = 0, 0
    labels = []
    for atom in mol.GetAtoms():
        number, own = atom.GetAtomicNum(), atom.GetTotalNumHs()
        counts[_COUNTED.get(number, 7)] += 1
        hydrogens += own
        free += atom.GetTotalValence() - own - atom.GetDegree()
        labels.append(2 * number + atom.IsInRing())
    rings = mol.GetNumBonds() - mol.GetNumAtoms() + 1
    return (
        hydrogens,
        np.minimum(counts, 255).astype(np.uint8),
        free // 2 + rings,
        np.array(labels, dtype=np.uint64),
    )


def _variants(mol: Chem.Mol) -> tuple[np.ndarray, np.ndarray]:
    """Adjacency uint64 ``[v, n, n]`` and kept atoms ``[v, n]`` of the molecule and its variants.

    Variant 0 is the whole molecule.
    """
    n = mol.GetNumAtoms()
    whole = Chem.GetAdjacencyMatrix(mol).astype(np.uint64)
    neighbors = [np.flatnonzero(row).tolist() for row in whole]
    ends = [i for i in range(n) if len(neighbors[i]) == 1]
    taken: list[tuple[int, ...]] = [()]
    joined: list[tuple[int, int, int]] = []
    if n - 1 >= _LEAST:
        taken += [(i,) for i in ends]
        chain = [i for i in range(n) if len(neighbors[i]) == 2]
        joined = [(i, a, b) for i in chain for a, b in [neighbors[i]] if not whole[a, b]]
    if n - 2 >= _LEAST:
        pairs = [(i, j) for k, i in enumerate(ends) for j in ends[k + 1 :]]
        pairs += [(i, neighbors[i][0]) for i in ends if len(neighbors[neighbors[i][0]]) == 2]
        taken += pairs[:_PAIRS]
    keep = np.ones((len(taken) + len(joined), n), dtype=bool)
    adjacency = np.broadcast_to(whole, (len(keep), n, n)).copy()
    for row, atoms in enumerate(taken):
        keep[row, list(atoms)] = False
    for row, (i, a, b) in enumerate(joined, len(taken)):
        keep[row, i] = False
        adjacency[row, a, b] = adjacency[row, b, a] = 1
    return adjacency, keep


def _hashes(graphs: Sequence[_Graph], n: int) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Near hashes by place, and those of the whole graphs with and without elements; graphs of one size at once."""
    near: list[np.ndarray] = [np.zeros(0, dtype=np.uint64)] * n
    body, shape = np.zeros(n, dtype=np.uint64), np.zeros(n, dtype=np.uint64)
    by_size: dict[int, list[_Graph]] = {}
    for graph in graphs:
        by_size.setdefault(len(graph[3]), []).append(graph)
    for group in by_size.values():
        adjacency = np.concatenate([g[1] for g in group])
        keep = np.concatenate([g[2] for g in group])
        labels = np.concatenate([np.broadcast_to(g[3], g[2].shape) for g in group])
        found = _wl(adjacency, keep, labels)
        starts = np.concatenate([[0], np.cumsum([len(g[2]) for g in group])])
        bare = _wl(adjacency[starts[:-1]], keep[starts[:-1]], labels[starts[:-1]] & np.uint64(1))
        for k, (place, *_) in enumerate(group):
            hashes = found[starts[k] : starts[k + 1]]
            missing = (~keep[starts[k] : starts[k + 1]]).sum(axis=1).astype(np.uint64)
            near[place] = np.unique((hashes & _HASH) | missing)
            body[place], shape[place] = hashes[0], bare[k]
    return near, body, shape


def _wl(adjacency: np.ndarray, keep: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """One hash per graph, uint64 ``[v]``; sums only, so that the order of the atoms does not matter."""
    kept = keep.astype(np.uint64)
    colors = _colors(adjacency, kept, labels)
    return _mix(_mix(colors ^ _C3).sum(axis=1, where=keep) + kept.sum(axis=1))


def _colors(adjacency: np.ndarray, kept: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """What each atom's surroundings look like, uint64 ``[v, n]``: equal for equivalent atoms."""
    colors = _mix(labels + _C1) * kept
    for _ in range(_ROUNDS):
        around = np.matmul(adjacency, _mix(colors ^ _C2)[:, :, None] * kept[:, :, None])[:, :, 0]
        colors = _mix(colors * _C1 + around) * kept
    return colors


def _mix(x: np.ndarray) -> np.ndarray:
    """A bijection of uint64 that leaves no bit alone (the finalizer of SplitMix64); sums wrap around by intention."""
    x = x + _C1
    x = (x ^ (x >> np.uint64(30))) * _C2
    x = (x ^ (x >> np.uint64(27))) * _C3
    return np.asarray(x ^ (x >> np.uint64(31)))
