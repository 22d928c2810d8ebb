"""SD files record by record: where each starts, what it says, and why one cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rdkit import Chem, rdBase

from molgen.data.formats import text_lines

_FIELD = re.compile(r"^>.*?<([^>]*)>")


@dataclass(frozen=True)
class Row:
    """One row of an input: the line it starts at, its SMILES text, id, other columns, and why it is refused, if so."""

    line: int
    text: str
    id: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    why: str = ""
    detail: str = ""


def sdf_rows(path: str | Path, id_field: str | None, notes: list[str]) -> Iterator[Row]:
    """The records of an SD or mol file; a damaged or cut-off record is a Row with its reason, never an exception.

    The id is the field ``id_field``, else the title line.
    """
    record: list[str] = []
    start = number = 1
    count = 0
    for number, line in enumerate(text_lines(path, notes), start=1):
        if line.startswith("$$$$"):
            count += 1
            yield _row(record, start, count, id_field, complete=True)
            record, start = [], number + 1
        else:
            record.append(line.rstrip("\r\n"))
    if any(line.strip() for line in record):
        yield _row(record, start, count + 1, id_field, complete=False)


def _row(record: list[str], start: int, count: int, id_field: str | None, *, complete: bool) -> Row:
    title = record[0].strip() if record else ""
    end = next((i for i, line in enumerate(record) if line.startswith("M  END")), None)
    where = f"record {count}"
    if end is None:
        if complete:
            return Row(start, title, title or None, why="unparsable", detail=f"{where}: no 'M  END' line")
        return Row(
            start,
            title,
            title or None,
            why="truncated",
            detail=f"{where}: the file ends inside of this record",
        )
    data = _fields(record[end + 1 :])
    identity = data.pop(id_field, None) if id_field else None
    identity = identity or title or None
    block = "\n".join(record[: end + 1]) + "\n"
    with rdBase.BlockLogs():
        mol = Chem.MolFromMolBlock(block)
        if mol is None:
            return _refused(block, start, where, identity, data, title)
        if not mol.GetNumAtoms():
            return Row(start, "", identity, data, "empty", f"{where}: a structure without atoms")
        return Row(start, Chem.MolToSmiles(mol), identity, data)


def _refused(
    block: str, start: int, where: str, identity: str | None, data: dict[str, Any], title: str
) -> Row:
    raw = Chem.MolFromMolBlock(block, sanitize=False)
    problems = () if raw is None else Chem.DetectChemistryProblems(raw)
    for problem in problems:
        why = "valence" if "Valence" in problem.GetType() else "aromaticity"
        return Row(start, title, identity, data, why, f"{where}: {problem.Message().strip()}")
    return Row(start, title, identity, data, "unparsable", f"{where}: not a molfile that RDKit can read")


def _fields(lines: list[str]) -> dict[str, Any]:
    """The data items (``> <name>``, value lines, blank line) after a structure."""
    data: dict[str, Any] = {}
    name: str | None = None
    for line in lines:
        if match := _FIELD.match(line):
            name = match.group(1)
            data[name] = ""
        elif name is not None:
            if line.strip():
                data[name] = f"{data[name]}\n{line}" if data[name] else line
            else:
                name = None
    return data
