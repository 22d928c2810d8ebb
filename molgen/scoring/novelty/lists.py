"""Opens a list of known compounds: structures where there are any, else InChIKeys; and hashes rows in order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal, TypeVar

from molgen.core.errors import DataError
from molgen.data.columns import guess_columns
from molgen.data.formats import PARQUET, SDF, XLSX, Cells, kind_of, read_parquet, read_text, read_xlsx
from molgen.data.reader import open_source
from molgen.data.sdf import Row

_KEY = re.compile(r"[A-Z]{14}-[A-Z]{10}-[A-Z]")
_PEEK = 100
_CHUNK = 500
_T = TypeVar("_T")


@dataclass(frozen=True)
class KnownList:
    """An opened list, to be read once: ``rows`` hold SMILES or InChIKeys in ``text``, as ``kind`` says."""

    path: str
    kind: Literal["smiles", "inchikey"]
    rows: Iterator[Row]
    notes: list[str]


def open_list(path: str | Path, smiles_column: str | None = None, id_column: str | None = None) -> KnownList:
    """Open a list of structures, or of InChIKeys if no column holds structures. Raises DataError with the cure."""
    if smiles_column is None and kind_of(path) != SDF:
        keys = _inchikeys(path, id_column)
        if keys is not None:
            return keys
    source = open_source(path, smiles_column=smiles_column, id_column=id_column)
    return KnownList(str(path), "smiles", source.rows, source.notes)


def _inchikeys(path: str | Path, id_column: str | None) -> KnownList | None:
    """The list by its InChIKeys, if it has some and no structures."""
    cells = _cells(path)
    head = list(islice(cells.rows, _PEEK))
    width = max((len(row) for _, row in head), default=0)
    shares = [_share(head, column) for column in range(width)]
    if not shares or max(shares) < 0.5:
        return None
    try:
        guess_columns(path, [row for _, row in head], cells.header, None, None)
        return None  # there are structures too, and they can say more
    except DataError:
        place = shares.index(max(shares))
    names = cells.header
    if names is None and head and not _is_key(head[0][1], place):
        names = [str(cell).strip() for cell in head.pop(0)[1]]
    identity = _identity(path, names, id_column, place, width)
    label = names[place] if names else f"{place + 1}"
    notes = [*cells.notes, f"no structures: InChIKeys are taken from column {label}"]

    def rows() -> Iterator[Row]:
        for line, row in chain(head, cells.rows):
            text = str(row[place]).strip() if place < len(row) and row[place] is not None else ""
            key = str(row[identity]).strip() if identity is not None and identity < len(row) else None
            yield Row(line, text, key or text)

    return KnownList(str(path), "inchikey", rows(), notes)


def _cells(path: str | Path) -> Cells:
    kind = kind_of(path)
    if kind == PARQUET:
        return read_parquet(path)
    return read_xlsx(path) if kind == XLSX else read_text(path, kind)


def _is_key(row: Any, place: int) -> bool:
    return place < len(row) and isinstance(row[place], str) and bool(_KEY.fullmatch(row[place].strip()))


def _share(head: list[tuple[int, Any]], column: int) -> float:
    return sum(_is_key(row, column) for _, row in head) / max(len(head) - 1, 1)


def _identity(
    path: str | Path, names: list[str] | None, wanted: str | None, place: int, width: int
) -> int | None:
    if wanted is not None:
        if names is None or wanted not in names:
            raise DataError(f"{path}: no id column {wanted!r}; the columns are: {', '.join(names or [])}")
        return names.index(wanted)
    if names is not None:
        plain = [name.lower().replace(" ", "_") for name in names]
        for name in ("id", "compound_id", "patent", "patent_id", "name", "compound", "cid", "chembl_id"):
            if name in plain and plain.index(name) != place:
                return plain.index(name)
    others = [column for column in range(width) if column != place]
    return others[0] if others else None


def is_inchikey(text: str) -> bool:
    """Whether a text has the form of a standard InChIKey."""
    return bool(_KEY.fullmatch(text))
