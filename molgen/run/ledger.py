"""The append-only journal of a run: one JSON object per line, torn ends repaired, cut back on resume.

First line: ``{"format": 1, "kind": "ledger"}``. JSON has no NaN: NaN and infinities are written as ``null``.
A batch of rows is one write and one fsync, so that a kill between batches loses nothing and a kill within one
leaves a torn end, which :meth:`Ledger.repair` removes. Only the process that holds the run's lock may write.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from molgen.core.errors import RunError
from molgen.run.files import check_format, explained, sync_folder

#: Version of the journal files (``ledger.jsonl``, ``metrics.jsonl``).
LEDGER_FORMAT = 1
_PIECE = 1 << 20


def jsonable(value: Any) -> Any:
    """``value`` with NaN and infinities as None, NumPy values as Python's, tuples and sets as lists."""
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [jsonable(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(jsonable(item) for item in value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "tolist"):  # NumPy scalars and arrays, torch tensors; without importing either
        return jsonable(value.tolist())
    raise TypeError(f"cannot write a value of type {type(value).__name__} as JSON: {value!r}")


def dump_line(row: Mapping[str, Any]) -> str:
    """One compact JSON line with its newline; see :func:`jsonable` for what becomes of NaN."""
    try:
        text = json.dumps(row, allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    except (TypeError, ValueError):  # NaN, NumPy scalars: the slow way, only for the rows that need it
        text = json.dumps(jsonable(row), allow_nan=False, ensure_ascii=False, separators=(",", ":"))
    return text + "\n"


def _parse(line: bytes) -> dict[str, Any] | None:
    """The row, or None if the line is no JSON object."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    return row if isinstance(row, dict) else None


class Ledger:
    """An append-only JSON Lines file.

    Args:
        path: the file; created with its header by the first append.
        kind: written to and checked in the header.
        durable: fsync each batch (off for what can be lost in a power cut, such as metrics).
        guard: called before each write; raises when this process may not write (lock lost).
    """

    def __init__(
        self,
        path: Path | str,
        *,
        kind: str = "ledger",
        durable: bool = True,
        guard: Callable[[], None] | None = None,
    ) -> None:
        self.path = Path(path)
        self.kind = kind
        self._durable = durable
        self._guard = guard

    def append(self, row: Mapping[str, Any]) -> None:
        """:meth:`append_many` of one row."""
        self.append_many([row])

    def append_many(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Append all rows in one write, flush and fsync; all of them or, on an error, none.

        Raises:
            RunError: disk full, folder unwritable, lock lost. The file ends where it ended before.
        """
        if not rows:
            return
        if self._guard is not None:
            self._guard()
        data = "".join(map(dump_line, rows)).encode()
        with explained(self.path, "append to"):
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                size = os.fstat(descriptor).st_size
                if size == 0:
                    data = dump_line({"format": LEDGER_FORMAT, "kind": self.kind}).encode() + data
                elif os.pread(descriptor, 1, size - 1) != b"\n":
                    self.repair()
                    size = os.fstat(descriptor).st_size
                try:
                    _write_all(descriptor, data)
                    if self._durable:
                        os.fsync(descriptor)
                except BaseException:  # half a batch would be read back as rows that were never reported
                    with contextlib.suppress(OSError):
                        os.ftruncate(descriptor, size)
                    raise
            finally:
                os.close(descriptor)
            if size == 0:
                sync_folder(self.path.parent)

    def rows(self, start: int = 0) -> Iterator[dict[str, Any]]:
        """All rows from byte ``start`` (0, or an :meth:`offset`) on; the header is checked and left out.

        A torn last line is left out too, so a file that is being written can be read.

        Raises:
            RunError: a damaged line before the end, another kind of file, or a newer format.
        """
        if not self.path.exists():
            return
        with explained(self.path, "read"), open(self.path, "rb") as file:
            first = file.readline()
            if not first.endswith(b"\n"):
                return
            self._check_header(first)
            number = 1
            if start > len(first):
                file.seek(start)
                number = 0  # lines are counted from `start`; said so in the message
            for line in file:
                number += 1
                if not line.endswith(b"\n") or b"\0" in line:
                    return
                row = _parse(line)
                if row is None:
                    if not any(_parse(later) is not None for later in file):
                        return  # the torn end
                    after = f" after byte {start}" if start > len(first) else ""
                    raise RunError(
                        f"{self.path}, line {number}{after}: damaged (not a JSON object); restore it from a copy, "
                        "or resume from a checkpoint that was saved before it"
                    )
                yield row

    def offset(self) -> int:
        """Bytes up to the end of the last whole line (0 without a file); what a checkpoint stores."""
        if not self.path.exists():
            return 0
        with explained(self.path, "read"), open(self.path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            return _last_newline(file, size)

    def truncate(self, offset: int) -> None:
        """Cut back to ``offset`` bytes, an earlier :meth:`offset`; the resumed run replays what came after.

        Raises:
            RunError: the file is shorter than that or ``offset`` is within a line: it is not the file that
                the checkpoint was saved with.
        """
        if self._guard is not None:
            self._guard()
        if not self.path.exists():
            if offset == 0:
                return
            raise RunError(
                f"{self.path} is missing, but the checkpoint was saved with {offset} bytes of it; "
                "restore it from a copy of the run folder, or start the run again with --overwrite"
            )
        with explained(self.path, "cut back"), open(self.path, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            whole = offset == 0
            if 0 < offset <= size:
                file.seek(offset - 1)
                whole = file.read(1) == b"\n"
            if not whole:
                raise RunError(
                    f"{self.path} has {size} bytes and no line that ends at byte {offset}, as the checkpoint "
                    "expects: the file was changed or damaged; restore it from a copy of the run folder, "
                    "or start the run again with --overwrite"
                )
            file.truncate(offset)
            os.fsync(file.fileno())

    def repair(self) -> int:
        """Remove what a crash left at the end; returns the number of lines dropped (0: the file was whole).

        Dropped: a half line, everything from the first NUL byte on (blocks that never reached the disk), and
            last
        lines that are no JSON objects. A whole row that only lacks its newline is kept.
        """
        if not self.path.exists():
            return 0
        with explained(self.path, "repair"), open(self.path, "r+b") as file:
            size = file.seek(0, os.SEEK_END)
            nul = _find_nul(file)
            end = size if nul is None else _last_newline(file, nul)
            if nul is None:
                start = _last_newline(file, size)
                file.seek(start)
                tail = file.read()
                if tail and _parse(tail) is not None:
                    file.seek(size)
                    file.write(b"\n")
                    size = end = size + 1
                elif tail:
                    end = start
            while end:  # whole lines that are no rows: rare, so one line at a time is quick enough
                start = _last_newline(file, end - 1)
                file.seek(start)
                if _parse(file.read(end - start)) is not None:
                    break
                end = start
            file.seek(end)
            lost = file.read(size - end)
            file.truncate(end)
            file.flush()
            os.fsync(file.fileno())
        return sum(1 for line in lost.replace(b"\0", b"").split(b"\n") if line) or int(bool(lost))

    def _check_header(self, line: bytes) -> None:
        header: Any = None
        with contextlib.suppress(ValueError):
            header = json.loads(line)
        if not isinstance(header, dict) or "format" not in header:
            raise RunError(
                f"{self.path}, line 1: no header with a format number; the file is damaged or not of molgen"
            )
        check_format(header["format"], self.path, LEDGER_FORMAT)
        if header.get("kind") != self.kind:
            raise RunError(f"{self.path} is of kind {header.get('kind')!r}, expected {self.kind!r}")


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _find_nul(file: Any) -> int | None:
    file.seek(0)
    position = 0
    while piece := file.read(_PIECE):
        found = piece.find(b"\0")
        if found >= 0:
            return position + int(found)
        position += len(piece)
    return None


def _last_newline(file: Any, end: int) -> int:
    """Position just after the last newline before byte ``end``; 0 without one."""
    while end > 0:
        start = max(0, end - _PIECE)
        file.seek(start)
        found = file.read(end - start).rfind(b"\n")
        if found >= 0:
            return int(start + found + 1)
        end = start
    return 0
