"""Many molecules as fragment trees in flat arrays: made in parallel, kept in a cache by the hash of their SMILES."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np

from molgen.data.cache import Arrays, content_key, kept, pack_texts, unpack_texts
from molgen.run.progress import Progress

#: Raised when the rules of cutting or ordering change: older cache files are then not read.
CODEC = 1
_CHUNK, _LONG = 5_000, 100_000
_FIELDS = ("index", "start", "fragment", "parent", "entry", "parent_site", "outside_index", "outside_reason")


@dataclass(frozen=True)
class Trees:
    """The trees of a list of molecules.

    Molecule k is number ``index[k]`` of the list and has fragments ``start[k]:start[k + 1]`` of the flat arrays
    ``fragment`` (a number of ``names``), ``parent`` (position in the same molecule, the root's is 0), ``entry`` and
    ``parent_site`` (atoms). About 7 bytes per fragment. What is outside of the codec is in ``outside_index``, and why
    in ``reasons``.
    """

    index: np.ndarray
    start: np.ndarray
    fragment: np.ndarray
    parent: np.ndarray
    entry: np.ndarray
    parent_site: np.ndarray
    outside_index: np.ndarray
    outside_reason: np.ndarray
    names: tuple[str, ...]
    reasons: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.index)

    @property
    def lengths(self) -> np.ndarray:
        """Fragments per molecule."""
        return np.diff(self.start)

    def outside(self) -> dict[str, int]:
        """How many molecules are outside of the codec, by reason."""
        counted = Counter(self.reasons[k] for k in self.outside_reason)
        return dict(counted.most_common())

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Plain arrays that :func:`molgen.data.cache.kept` can keep."""
        arrays = {name: getattr(self, name) for name in _FIELDS}
        return arrays | {name: pack_texts(getattr(self, name)) for name in ("names", "reasons")}

    @classmethod
    def from_arrays(cls, found: Arrays) -> Trees:
        """Inverse of :meth:`to_arrays`; needs no RDKit."""
        arrays: dict[str, Any] = {name: found[name] for name in _FIELDS}
        names, reasons = (tuple(unpack_texts(found[name])) for name in ("names", "reasons"))
        return cls(names=names, reasons=reasons, **arrays)


def cut_all(smiles: Sequence[str], *, workers: int = 1) -> Trees:
    """Cut every molecule; long lists in ``workers`` spawned processes, and with a progress line."""
    chunks = [smiles[i : i + _CHUNK] for i in range(0, len(smiles), _CHUNK)]
    few = len(smiles) < _LONG
    with Progress(len(smiles), "molecules", "cutting into fragments", quiet=few) as bar:
        if workers < 2 or few:
            from molgen.models.graph_vae.cutting import Cutter

            cutter = Cutter()
            return _join(_counted((_cut_chunk(chunk, cutter) for chunk in chunks), chunks, bar), chunks)
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_start_worker) as pool:
            return _join(_counted(pool.map(_cut_in_worker, chunks), chunks, bar), chunks)


def cached_trees(smiles: Sequence[str], *, workers: int = 1) -> Trees:
    """:func:`cut_all`, kept by content (``fragment-trees``) for lists of 20,000 and more."""
    return Trees.from_arrays(
        kept(
            "fragment-trees",
            content_key(f"fragment trees {CODEC}", texts=smiles),
            lambda: cut_all(smiles, workers=workers).to_arrays(),
            worth=len(smiles) >= 20_000,
        )
    )


_Chunk = tuple[list[np.ndarray], list[str], list[str]]


def _start_worker() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"


_WORKER: list[object] = []


def _cut_in_worker(smiles: Sequence[str]) -> _Chunk:
    from molgen.models.graph_vae.cutting import Cutter

    if not _WORKER:
        _WORKER.append(Cutter())
    cutter = _WORKER[0]
    assert isinstance(cutter, Cutter)
    return _cut_chunk(smiles, cutter)


def _cut_chunk(smiles: Sequence[str], cutter: object) -> _Chunk:
    from molgen.models.graph_vae.cutting import Cutter, OutsideError

    assert isinstance(cutter, Cutter)
    numbers: dict[str, int] = {}
    reasons: dict[str, int] = {}
    index, lengths, fragment, parent, entry, site = [], [], [], [], [], []
    outside_index, outside_reason = [], []
    for i, text in enumerate(smiles):
        try:
            tree = cutter.cut_smiles(text)
        except OutsideError as error:
            outside_index.append(i)
            outside_reason.append(reasons.setdefault(str(error), len(reasons)))
            continue
        index.append(i)
        lengths.append(len(tree.fragments))
        fragment += [numbers.setdefault(name, len(numbers)) for name in tree.fragments]
        parent += tree.parent
        entry += tree.entry
        site += tree.parent_site
    arrays = [np.array(x, np.int32) for x in (index, lengths, fragment)]
    arrays += [np.array(x, np.uint8) for x in (parent, entry, site)]
    arrays += [np.array(x, np.int32) for x in (outside_index, outside_reason)]
    return arrays, list(numbers), list(reasons)


def _counted(found: Iterator[_Chunk], chunks: Sequence[Sequence[str]], bar: Progress) -> Iterator[_Chunk]:
    for result, chunk in zip(found, chunks, strict=True):
        bar.advance(len(chunk))
        yield result


def _join(found: Iterator[_Chunk], chunks: Sequence[Sequence[str]]) -> Trees:
    numbers: dict[str, int] = {}
    reasons: dict[str, int] = {}
    columns: list[list[np.ndarray]] = [[] for _ in range(8)]
    first = 0
    for (arrays, names, words), chunk in zip(found, chunks, strict=True):
        index, lengths, fragment, parent, entry, site, outside, why = arrays
        to_number = np.array([numbers.setdefault(name, len(numbers)) for name in names], np.int32)
        to_reason = np.array([reasons.setdefault(word, len(reasons)) for word in words], np.int32)
        new = (
            index + first,
            lengths,
            to_number[fragment] if len(fragment) else fragment,
            parent,
            entry,
            site,
            outside + first,
            to_reason[why] if len(why) else why,
        )
        for column, part in zip(columns, new, strict=True):
            column.append(part)
        first += len(chunk)
    whole = [np.concatenate(column) if column else np.zeros(0, np.int32) for column in columns]
    whole[1] = np.concatenate([[0], np.cumsum(whole[1], dtype=np.int64)])
    fields: dict[str, Any] = dict(zip(_FIELDS, whole, strict=True))
    return Trees(names=tuple(numbers), reasons=tuple(reasons), **fields)
