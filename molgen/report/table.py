"""The one ordered table of delivered molecules that CSV, SDF and XLSX share, so that they agree row by row."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Literal

from molgen.optimize.protocol import Delivery

#: Version of the results table; raised when a column changes its name or meaning.
TABLE_FORMAT = 1

_FIRST = ("rank", "id", "smiles", "inchikey", "score")
_LAST = (
    "cluster",
    "cluster_size",
    "front",
    "crowding",
    "flags",
    "nearest_reference",
    "nearest_similarity",
    "undefined_stereo",
    "scaffold",
    "step",
    "origin",
    "parents",
    "nll",
)
_MEANING = {
    "rank": "place in the list, 1 is best",
    "id": "name of the molecule in this run",
    "smiles": "standardized structure",
    "inchikey": "InChIKey of the structure",
    "score": "total of the objective, 0 to 1, higher is better",
    "cluster": "number of its cluster of similar molecules (Butina, ECFP4)",
    "cluster_size": "molecules of that cluster among those that were chosen from",
    "front": "Pareto front, 1: nothing is as good in all components and better in one",
    "crowding": "room around it on its front, more is rarer; empty for those at an end of it",
    "flags": "what to look at before making it",
    "nearest_reference": "most similar of your reference compounds",
    "nearest_similarity": "Tanimoto similarity to it, ECFP4 fingerprint, 0 to 1",
    "undefined_stereo": "stereo centers and double bonds that are left open",
    "scaffold": "Murcko scaffold",
    "step": "optimization step that found it",
    "origin": "how it was made",
    "parents": "what it was made from",
    "nll": "negative log-likelihood under the model that proposed it, nats; lower is more typical",
}
_TOTAL = {
    "geometric_mean": "ln(score): all of a row's contributions add up to it, and 0 takes nothing away",
    "arithmetic_mean": "the score: all of a row's contributions add up to it",
}
# Characters that XML (XLSX) forbids and that break lines in SDF; one rule for all files keeps them equal.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]+")

Kind = Literal["integer", "number", "text"]


@dataclass(frozen=True)
class Column:
    """One column: its name in the files, what kind of values it holds, their unit and their meaning."""

    name: str
    kind: Kind
    unit: str = ""
    meaning: str = ""


@dataclass(frozen=True)
class ResultTable:
    """Columns and rows in rank order; a cell is an int, a float, a text or None (no value)."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return [column.name for column in self.columns]


def build_table(delivery: Delivery) -> ResultTable:
    """Order the columns and clean the cells of a delivery.

    Numbers are rounded to six significant digits (the ledger keeps all), NaN becomes an empty cell, control characters
    and line breaks in texts become a space, and ``<``/``>`` in column names become brackets, which SDF needs.
    """
    keys = _ordered_keys(delivery)
    about = _component_columns(delivery)
    values = {key: [clean(row.get(key)) for row in delivery.candidates] for key in keys}
    columns = []
    for key in keys:
        unit, meaning = about.get(key, ("", _MEANING.get(key, "column of your file")))
        columns.append(Column(_column_name(key), _kind(values[key]), unit, meaning))
    rows = zip(*values.values(), strict=True) if delivery.candidates else ()
    return ResultTable(_unique(columns), tuple(rows))


def text_of(value: Any) -> str:
    """Write a cell as text: empty for no value, whole numbers without a point."""
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def clean(value: Any) -> int | float | str | None:
    """Bring a value of any origin (numpy included) to int, float, text or None."""
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if isinstance(value, (list, tuple, set, frozenset)):
        value = "; ".join(str(item) for item in value)
    text = _CONTROL.sub(" ", str(value)).strip()
    return text or None


def known_columns(delivery: Delivery) -> set[str]:
    """Keys of a candidate that molgen writes itself; all others came with the user's file."""
    return {*_FIRST, *_LAST, *_component_columns(delivery)}


def _ordered_keys(delivery: Delivery) -> list[str]:
    present: dict[str, None] = {}
    for row in delivery.candidates:
        present.update(dict.fromkeys(row))
    wanted = [*_FIRST, *_component_columns(delivery), *_LAST]
    if not delivery.candidates:
        return wanted
    fixed = [key for key in wanted if key in present]
    return [*fixed, *(key for key in present if key not in set(fixed))]


def _component_columns(delivery: Delivery) -> dict[str, tuple[str, str]]:
    """Key -> (unit, meaning) of the two columns of each component, in the order of the objective."""
    columns: dict[str, tuple[str, str]] = {}
    for component in delivery.components:
        name = str(component["name"])
        words = str(component.get("summary") or component.get("use") or name)
        columns[name] = (str(component.get("unit") or ""), words)
        columns[f"{name}_desirability"] = ("", f"{name} after its curve, 0 (bad) to 1 (good)")
        if component.get("role", "score") not in ("filter", "control"):
            columns[f"{name}_contribution"] = ("", f"what {name} adds to {_TOTAL[delivery.aggregate]}")
        columns |= {key: ("", words) for key, words in component.get("evidence", {}).items()}
    return columns


def _column_name(key: str) -> str:
    return _CONTROL.sub(" ", str(key)).replace("<", "(").replace(">", ")").strip() or "column"


def _kind(values: list[Any]) -> Kind:
    filled = [value for value in values if value is not None]
    if not filled or any(isinstance(value, str) for value in filled):
        return "text"
    return "number" if any(isinstance(value, float) for value in filled) else "integer"


def _unique(columns: list[Column]) -> tuple[Column, ...]:
    seen: dict[str, int] = {}
    out = []
    for column in columns:
        count = seen[column.name] = seen.get(column.name, 0) + 1
        name = column.name if count == 1 else f"{column.name}_{count}"
        out.append(Column(name, column.kind, column.unit, column.meaning))
    return tuple(out)
