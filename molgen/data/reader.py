"""Molecules out of a file: guess the columns and say so, standardize every row, and account for each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molgen.chem.molecule import Molecule, Parsed, Rejected, parse_all
from molgen.chem.standardize import get_policy
from molgen.core.errors import DataError
from molgen.data.columns import guess_columns
from molgen.data.formats import PARQUET, SDF, XLSX, kind_of, read_parquet, read_text, read_xlsx
from molgen.data.parallel import in_order
from molgen.data.sdf import Row, sdf_rows
from molgen.run.files import sha256_file

if TYPE_CHECKING:
    import pandas

_CHUNK = 10_000
_PEEK = 101


@dataclass
class Source:
    """An opened input: what was found out about its columns, and its rows, to be read once.

    ``notes`` are sentences for the log; some (encoding) appear only while the rows are read.
    """

    path: str
    kind: str
    columns: list[str]
    smiles_column: str
    id_column: str | None
    notes: list[str]
    rows: Iterator[Row]


@dataclass
class Table:
    """All molecules of a file. ``n_rows == len(molecules) + len(rejected)``."""

    path: str
    molecules: list[Molecule]
    rejected: list[Rejected]
    columns: list[str]
    smiles_column: str
    id_column: str | None
    n_rows: int
    sha256: str
    policy: str
    notes: list[str] = field(default_factory=list)

    @property
    def reasons(self) -> dict[str, int]:
        """Reason code -> number of rejected rows, most frequent first."""
        return dict(Counter(row.why for row in self.rejected).most_common())

    def summary(self) -> str:
        """One sentence: rows in, kept, rejected and why."""
        assert self.n_rows == len(self.molecules) + len(self.rejected)
        why = ", ".join(f"{count} {reason}" for reason, count in self.reasons.items())
        return (
            f"{self.path}: {self.n_rows:,} rows = {len(self.molecules):,} kept + {len(self.rejected):,} rejected"
            + (f" ({why})" if why else "")
        )

    def to_frame(self) -> pandas.DataFrame:
        """Columns ``smiles``, ``id`` and the file's other columns, one row per molecule."""
        import pandas

        return pandas.DataFrame([{"smiles": m.smiles, "id": m.id, **m.data} for m in self.molecules])


def open_source(
    path: str | Path, *, smiles_column: str | None = None, id_column: str | None = None
) -> Source:
    """Open a CSV, TSV, SMI, SDF (also .gz), Parquet or XLSX file, or "-". Raises DataError with file and cure."""
    kind = kind_of(path)
    if kind == SDF:
        notes: list[str] = []
        records = sdf_rows(path, id_column, notes)
        head = list(islice(records, _PEEK))
        if not head:
            raise DataError(f"{path}: is empty, no record in it")
        names = list(dict.fromkeys(name for row in head for name in row.data))
        notes.append("ids are taken from " + (f"field {id_column!r}" if id_column else "the title lines"))
        return Source(str(path), kind, names, "structure", id_column, notes, chain(head, records))
    cells = (
        {PARQUET: read_parquet, XLSX: read_xlsx}[kind](path)
        if kind in (PARQUET, XLSX)
        else read_text(path, kind)
    )
    first = list(islice(cells.rows, _PEEK))
    if not first:
        raise DataError(f"{path}: is empty, there is no row in it")
    found = guess_columns(path, [row for _, row in first], cells.header, smiles_column, id_column)
    if cells.header is None and found.has_header:
        first = first[1:]
        if not first:
            raise DataError(f"{path}: has a header ({', '.join(found.names)[:200]}) but no rows")
    cells.notes.extend(found.notes)
    return Source(
        str(path),
        kind,
        found.names,
        found.names[found.smiles],
        None if found.id is None else found.names[found.id],
        cells.notes,
        _rows(chain(first, cells.rows), found.names, found.smiles, found.id),
    )


def _rows(
    table: Iterable[tuple[int, Sequence[Any]]], names: list[str], smiles: int, identity: int | None
) -> Iterator[Row]:
    others = [(i, name) for i, name in enumerate(names) if i not in (smiles, identity)]
    for line, cells in table:
        width = len(cells)
        text = cells[smiles] if smiles < width else None
        key = cells[identity] if identity is not None and identity < width else None
        data = {name: cells[i] if i < width else "" for i, name in others}
        for extra in range(len(names), width):
            data[f"column_{extra + 1}"] = cells[extra]
        yield Row(
            line,
            text.strip() if isinstance(text, str) else "" if text is None else str(text),
            str(key).strip() or None if key is not None else None,
            data,
        )


def raw_rows(
    path: str | Path, *, smiles_column: str | None = None, id_column: str | None = None
) -> Iterator[tuple[int, str, str | None, dict[str, Any]]]:
    """(line, SMILES text, id, other columns) of each row, unparsed."""
    for row in open_source(path, smiles_column=smiles_column, id_column=id_column).rows:
        yield row.line, row.text, row.id, row.data


def stream(
    path: str | Path | Source,
    *,
    smiles_column: str | None = None,
    id_column: str | None = None,
    policy: str = "default",
    limit: int | None = None,
    workers: int = 1,
    chunk: int = _CHUNK,
    progress: Callable[[int], Any] | None = None,
) -> Iterator[Parsed]:
    """Parse a file chunk by chunk, in order, in memory bounded by ``chunk`` and ``workers``.

    ``workers`` > 1 starts that many processes (spawned; a script needs the ``__main__`` guard). ``progress`` is
    called with the number of rows of each chunk. ``Parsed.index`` counts within the chunk. Raises DataError.
    """
    get_policy(policy)
    source = path
    if not isinstance(source, Source):
        source = open_source(source, smiles_column=smiles_column, id_column=id_column)
    rows = source.rows if limit is None else islice(source.rows, limit)
    for part, results in in_order(partial(_work, policy=policy), rows, workers=workers, chunk=chunk):
        yield _assemble(part, results, policy, source.path)
        if progress is not None:
            progress(len(part))


def read(
    path: str | Path,
    *,
    smiles_column: str | None = None,
    id_column: str | None = None,
    policy: str = "default",
    limit: int | None = None,
    workers: int = 1,
    progress: Callable[[int], Any] | None = None,
) -> Table:
    """Read a whole file (or its first ``limit`` rows); see :func:`stream`. Raises DataError with file and cure."""
    source = open_source(path, smiles_column=smiles_column, id_column=id_column)
    molecules: list[Molecule] = []
    rejected: list[Rejected] = []
    n_rows = 0
    for parsed in stream(source, policy=policy, limit=limit, workers=workers, progress=progress):
        molecules += parsed.ok
        rejected += parsed.rejected
        n_rows += len(parsed.ok) + len(parsed.rejected)
    return Table(
        source.path,
        molecules,
        rejected,
        source.columns,
        source.smiles_column,
        source.id_column,
        n_rows,
        "" if source.path == "-" else sha256_file(path),
        policy,
        source.notes,
    )


_Result = tuple[str, str, str]  # (smiles, "", "") or ("", why, detail): all that a worker sends back


def _work(texts: list[str], policy: str) -> list[_Result]:
    parsed = parse_all(texts, policy, first_line=0)
    results: list[_Result] = [("", "", "")] * len(texts)
    for position, molecule in zip(parsed.index, parsed.ok, strict=True):
        results[position] = (molecule.smiles, "", "")
    for row in parsed.rejected:
        results[row.line] = ("", row.why, row.detail)
    return results


def _assemble(part: list[Row], results: list[_Result], policy: str, file: str) -> Parsed:
    ok: list[Molecule] = []
    index: list[int] = []
    rejected: list[Rejected] = []
    for position, (row, (smiles, why, detail)) in enumerate(zip(part, results, strict=True)):
        if row.why:  # refused by the format, before anything was parsed
            rejected.append(Rejected(row.line, row.text, row.why, row.detail, file))
        elif why:
            rejected.append(Rejected(row.line, row.text, why, detail, file))
        else:
            ok.append(
                Molecule(smiles, policy, row.id, row.data) if row.data else Molecule(smiles, policy, row.id)
            )
            index.append(position)
    assert len(ok) + len(rejected) == len(part)
    return Parsed(ok, index, rejected)
