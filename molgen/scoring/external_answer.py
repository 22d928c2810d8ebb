"""Reads what a program or a service answered: one value per molecule, or the words why there is none."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Longer answers are a mistake.
LARGEST = 256 * 1024 * 1024


class CallFailed(Exception):
    """A call that gave no answer: why, whether to try ``again``, and the seconds that it asked us to ``wait``."""

    def __init__(self, words: str, *, again: bool = True, wait: float = 0.0) -> None:
        super().__init__(words)
        self.again, self.wait = again, wait


@dataclass(frozen=True)
class Answer:
    """The value of one molecule (NaN with the reason in ``error``) and the further columns of its row."""

    value: float
    error: str = ""
    extras: Mapping[str, Any] = field(default_factory=dict)


def read_csv(text: str) -> list[dict[str, Any]]:
    """The rows of a CSV answer; raises CallFailed where it is none."""
    rows = list(csv.DictReader(io.StringIO(text.lstrip("\ufeff"))))
    if not rows:
        raise CallFailed(f"the answer has no rows: {_short(text)}", again=False)
    return rows


def read_json(text: str) -> Any:
    """A JSON answer; raises CallFailed where it is none."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CallFailed(f"the answer is no JSON ({error}): {_short(text)}", again=False) from error


def ids(n: int) -> list[str]:
    """The names that molecules of a batch are sent with."""
    return [f"m{k + 1}" for k in range(n)]


def match(found: Any, smiles: Sequence[str], column: str, extras: Sequence[str]) -> list[Answer]:
    """Give each molecule its row.

    ``found``: a list of numbers or of rows, or an object with such a list below ``column``, ``results`` or
    ``values``, or with an entry for each id or SMILES. Rows find their molecule by ``id``, else by ``smiles``, else by
    their place, which only counts if there are as many as were sent. Raises CallFailed where that is ambiguous.
    """
    if isinstance(found, Mapping):
        for key in (column, "results", "values"):
            if isinstance(found.get(key), list):
                found = found[key]
                break
    names = ids(len(smiles))
    if isinstance(found, Mapping):
        keyed: Mapping[str, Any] = found
        keys = names if any(name in keyed for name in names) else list(smiles)
        if not any(key in keyed for key in keys):
            raise CallFailed(
                f"the answer names none of the molecules: {_short(json.dumps(found))}", again=False
            )
    elif isinstance(found, list):
        keys, keyed = _by_name(found, smiles, names)
    else:
        raise CallFailed(f"the answer is neither a list nor an object: {_short(repr(found))}", again=False)
    return [_answer(keyed[key], column, extras) if key in keyed else _MISSING for key in keys]


def _by_name(rows: list[Any], smiles: Sequence[str], names: list[str]) -> tuple[list[str], Mapping[str, Any]]:
    for key, wanted in (("id", names), ("smiles", list(smiles))):
        sent = set(wanted)
        if rows and all(isinstance(row, Mapping) and str(row.get(key)) in sent for row in rows):
            keyed = {str(row[key]): row for row in rows}
            if len(keyed) < len(rows):
                raise CallFailed(f"the answer has two rows of one {key}", again=False)
            return wanted, keyed
    if len(rows) != len(smiles):
        raise CallFailed(
            f"the answer has {len(rows)} rows for {len(smiles)} molecules, and no column id or smiles that says "
            "whose they are",
            again=False,
        )
    return names, dict(zip(names, rows, strict=True))


_MISSING = Answer(math.nan, "not in the answer")


def _answer(row: Any, column: str, extras: Sequence[str]) -> Answer:
    if not isinstance(row, Mapping):
        return _value(row, "no value in the answer", {})
    kept = {name: _plain(row.get(name)) for name in extras}
    if column not in row and "error" not in row:
        columns = ", ".join(map(str, row)) or "none"
        raise CallFailed(f"the answer has no column {column!r}; it has: {columns}", again=False)
    words = str(row.get("error") or "").strip()
    return _value(row.get(column), words or "no value in the answer", kept)


def _value(value: Any, missing: str, extras: Mapping[str, Any]) -> Answer:
    text = value.strip() if isinstance(value, str) else value
    if (
        text is None
        or text == ""
        or (isinstance(text, str) and text.lower() in ("nan", "none", "null", "na"))
    ):
        return Answer(math.nan, missing, extras)
    if isinstance(text, bool) or not isinstance(text, (int, float, str)):
        return Answer(math.nan, f"not a number: {_short(repr(value))}", extras)
    try:
        number = float(text)
    except (ValueError, OverflowError):
        return Answer(math.nan, f"not a number: {_short(repr(value))}", extras)
    if math.isnan(number):
        return Answer(math.nan, missing, extras)
    if math.isinf(number):
        return Answer(math.nan, "infinite value", extras)
    return Answer(number, "", extras)


def _plain(cell: Any) -> Any:
    """A cell of evidence: texts of CSV that are numbers become numbers."""
    if isinstance(cell, str):
        try:
            number = float(cell)
        except ValueError:
            return cell.strip() or None
        return number if math.isfinite(number) else None
    if cell is None or isinstance(cell, (int, float)):
        return cell
    return json.dumps(cell)


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 120 else f"{text[:117]}..."
