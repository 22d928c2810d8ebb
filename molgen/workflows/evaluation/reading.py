"""The list as it was written: strings are not repaired before they are counted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from molgen.core.errors import DataError
from molgen.data.reader import raw_rows


def read_list(
    molecules: str | Path | Sequence[str], n: int, smiles_column: str | None = None
) -> tuple[list[str], str, str]:
    """The first ``n`` raw strings, what the list is called, and a note if there were more.

    Raises DataError where there is nothing to evaluate.
    """
    if isinstance(molecules, (str, Path)):
        raw, name = read_raw(molecules, n + 1, smiles_column), Path(molecules).name
    else:
        raw, name = ["" if text is None else str(text) for text in molecules], f"list of {len(molecules):,}"
    if not raw:
        raise DataError(f"{name}: no molecules to evaluate")
    more = f"only the first {n:,} strings were used (-n)" if len(raw) > n else ""
    return raw[:n], name, more


def read_raw(path: str | Path, most: int | None = None, smiles_column: str | None = None) -> list[str]:
    """The structure column as written. Blank lines between rows of a text file are empty strings: invalid samples."""
    raw: list[str] = []
    before = 0
    blanks = not str(path).lower().endswith((".sdf", ".sdf.gz", ".parquet", ".xlsx"))
    for line, text, _, others in islice(raw_rows(path, smiles_column=smiles_column), most):
        if before and blanks and not others:
            raw += [""] * (line - before - 1)
        before = line
        raw.append(text)
    return raw if most is None else raw[:most]
