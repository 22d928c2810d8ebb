"""Rows out of files: delimited text, Parquet and Excel, one row at a time, with the line each came from."""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, Any

from molgen.core.errors import DataError, MissingDependencyError

TEXT, SMI, SDF, PARQUET, XLSX = "text", "smi", "sdf", "parquet", "xlsx"
_KINDS = {
    ".csv": TEXT,
    ".tsv": TEXT,
    ".tab": TEXT,
    ".txt": TEXT,
    ".smi": SMI,
    ".smiles": SMI,
    ".ism": SMI,
    ".sdf": SDF,
    ".sd": SDF,
    ".mol": SDF,
    ".parquet": PARQUET,
    ".pq": PARQUET,
    ".xlsx": XLSX,
    ".xlsm": XLSX,
}
_HEAD = 1 << 16
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f\x7f]")


@dataclass
class Cells:
    """A table as it stands in the file: rows are (line, cells). ``header`` None: the reader decides."""

    rows: Iterator[tuple[int, Sequence[Any]]]
    header: list[str] | None = None
    notes: list[str] = field(default_factory=list)


def kind_of(path: str | Path) -> str:
    """The format of a file by its suffix (``.gz`` aside). Raises DataError for an unknown one; "-" is text."""
    if str(path) == "-":
        return TEXT
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    suffix = suffixes[-2] if suffixes[-1:] == [".gz"] and len(suffixes) > 1 else "".join(suffixes[-1:])
    if suffix not in _KINDS:
        if not Path(path).exists():
            raise DataError(f"{path}: no such file")
        raise DataError(
            f"{path}: cannot tell the format from the suffix {suffix!r}; known are {' '.join(_KINDS)} (also with .gz)"
        )
    return _KINDS[suffix]


def open_binary(path: str | Path) -> io.BufferedReader[Any]:
    """The file's bytes, decompressed where it is gzip, standard input for "-". Raises DataError with the cure."""
    if str(path) == "-":
        return io.BufferedReader(sys.stdin.buffer, _HEAD)  # type: ignore[arg-type]
    path = Path(path)
    try:
        stream: io.BufferedReader[Any] = io.BufferedReader(io.FileIO(path), _HEAD)
    except FileNotFoundError:
        near = (
            [p.name for p in sorted(path.parent.glob(f"{path.name[:3]}*"))[:4]]
            if path.parent.is_dir()
            else []
        )
        hint = f"; beside it: {', '.join(near)}" if near else ""
        raise DataError(f"{path}: no such file{hint}") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error
    head = stream.peek(4)[:4]
    if head[:2] == b"\x1f\x8b":
        stream.close()
        return io.BufferedReader(gzip.open(path), _HEAD)  # type: ignore[arg-type]
    if path.suffix.lower() == ".gz" and head:
        stream.close()
        raise DataError(f"{path}: is named .gz but is not gzip data; was it cut off or renamed?")
    return stream


def text_lines(path: str | Path, notes: list[str]) -> Iterator[str]:
    """Lines of a text file: UTF-8 (byte-order mark or not), UTF-16, and Latin-1 for lines that are neither.

    Raises DataError for binary files, and for gzip data that ends in the middle (with the line reached).
    """
    with open_binary(path) as stream:
        number = 0
        try:
            head = stream.peek(_HEAD)[:_HEAD]
            if head[:4] == b"PAR1" or head[:2] == b"PK":
                real = (
                    "a Parquet file (.parquet)"
                    if head[:4] == b"PAR1"
                    else "an Excel workbook (.xlsx) or a zip file"
                )
                raise DataError(f"{path}: looks like {real}; give it that suffix")
            wrapped: IO[Any] = stream
            if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
                wrapped = io.TextIOWrapper(stream, encoding="utf-16")
            elif b"\0" in head or len(_CONTROL.findall(head)) * 50 > len(head):
                raise DataError(f"{path}: is binary data, not text; a table of molecules is expected")
            elif b"\r" in head and b"\n" not in head:
                wrapped = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline=None)
            for number, line in enumerate(wrapped, start=1):
                yield _decoded(line, number, notes) if isinstance(line, bytes) else line
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError(
                f"{path}: damaged gzip data after line {number}: {error}; copy the file again"
            ) from error
        except UnicodeError as error:
            raise DataError(f"{path}: line {number + 1} is not UTF-16 text: {error}") from error


def _decoded(line: bytes, number: int, notes: list[str]) -> str:
    try:
        text = line.decode()
    except UnicodeDecodeError:
        if not any(note.startswith("encoding") for note in notes):
            notes.append(f"encoding: line {number} is not UTF-8; such lines are read as Latin-1")
        text = line.decode("latin-1")
    return text.removeprefix("\ufeff") if number == 1 else text


def read_text(path: str | Path, kind: str) -> Cells:
    """Cells of a delimited file; the delimiter is found from the first lines."""
    notes: list[str] = []
    lines = text_lines(path, notes)
    head = list(islice(lines, 50))
    suffix = "".join(Path(path).suffixes).lower()
    delimiter = "\t" if ".tsv" in suffix or ".tab" in suffix else _delimiter(head, blanks=kind == SMI)
    every = _chain(head, lines)
    if delimiter == " ":
        return Cells(
            ((number, line.split(None, 1)) for number, line in enumerate(every, start=1) if line.strip()),
            None,
            notes,
        )
    return Cells(_csv_rows(path, every, delimiter), None, notes)


def _chain(head: list[str], rest: Iterator[str]) -> Iterator[str]:
    yield from head
    yield from rest


def _delimiter(head: list[str], *, blanks: bool) -> str:
    """The delimiter that cuts the most of the first lines into the same number of cells, more than one."""
    lines = [line for line in head if line.strip()]
    if blanks:  # in .smi files a comma or bar is never a delimiter, and a name may hold blanks
        return "\t" if lines and sum("\t" in line for line in lines) * 2 > len(lines) else " "
    best, best_share = ",", 0.0
    for delimiter in (",", "\t", ";", "|"):
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        if widths and widths[0] > 1:
            share = widths.count(widths[0]) / len(widths)
            if share > best_share:
                best, best_share = delimiter, share
    if best_share == 0 and lines and sum(len(line.split()) == 2 for line in lines) * 2 > len(lines):
        return " "
    return best


def _csv_rows(path: str | Path, lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, Sequence[str]]]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        number = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise DataError(
                f"{path}: line {number}: {error}; a quotation mark is not closed or stands inside of a cell"
            ) from error
        if any(cell.strip() for cell in row):
            yield number, row


def read_parquet(path: str | Path) -> Cells:
    """Cells of a Parquet file, in batches. Raises DataError for a damaged one."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingDependencyError("pyarrow", "parquet", "reading Parquet files") from error
    try:
        table = pq.ParquetFile(str(path))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a readable Parquet file: {error}") from error

    def rows() -> Iterator[tuple[int, Sequence[Any]]]:
        number = 0
        try:
            for batch in table.iter_batches(batch_size=10_000):
                for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    number += 1
                    yield number, cells
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path}: damaged Parquet data after row {number}: {error}") from error
        finally:
            table.close()

    return Cells(rows(), [str(name) for name in table.schema_arrow.names])


def read_xlsx(path: str | Path) -> Cells:
    """Cells of the first sheet of a workbook (values, not formulas). Raises DataError for a damaged one."""
    try:
        import openpyxl
        from openpyxl.utils.exceptions import InvalidFileException
    except ImportError as error:
        raise MissingDependencyError("openpyxl", "excel", "reading Excel files") from error
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (InvalidFileException, zipfile.BadZipFile, KeyError, OSError, ValueError) as error:
        raise DataError(f"{path}: not a readable Excel workbook (.xlsx): {error}") from error
    sheet = book.worksheets[0]
    notes = []
    if len(book.worksheets) > 1:
        others = ", ".join(other.title for other in book.worksheets[1:])
        notes.append(f"sheet: read {sheet.title!r}, the first; not read: {others}")

    def rows() -> Iterator[tuple[int, Sequence[Any]]]:
        try:
            for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
                if any(cell is not None and str(cell).strip() for cell in cells):
                    yield number, cells
        finally:
            book.close()

    return Cells(rows(), None, notes)
