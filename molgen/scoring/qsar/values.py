"""From the cell of an assay table to a number on one scale: units, qualifiers, and what cannot be read."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from molgen.core.errors import DataError
from molgen.core.suggest import did_you_mean

#: Concentration units, in mol/L.
UNITS = {"M": 1.0, "mM": 1e-3, "uM": 1e-6, "nM": 1e-9, "pM": 1e-12, "fM": 1e-15}
#: A negative decadic logarithm of a molar potency outside of this is no measurement.
P_LOW, P_HIGH = -1.0, 15.0

_POTENCY = r"(?:(?:ic|ec|gi|cc|ac|xc|dc|ed|tc)[ _-]?\d{2}|k[idb]|mic)"
_P_NAME = re.compile(
    rf"(?:^|[ _-])(?:p[ _-]?{_POTENCY}|pchembl|pactivity|ppotency|(?:-|neg_?)log.*)(?:$|[ _\-(\[])", re.I
)
_MOLAR_NAME = re.compile(rf"(?:^|[ _-]){_POTENCY}(?:$|[ _\-(\[.])", re.I)
_LOG_NAME = re.compile(r"(?:^|[ _-])log(?:10)?(?:[ _(\[-]|ic|ec|gi|cc|ac|xc|k[idb])", re.I)
_NAMED_UNIT = re.compile(r"(?:^|[ _(\[/.-])([munpfµμ]?M)(?:$|[ _)\].-])")
_RELATION_NAMES = ("relation", "qualifier", "operator", "standard_relation", "modifier", "prefix", "sign")
_UNIT_NAMES = ("unit", "units", "standard_units", "standard_unit", "uom")
_NOTHING = frozenset(
    {"", "na", "n/a", "nan", "none", "null", "nd", "n.d.", "n.d", "nt", "n.t.", "-", "--", "?", "."}
)
_CELL = re.compile(
    r"^(?P<relation><=|>=|<<|>>|=<|=>|<|>|=|~|≤|≥|≈|±)?\s*"
    r"(?P<number>[-+]?(?:\d[\d.,]*|\.\d+)(?:[eE][-+]?\d+)?)\s*"
    r"(?P<error>(?:±|\+/-|\+-)\s*[\d.,eE+-]+)?\s*(?P<unit>[^\d\s].*)?$"
)
_RELATIONS = {
    "<": -1, "<=": -1, "=<": -1, "<<": -1, "≤": -1,
    ">": 1, ">=": 1, "=>": 1, ">>": 1, "≥": 1, "=": 0, "": 0, "~": 0, "≈": 0,
}  # fmt: skip


class Unusable(Exception):
    """A cell without a usable number: a reason code and the words for it."""

    def __init__(self, why: str, detail: str) -> None:
        self.why, self.detail = why, detail
        super().__init__(f"{why}: {detail}")


@dataclass(frozen=True)
class Scale:
    """What the target column holds, and where units and qualifiers stand.

    ``kind``: ``p`` (negative decadic logarithm of mol/L), ``molar`` (a concentration, becomes p), ``plain`` (as it is).
    ``name`` and ``unit`` are those of the values that the model learns.
    """

    kind: str
    column: str
    name: str
    unit: str
    row_unit: str | None = None
    unit_column: str | None = None
    relation_column: str | None = None

    @property
    def logarithmic(self) -> bool:
        """Whether the values are p-values in the end, so that 1.0 is a factor of ten."""
        return self.kind in ("p", "molar")

    def read(self, data: dict[str, Any]) -> tuple[float, int, str]:
        """Value, side (-1: the true one is below, +1: above, 0: exact) and notes on what was done. Raises Unusable."""
        number, side, unit, notes = parse_cell(data.get(self.column))
        if self.relation_column is not None:
            text = str(data.get(self.relation_column) or "").strip().strip("'\"")
            if text not in _RELATIONS:
                raise Unusable(
                    "qualifier", f"{self.relation_column} is {text!r}, which is none of < <= = >= > ~"
                )
            side = side or _RELATIONS[text]
        row_unit = self._row_unit(unit, data)
        if self.kind == "plain":
            return number, side, notes
        if self.kind == "p" and unit is None:
            if P_LOW <= number <= P_HIGH:
                return number, side, notes
            if row_unit is None:
                raise Unusable(
                    "implausible",
                    f"{self.column} of {number:g} is impossible; a concentration without a unit?",
                )
        if row_unit is None:
            raise Unusable("no_unit", f"no unit in column {self.unit_column!r}")
        if number <= 0:
            raise Unusable("impossible", f"a concentration of {number:g} has no logarithm")
        value = -math.log10(number * UNITS[row_unit])
        if not P_LOW <= value <= P_HIGH:
            raise Unusable("implausible", f"{number:g} {row_unit} is {self.name} {value:.1f}")
        if self.kind == "p":
            notes = _join(notes, f"{number:g} {row_unit} converted to {self.name}")
        elif unit is not None and self.row_unit not in (None, row_unit):
            notes = _join(notes, f"unit {row_unit} of the cell, not {self.row_unit}")
        return value, -side, notes

    def _row_unit(self, in_cell: str | None, data: dict[str, Any]) -> str | None:
        if in_cell is not None:
            if self.kind == "plain":
                raise Unusable("not_a_number", f"text after the number: {in_cell!r}")
            found = unit_of(in_cell)
            if found is None:
                raise Unusable("unit", f"{in_cell!r} is none of {', '.join(UNITS)}")
            return found
        text = str(data.get(self.unit_column) or "").strip() if self.unit_column is not None else ""
        if not text or text.lower() in _NOTHING:
            return self.row_unit
        found = unit_of(text)
        if found is None:
            raise Unusable("unit", f"{text!r} is none of {', '.join(UNITS)}")
        return found


def unit_of(text: str) -> str | None:
    """The concentration unit that a text means (``µM``, ``umol/L``, ``nanomolar``), or None."""
    plain = text.strip().strip(".").replace("µ", "u").replace("μ", "u").replace(" ", "")
    if plain in UNITS:
        return plain
    lower = plain.lower()
    # "mm" would be a guess between millimolar and a length, "m" between molar and meters
    for prefix, word in (
        ("n", "nano"),
        ("u", "micro"),
        ("p", "pico"),
        ("f", "femto"),
        ("m", "milli"),
        ("", ""),
    ):
        names = {f"{prefix}mol/l", f"{prefix}mol.l-1", f"{prefix}moll-1", f"{word}molar"}
        if prefix in ("n", "u", "p", "f"):
            names.add(f"{prefix}m")
        if lower in names:
            return f"{prefix}M"
    return None


def parse_cell(cell: Any) -> tuple[float, int, str | None, str]:
    """Number, side of its qualifier, unit text and notes of one cell. Raises Unusable."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        raise Unusable("no_value", "the cell is empty")
    if isinstance(cell, bool):
        raise Unusable("not_a_number", f"{cell} is no measurement")
    if isinstance(cell, (int, float)):
        if not math.isfinite(cell):
            raise Unusable("not_a_number", f"{cell} is no measurement")
        return float(cell), 0, None, ""
    text = str(cell).strip()
    if text.lower() in _NOTHING:
        raise Unusable("no_value", f"the cell says {text!r}" if text else "the cell is empty")
    match = _CELL.match(text)
    if match is None or match["relation"] == "±":
        raise Unusable("not_a_number", f"{text[:40]!r} is no number")
    unit = (match["unit"] or "").strip() or None
    if unit is not None and re.match(r"^[-\u2013]\s*\d", unit):
        raise Unusable("range", f"{text[:40]!r} is a range")
    number, notes = _number(match["number"], text)
    relation = match["relation"] or ""
    if relation in ("~", "≈"):
        notes = _join(notes, "approximate, taken as exact")
    if match["error"]:
        notes = _join(notes, "the error given with it is not used")
    return number, _RELATIONS[relation], unit, notes


def _number(digits: str, text: str) -> tuple[float, str]:
    if "," not in digits:
        return _float(digits, text), ""
    if re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+\.\d*", digits) or re.fullmatch(
        r"[-+]?\d{1,3}(,\d{3}){2,}", digits
    ):
        return _float(digits.replace(",", ""), text), "commas read as thousands"
    if re.fullmatch(r"[-+]?\d{1,3},\d{3}", digits) and not digits.lstrip("+-").startswith("0"):
        raise Unusable("ambiguous_comma", f"{text[:40]!r}: thousands or decimals? write it without the comma")
    if digits.count(",") == 1 and "." not in digits:
        return _float(digits.replace(",", "."), text), "comma read as decimal point"
    raise Unusable("not_a_number", f"{text[:40]!r} is no number")


def _float(digits: str, text: str) -> float:
    try:
        return float(digits)
    except ValueError:
        raise Unusable("not_a_number", f"{text[:40]!r} is no number") from None


def _join(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def find_scale(
    path: str,
    columns: Sequence[str],
    target: str,
    unit: str | None = None,
    unit_column: str | None = None,
    qualifier_column: str | None = None,
    cells: Sequence[Any] = (),
) -> tuple[Scale, list[str]]:
    """Decide what the target column holds, from its name, the other columns and what the user said.

    ``cells``: some of the target's cells, which may carry units themselves. Raises DataError for a column that is
    missing, and for a concentration whose unit nobody says.
    """
    for name, what in ((target, "target"), (unit_column, "unit"), (qualifier_column, "qualifier")):
        if name is not None and name not in columns:
            hint = did_you_mean(name, columns, what="the columns are")
            raise DataError(f"{path}: no {what} column {name!r}{hint}")
    notes = []
    relation = qualifier_column or _beside(target, columns, _RELATION_NAMES)
    if relation is not None and qualifier_column is None:
        notes.append(f"qualifiers (< = >) are taken from column {relation!r}")
    if unit == "none":
        return Scale("plain", target, target, "", relation_column=relation), notes
    chosen = None if unit is None else unit_of(unit)
    if unit is not None and chosen is None:
        raise DataError(f"unit {unit!r} is none of {', '.join(UNITS)}, none (values as they are)")
    from_name = _unit_in_name(target)
    column = unit_column or (None if chosen else _beside(target, columns, _UNIT_NAMES))
    p_name = p_name_of(target)
    p_named, log_named = _P_NAME.search(target), _LOG_NAME.search(target)
    if chosen and (p_named or log_named) and not _mostly_large(cells):
        raise DataError(
            f"{path}: {target} is a logarithm by its name and its values; leave --unit {unit} out, or use --unit none"
        )
    if log_named and not p_named and chosen is None:
        notes.append(f"{target} is a logarithm and is learned as it is")
        return Scale("plain", target, target, "", relation_column=relation), notes
    if p_named and chosen is None:
        if column is not None:
            notes.append(
                f"{target} is a logarithm; column {column!r} is used only for cells that cannot be one"
            )
        return Scale("p", target, target, "log10", unit_column=column, relation_column=relation), notes
    in_cells = any(_has_unit(cell) for cell in cells)
    if chosen or unit_column or from_name or in_cells or (column and _MOLAR_NAME.search(target)):
        row_unit = chosen or from_name
        said = "in " + (f"the unit of column {column!r}" if column else row_unit or "the unit of each cell")
        said += f", else {row_unit}" if column and row_unit else ""
        notes.append(f"{target} is a concentration {said}; the model learns {p_name} = -log10(mol/L)")
        return Scale("molar", target, p_name, "log10", row_unit, column, relation), notes
    if _MOLAR_NAME.search(target):
        raise DataError(
            f"{path}: {target} is a concentration, but nothing says its unit. Give --unit nM (or uM, M ...), "
            f"--unit-column COLUMN, or --unit none to model the numbers as they are"
        )
    return Scale("plain", target, target, "", relation_column=relation), notes


def p_name_of(target: str) -> str:
    """The name of the logarithm: ``IC50 (nM)`` -> ``pIC50``."""
    if _P_NAME.search(target):
        return target
    bare = _NAMED_UNIT.sub("", target).strip(" _-()[]/.")
    return f"p{bare or target}"


def _unit_in_name(target: str) -> str | None:
    match = _NAMED_UNIT.search(target)
    return unit_of(match[1]) if match else None


def _beside(target: str, columns: Sequence[str], names: Sequence[str]) -> str | None:
    """The column of that meaning: ``IC50_units`` before ``units``."""
    plain = {c.strip().lower().replace(" ", "_").replace("-", "_"): c for c in columns if c != target}
    stem = target.strip().lower().replace(" ", "_")
    for name in (*(f"{stem}_{n}" for n in names), *names):
        if name in plain:
            return plain[name]
    return None


def _has_unit(cell: Any) -> bool:
    try:
        unit = parse_cell(cell)[2]
    except Unusable:
        return False
    return unit is not None and unit_of(unit) is not None


def _mostly_large(cells: Sequence[Any]) -> bool:
    """Whether most numbers are too large to be logarithms, whatever the column is called."""
    numbers = []
    for cell in cells:
        try:
            numbers.append(parse_cell(cell)[0])
        except Unusable:
            continue
    return sum(number > P_HIGH for number in numbers) > len(numbers) / 2
