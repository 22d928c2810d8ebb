"""The building blocks of the user as a set of hashes: half a million take some 30 MB, and are read once per content."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import rdkit

from molgen.chem.identity import text_hash
from molgen.chem.molecule import parse_all
from molgen.core.errors import DataError
from molgen.data.catalog import cache_dir
from molgen.data.reader import open_source
from molgen.data.sdf import Row
from molgen.run.files import sha256_file

FORMAT = 1
_CHUNK = 2_000
#: Files with at least this many blocks are kept in the cache.
KEPT_ROWS = 5_000


@dataclass(frozen=True)
class Stock:
    """Building blocks: sorted hashes of their canonical SMILES, uint64 ``[n]``, and their ids, bytes ``[n]``."""

    keys: np.ndarray
    names: np.ndarray
    refused: int = 0

    def __len__(self) -> int:
        return len(self.keys)

    def find(self, smiles: str) -> str | None:
        """The id of a block by its canonical SMILES, None if it is not there."""
        key = np.uint64(text_hash(smiles))
        place = int(np.searchsorted(self.keys, key))
        if place < len(self.keys) and self.keys[place] == key:
            return bytes(self.names[place]).decode()
        return None

    @classmethod
    def of(cls, rows: Iterable[Row], progress: Callable[[int], Any] | None = None) -> Stock:
        """Standardize blocks (largest fragment, neutral) and keep the first of the same ones."""
        keys: dict[int, bytes] = {}
        refused = 0
        part: list[Row] = []

        def take() -> int:
            parsed = parse_all([row.text for row in part])
            for place, molecule in zip(parsed.index, parsed.ok, strict=True):
                name = part[place].id or molecule.smiles
                keys.setdefault(text_hash(molecule.smiles), name.encode())
            if progress is not None:
                progress(len(part))
            count = len(parsed.rejected)
            part.clear()
            return count

        for row in rows:
            part.append(row)
            if len(part) == _CHUNK:
                refused += take()
        refused += take()
        number = np.fromiter(keys, dtype=np.uint64, count=len(keys))
        order = np.argsort(number)
        names = np.array(list(keys.values()), dtype="S") if keys else np.zeros(0, dtype="S1")
        return cls(number[order], names[order], refused)


def inline(blocks: Sequence[str]) -> Stock:
    """Blocks that stand in the configuration."""
    return _checked(Stock.of(Row(line, text) for line, text in enumerate(blocks, 1)), "references")


def open_stock(
    path: Path, id_column: str | None = None, progress: Callable[[int], Any] | None = None
) -> Stock:
    """The blocks of a file, from the cache if they were read before. Raises DataError."""
    source = open_source(path, id_column=id_column)
    about = json.dumps([FORMAT, rdkit.__version__, id_column])
    place = cache_dir() / "blocks" / f"{sha256_file(path)[:24]}-{text_hash(about):016x}.npz"
    if place.is_file():
        with np.load(place, allow_pickle=False) as kept:
            return Stock(kept["keys"], kept["names"], int(kept["refused"]))
    stock = _checked(Stock.of(source.rows, progress), str(path))
    if len(stock) >= KEPT_ROWS:
        with suppress(OSError):  # a cache that cannot be written costs time, nothing else
            place.parent.mkdir(parents=True, exist_ok=True)
            temporary = place.with_name(f".{uuid.uuid4().hex}.npz")
            np.savez(temporary, keys=stock.keys, names=stock.names, refused=stock.refused)
            os.replace(temporary, place)
    return stock


def _checked(stock: Stock, name: str) -> Stock:
    if not len(stock):
        raise DataError(f"{name}: no building block in it ({stock.refused} rows could not be used)")
    return stock
