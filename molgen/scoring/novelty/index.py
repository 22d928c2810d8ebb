"""The index of a list of known compounds: sorted hashes in files that are mapped into memory, built once per content.

A list of a million compounds is hashed chunk by chunk and sorted bucket by bucket, so memory stays flat; the index of
a big list is kept in the cache folder under the sha256 of the file's content.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import rdkit

from molgen.chem.identity import VERSION, Identities, identify, text_hash
from molgen.core.errors import DataError
from molgen.data.catalog import cache_dir
from molgen.data.parallel import in_order
from molgen.run.files import explained, sha256_file
from molgen.scoring.novelty.features import BUCKETS, prefixes
from molgen.scoring.novelty.lists import KnownList, is_inchikey, open_list

FORMAT = 1
#: Indexes of lists with at least this many rows are kept.
KEPT_ROWS = 20_000
_SORTED = 1 << 21  # keys sorted at a time: some 50 MB
_SMILES = ("drawn", "body", "shape", "elements", "unsaturation", "near", "features")


class Index:
    """An opened index. ``kind``: ``smiles`` (all levels) or ``inchikey`` (the first three). Arrays are mapped files.

    A sorted array ``NAME_keys`` has beside it ``NAME_rows``, the rows of the list it came from.
    """

    def __init__(self, folder: Path, in_memory: bool = False) -> None:
        self.folder = folder
        self.meta: dict[str, Any] = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        self.kind: Literal["smiles", "inchikey"] = self.meta["kind"]
        self._arrays: dict[str, np.ndarray] = {}
        for path in folder.glob("*.npy"):
            mapped = not in_memory and path.stat().st_size > 4096  # an empty file cannot be mapped
            self._arrays[path.stem] = np.load(path, mmap_mode="r" if mapped else None, allow_pickle=False)
        if in_memory:
            self._text: Any = (folder / "text.bin").read_bytes()
        else:
            self._text = np.memmap(folder / "text.bin", dtype=np.uint8, mode="r") if len(self) else b""

    def __len__(self) -> int:
        return int(self.meta["compounds"])

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[name]

    def entry(self, row: int) -> tuple[str, str]:
        """Standardized SMILES ("" in a list of InChIKeys) and id of a compound of the list."""
        start, end = self["text_offsets"][row : row + 2]
        smiles, _, name = bytes(self._text[start:end]).decode().partition("\t")
        return smiles, name

    def lookup(self, name: str, keys: np.ndarray) -> list[tuple[int, np.ndarray]]:
        """For each key that the list has: its position, and the rows that have it."""
        sorted_keys, rows = self[f"{name}_keys"], self[f"{name}_rows"]
        keys = keys.astype(sorted_keys.dtype)
        low = np.searchsorted(sorted_keys, keys, side="left")
        inside = np.flatnonzero(low < len(sorted_keys))
        found = inside[sorted_keys[low[inside]] == keys[inside]]  # most keys are not there
        high = np.searchsorted(sorted_keys, keys[found], side="right")
        return [
            (k, rows[start:end])
            for k, start, end in zip(found.tolist(), low[found].tolist(), high.tolist(), strict=True)
        ]

    def summary(self) -> str:
        """One sentence: what the list is, and what of it could not be used."""
        meta = self.meta
        lost = ", ".join(f"{count:,} {why}" for why, count in meta["refused"].items())
        what = "compounds" if self.kind == "smiles" else "InChIKeys"
        return f"{meta['name']}: {meta['rows']:,} rows, {len(self):,} {what}" + (
            f"; not compared with: {lost}" if lost else ""
        )


def open_index(
    path: str | Path,
    *,
    smiles_column: str | None = None,
    id_column: str | None = None,
    workers: int = 1,
    progress: Callable[[int], Any] | None = None,
) -> Index:
    """The index of a list, from the cache or built now. Raises DataError, as reading any file does."""
    path = Path(path)
    known = open_list(path, smiles_column, id_column)  # says what is wrong with the file before anything else
    about = [FORMAT, VERSION, rdkit.__version__, smiles_column, id_column]
    place = cache_dir() / "novelty" / f"{sha256_file(path)[:24]}-{text_hash(json.dumps(about)):016x}"
    if (place / "meta.json").is_file():
        return Index(place)
    return make_index(known, place, workers, progress)


def make_index(
    known: KnownList,
    place: Path | None = None,
    workers: int = 1,
    progress: Callable[[int], Any] | None = None,
) -> Index:
    """Index an opened list: in memory, or at ``place`` if it is long. Raises DataError if nothing in it is usable."""
    with _workplace(None if place is None else place.parent) as folder:
        rows = _write(folder, known, workers, progress)
        if place is None or rows < KEPT_ROWS or folder.parent != place.parent:
            return Index(folder, in_memory=True)
        with explained(place):
            if not place.exists():  # another process may have been quicker
                folder.rename(place)
        return Index(place)


@contextmanager
def _workplace(parent: Path | None) -> Iterator[Path]:
    """A new folder in the cache, or a temporary one where the cache cannot be written; removed if still there."""
    folder = None if parent is None else parent / f".{uuid.uuid4().hex}"
    try:
        if folder is not None:
            folder.mkdir(parents=True)
    except OSError:
        folder = None
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="molgen-novelty-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(folder: Path, known: KnownList, workers: int, progress: Callable[[int], Any] | None) -> int:
    with explained(folder):
        write = _write_smiles if known.kind == "smiles" else _write_keys
        rows, compounds, refused = write(folder, known, workers, progress)
    if not compounds:
        raise DataError(f"{known.path}: nothing in it can be compared with: {dict(refused)}")
    meta = {
        "format": FORMAT,
        "name": Path(known.path).name,
        "kind": known.kind,
        "rows": rows,
        "compounds": compounds,
        "refused": dict(refused),
        "notes": known.notes,
    }
    (folder / "meta.json").write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")
    return rows


def _write_smiles(
    folder: Path, known: KnownList, workers: int, progress: Callable[[int], Any] | None
) -> tuple[int, int, Counter[str]]:
    rows = compounds = 0
    refused: Counter[str] = Counter()
    frequencies = np.zeros(BUCKETS, dtype=np.uint32)
    parts = {name: (folder / f"{name}.part").open("wb") for name in (*_SMILES, "near_of", "lengths")}
    with (folder / "text.bin").open("wb") as text, (folder / "text_lengths.part").open("wb") as lengths:
        for chunk, found in in_order(identify, known.rows, workers=workers):
            good = np.array([not why for why in found.why], dtype=bool)
            refused.update(why.partition(":")[0] for why in found.why if why)
            for row, smiles, ok in zip(chunk, found.smiles, good, strict=True):
                if ok:
                    written = text.write(f"{smiles}\t{row.id or f'line {row.line}'}".encode())
                    lengths.write(np.int64(written).tobytes())
            _append(parts, found, good, compounds)
            np.add.at(frequencies, found.features % BUCKETS, 1)
            rows, compounds = rows + len(chunk), compounds + int(good.sum())
            if progress is not None:
                progress(len(chunk))
    for part in parts.values():
        part.close()
    if compounds:
        _finish(folder, compounds, frequencies)
    return rows, compounds, refused


def _append(parts: Mapping[str, IO[bytes]], found: Identities, good: np.ndarray, first: int) -> None:
    """Write the accepted rows of a chunk; refused ones have no near hashes and no features."""
    for name in ("drawn", "body", "shape", "elements", "unsaturation"):
        parts[name].write(getattr(found, name)[good].tobytes())
    number = first + np.cumsum(good) - 1
    parts["near"].write(found.near.tobytes())
    parts["near_of"].write(np.repeat(number, np.diff(found.near_offsets)).astype(np.uint32).tobytes())
    parts["features"].write(found.features.tobytes())
    parts["lengths"].write(np.diff(found.feature_offsets)[good].astype(np.int64).tobytes())


def _finish(folder: Path, n: int, frequencies: np.ndarray) -> None:
    """Turn what was appended into arrays and sorted look-ups; the parts are removed."""
    drawn, body, shape = (_mapped(folder, name, np.uint64) for name in ("drawn", "body", "shape"))
    np.save(folder / "drawn.npy", drawn)
    np.save(folder / "elements.npy", _mapped(folder, "elements", np.uint8).reshape(n, 8))
    np.save(folder / "unsaturation.npy", _mapped(folder, "unsaturation", np.int16))
    np.save(folder / "frequencies.npy", frequencies)
    every = np.arange(n, dtype=np.uint32)
    _sort(folder, "body", body, every)
    _sort(folder, "shape", shape, every)
    _sort(folder, "near", _mapped(folder, "near", np.uint64), _mapped(folder, "near_of", np.uint32))
    _offsets(folder, "text", _mapped(folder, "text_lengths", np.int64))
    features = _mapped(folder, "features", np.uint32)
    offsets = _offsets(folder, "features", _mapped(folder, "lengths", np.int64))
    np.save(folder / "features.npy", features)
    with (folder / "rare.part").open("wb") as rare, (folder / "rare_of.part").open("wb") as rare_of:
        for start in range(0, n, 10_000):
            end = min(start + 10_000, n)
            part = features[offsets[start] : offsets[end]]
            chosen, owner = prefixes(part, offsets[start : end + 1] - offsets[start], frequencies)
            rare.write(chosen.tobytes())
            rare_of.write((owner + start).astype(np.uint32).tobytes())
    _sort(folder, "rare", _mapped(folder, "rare", np.uint32), _mapped(folder, "rare_of", np.uint32))
    del features, drawn, body, shape
    for path in folder.glob("*.part"):
        path.unlink()


def _write_keys(
    folder: Path, known: KnownList, workers: int, progress: Callable[[int], Any] | None
) -> tuple[int, int, Counter[str]]:
    rows = 0
    refused: Counter[str] = Counter()
    keys: list[int] = []
    blocks: list[int] = []
    lengths: list[int] = []
    with (folder / "text.bin").open("wb") as text:
        for row in known.rows:
            rows += 1
            if progress is not None:
                progress(1)
            if not is_inchikey(row.text):
                refused["not an InChIKey"] += 1
                continue
            keys.append(text_hash(row.text))
            blocks.append(text_hash(row.text[:14]))
            lengths.append(text.write(f"\t{row.id}".encode()))
    every = np.arange(len(keys), dtype=np.uint32)
    _sort(folder, "inchikey", np.array(keys, dtype=np.uint64), every)
    _sort(folder, "block", np.array(blocks, dtype=np.uint64), every)
    _offsets(folder, "text", np.array(lengths, dtype=np.int64))
    return rows, len(keys), refused


def _mapped(folder: Path, name: str, dtype: type) -> np.ndarray:
    path = folder / f"{name}.part"
    if not path.stat().st_size:
        return np.zeros(0, dtype=dtype)
    return np.memmap(path, dtype=dtype, mode="r")


def _offsets(folder: Path, name: str, lengths: np.ndarray) -> np.ndarray:
    offsets = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(lengths, dtype=np.int64)])
    np.save(folder / f"{name}_offsets.npy", offsets)
    return offsets


def _sort(folder: Path, name: str, keys: np.ndarray, rows: np.ndarray) -> None:
    """Write keys in ascending order, and the row of each, one bucket of their first bits after the other."""
    n, bits = len(keys), 8 * keys.dtype.itemsize
    depth = max(0, int(np.ceil(np.log2(max(n, 1) / _SORTED))))
    if n == 0 or depth == 0:
        order = np.argsort(keys, kind="stable")
        np.save(folder / f"{name}_keys.npy", np.asarray(keys)[order])
        np.save(folder / f"{name}_rows.npy", np.asarray(rows)[order])
        return
    open_array = np.lib.format.open_memmap
    sorted_keys = open_array(folder / f"{name}_keys.npy", mode="w+", dtype=keys.dtype, shape=(n,))
    sorted_rows = open_array(folder / f"{name}_rows.npy", mode="w+", dtype=rows.dtype, shape=(n,))
    shift = keys.dtype.type(bits - depth)
    at = 0
    for bucket in range(1 << depth):
        places = np.concatenate(
            [
                start + np.flatnonzero((keys[start : start + _SORTED] >> shift) == bucket)
                for start in range(0, n, _SORTED)
            ]
        )
        part = keys[places]
        order = np.argsort(part, kind="stable")
        sorted_keys[at : at + len(part)] = part[order]
        sorted_rows[at : at + len(part)] = rows[places[order]]
        at += len(part)
    assert at == n
