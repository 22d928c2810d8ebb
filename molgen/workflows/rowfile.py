"""A table written row by row, whole or not at all: CSV, TSV, SMI or JSON Lines, also compressed."""

from __future__ import annotations

import csv
import gzip
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from molgen.core.errors import ConfigError
from molgen.run.files import explained

ENDINGS = (".csv", ".tsv", ".smi", ".jsonl")


def ending(path: Path) -> str:
    """The format by the name. Raises ConfigError for one that cannot be written row by row."""
    name = path.name.lower().removesuffix(".gz")
    found = next((one for one in ENDINGS if name.endswith(one)), None)
    if found is None:
        raise ConfigError(
            f"{path}: written row by row, so the name ends in {', '.join(ENDINGS)} (or one of these and .gz)",
            "output",
        )
    return found


class RowFile:
    """Writes rows to a file that appears when the ``with`` block ends well, or to an open stream.

    Args:
        target: the path, or a stream that stays open.
        own: our columns, first.
        others: the user's columns, after ours; one with the name of one of ours becomes ``input_NAME``.
        json_lines: for a stream: JSON Lines instead of CSV.
    """

    def __init__(
        self, target: Path | TextIO, own: Sequence[str], others: Sequence[str], *, json_lines: bool = False
    ) -> None:
        self._path = target if isinstance(target, Path) else None
        self._stream = None if isinstance(target, Path) else target
        self._kind = ending(target) if isinstance(target, Path) else ".jsonl" if json_lines else ".csv"
        self._own = list(own)
        self._others = {name: f"input_{name}" if name in own else name for name in others}
        self._writer: Any = None
        self.rows = 0
        self.lost_cells = 0

    def __enter__(self) -> RowFile:
        if self._path is not None:
            part = self._part(self._path)
            with explained(part):
                self._stream = (
                    gzip.open(part, "wt", encoding="utf-8", newline="")
                    if self._path.name.lower().endswith(".gz")
                    else part.open("w", encoding="utf-8", newline="")
                )
        assert self._stream is not None
        if self._kind in (".csv", ".tsv"):
            delimiter = "\t" if self._kind == ".tsv" else ","
            self._writer = csv.writer(self._stream, delimiter=delimiter, lineterminator="\n")
            self._writer.writerow([*self._own, *self._others.values()])
        return self

    def write(self, own: Mapping[str, Any], others: Mapping[str, Any]) -> None:
        """Write one row; of ``own`` only the columns of this file, ``others`` are the user's cells."""
        assert self._stream is not None
        self.rows += 1
        if len(others) > len(self._others):
            self.lost_cells += sum(name not in self._others for name in others)
        if self._kind == ".smi":
            self._stream.write(f"{own['smiles']}\t{own['id'] or self.rows}\n")
            return
        cells = [own[name] for name in self._own] + [others.get(name, "") for name in self._others]
        if self._writer is not None:
            self._writer.writerow(["" if cell is None else cell for cell in cells])
        else:
            names = [*self._own, *self._others.values()]
            line = {name: _plain(cell) for name, cell in zip(names, cells, strict=True)}
            self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._stream is not None
        if self._path is None:
            self._stream.flush()
            return
        part = self._part(self._path)
        with explained(self._path):
            self._stream.close()
            if kind is None:
                os.replace(part, self._path)
            else:
                part.unlink(missing_ok=True)

    @staticmethod
    def _part(path: Path) -> Path:
        return path.with_name(f".{path.name}.part-{os.getpid()}")


def _plain(cell: Any) -> Any:
    return cell if isinstance(cell, (str, int, float, bool, type(None))) else str(cell)
