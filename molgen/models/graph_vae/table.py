"""The fragments of a vocabulary as integer arrays: atoms, bonds, places to bind, symmetries, features of every site.

RDKit reads the fragments once, in :func:`describe`; a stored table is arrays only, so that training and sampling work
without it. "Site" is an atom of a fragment that has hydrogens to give away; a number of all atoms of all fragments in a
row names it (``start[f] + atom``).
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from molgen.data.cache import content_key, kept, rdkit_version
from molgen.models.graph_vae.features import fragment_features, site_features

#: More symmetries than this are not used: the fragment then counts as having none, which costs a little likelihood.
MAX_SYMMETRIES = 24
#: Raised when what is stored of a fragment changes its meaning.
FORMAT = 1
#: int16 columns of ``atoms``.
ELEMENT, CHARGE, HYDROGENS, AROMATIC, RING_SIZE = range(5)


@dataclass(frozen=True)
class FragmentTable:
    """Fragments 0..F-1, the most frequent first.

    ``atoms`` int16 ``[N, 5]`` and ``bonds`` int16 ``[M, 3]`` (two atoms of the fragment, order; 4 is aromatic) hold all
    fragments one after the other, bounded by ``start`` and ``bond_start`` ``[F + 1]``. ``symmetries`` are automorphisms
    that keep hydrogens and charges, one after the other; ``symmetry_start`` counts them.
    """

    smiles: tuple[str, ...]
    counts: np.ndarray
    start: np.ndarray
    atoms: np.ndarray
    bond_start: np.ndarray
    bonds: np.ndarray
    symmetry_start: np.ndarray  # [F + 1], in permutations
    symmetries: np.ndarray

    def __len__(self) -> int:
        return len(self.smiles)

    @classmethod
    def build(cls, smiles: Sequence[str], counts: Sequence[int] | None = None) -> FragmentTable:
        """A table of canonical fragment SMILES, with RDKit."""
        from molgen.models.graph_vae.cutting import describe

        atoms: list[tuple[int, ...]] = []
        bonds: list[tuple[int, ...]] = []
        flat: list[int] = []
        start, bond_start, symmetry_start = [0], [0], [0]
        for text in smiles:
            found = describe(text, MAX_SYMMETRIES)
            atoms += found.atoms
            bonds += found.bonds
            start.append(len(atoms))
            bond_start.append(len(bonds))
            symmetry_start.append(symmetry_start[-1] + len(found.symmetries))
            flat += [i for row in found.symmetries for i in row]
        return cls(
            tuple(smiles),
            np.asarray(np.ones(len(smiles)) if counts is None else counts, np.int64),
            np.asarray(start, np.int64),
            np.asarray(atoms, np.int16).reshape(-1, 5),
            np.asarray(bond_start, np.int64),
            np.asarray(bonds, np.int16).reshape(-1, 3),
            np.asarray(symmetry_start, np.int64),
            np.asarray(flat, np.int16),
        )

    @classmethod
    def kept(cls, smiles: Sequence[str], counts: Sequence[int]) -> FragmentTable:
        """:meth:`build`, its arrays kept by content (``fragment-tables``): a table that is there needs no RDKit."""

        def make() -> dict[str, np.ndarray]:
            built = cls.build(smiles)
            return {name: getattr(built, name) for name in _ARRAYS}

        key = content_key(f"fragment table {FORMAT} {MAX_SYMMETRIES}", rdkit_version(), texts=smiles)
        found = {**kept("fragment-tables", key, make, worth=len(smiles) >= 1000)}
        return cls(tuple(smiles), **{**found, "counts": np.asarray(counts, np.int64)})

    def extended(self, smiles: Sequence[str]) -> FragmentTable:
        """This table followed by more fragments, which keep the numbers of the first ones."""
        if not smiles:
            return self
        more = FragmentTable.build(smiles, [0] * len(smiles))

        def bounds(a: np.ndarray, b: np.ndarray) -> np.ndarray:
            return np.concatenate([a, b[1:] + a[-1]])

        return FragmentTable(
            self.smiles + more.smiles,
            np.concatenate([self.counts, more.counts]),
            bounds(self.start, more.start),
            np.concatenate([self.atoms, more.atoms]),
            bounds(self.bond_start, more.bond_start),
            np.concatenate([self.bonds, more.bonds]),
            bounds(self.symmetry_start, more.symmetry_start),
            np.concatenate([self.symmetries, more.symmetries]),
        )

    # -- storage ----------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """Strings and packed arrays; no RDKit is needed to read them."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        return {
            "format": FORMAT,
            "smiles": list(self.smiles),
            "arrays": {
                name: {"dtype": a.dtype.str, "shape": list(a.shape), "zlib64": _pack(a)}
                for name, a in arrays.items()
            },
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> FragmentTable:
        """Inverse of :meth:`to_json`."""
        arrays = {name: _unpack(data["arrays"][name]) for name in _ARRAYS}
        return cls(tuple(data["smiles"]), **arrays)

    # -- what follows from the arrays ----------------------------------------------------------------

    @cached_property
    def number(self) -> dict[str, int]:
        """SMILES -> fragment number."""
        return {text: i for i, text in enumerate(self.smiles)}

    @cached_property
    def size(self) -> np.ndarray:
        """Heavy atoms ``[F]``."""
        return np.diff(self.start)

    @cached_property
    def free(self) -> np.ndarray:
        """Hydrogens to give away ``[N]``."""
        return self.atoms[:, HYDROGENS].astype(np.int64)

    @cached_property
    def owner(self) -> np.ndarray:
        """The fragment of each atom ``[N]``."""
        return np.repeat(np.arange(len(self)), self.size)

    @cached_property
    def open_sites(self) -> np.ndarray:
        """Flat numbers of atoms with hydrogens, in order."""
        return np.flatnonzero(self.free > 0)

    @cached_property
    def open_start(self) -> np.ndarray:
        """Bounds of ``open_sites`` by fragment ``[F + 1]``."""
        return np.searchsorted(self.open_sites, self.start)

    @cached_property
    def open_rank(self) -> np.ndarray:
        """Where an atom stands among the open sites of its fragment ``[N]`` (meaningless for the others)."""
        return np.cumsum(self.free > 0) - 1 - self.open_start[self.owner]

    @cached_property
    def symmetric(self) -> np.ndarray:
        """Row of a fragment in ``permutations``, -1 for those without symmetry ``[F]``."""
        many = np.diff(self.symmetry_start) > 1
        return np.where(many, np.cumsum(many) - 1, -1)

    @cached_property
    def permutations(self) -> np.ndarray:
        """Symmetries int64 ``[S, MAX_SYMMETRIES, A]`` of the symmetric fragments, padded with the identity."""
        chosen = np.flatnonzero(self.symmetric >= 0)
        width = int(self.size[chosen].max()) if len(chosen) else 1
        result = np.tile(np.arange(width), (len(chosen), MAX_SYMMETRIES, 1))
        offsets = np.concatenate([[0], np.cumsum(np.diff(self.symmetry_start) * self.size)])
        for row, f in enumerate(chosen):
            rows = self.symmetries[offsets[f] : offsets[f + 1]].reshape(-1, self.size[f])
            result[row, : len(rows), : self.size[f]] = rows
        return result

    @cached_property
    def representative(self) -> np.ndarray:
        """The smallest flat number among the sites equivalent to an atom ``[N]``."""
        result = np.arange(len(self.atoms))
        for f, row in enumerate(self.symmetric):
            if row >= 0:
                first, size = self.start[f], self.size[f]
                result[first : first + size] = first + self.permutations[row, :, :size].min(0)
        return result

    @cached_property
    def entries(self) -> np.ndarray:
        """Flat numbers of the sites by which a fragment can be entered: one of each class of equivalent open sites."""
        return self.open_sites[self.representative[self.open_sites] == self.open_sites]

    @cached_property
    def entry_start(self) -> np.ndarray:
        """Bounds of ``entries`` by fragment ``[F + 1]``."""
        return np.searchsorted(self.entries, self.start)

    @cached_property
    def entry_rank(self) -> np.ndarray:
        """Where an atom stands among the entries of its fragment ``[N]`` (meaningless for the others)."""
        is_entry = np.zeros(len(self.atoms), bool)
        is_entry[self.entries] = True
        return np.cumsum(is_entry) - 1 - self.entry_start[self.owner]

    @cached_property
    def site_features(self) -> np.ndarray:
        """float32 ``[N, SITE_FEATURES]``."""
        return site_features(self.atoms, self.bonds, self.start, self.bond_start)

    @cached_property
    def fragment_features(self) -> np.ndarray:
        """float32 ``[F, FRAGMENT_FEATURES]``."""
        return fragment_features(self.atoms, self.bonds, self.start, self.bond_start)


_ARRAYS = ("counts", "start", "atoms", "bond_start", "bonds", "symmetry_start", "symmetries")


def _pack(array: np.ndarray) -> str:
    return base64.b64encode(zlib.compress(np.ascontiguousarray(array).tobytes(), 9)).decode("ascii")


def _unpack(data: Mapping[str, Any]) -> np.ndarray:
    raw = zlib.decompress(base64.b64decode(data["zlib64"]))
    return np.frombuffer(raw, np.dtype(data["dtype"])).reshape(data["shape"]).copy()
