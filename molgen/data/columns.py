"""Which column holds the structures, which the ids, and whether the first row is a header."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rdkit import Chem, rdBase

from molgen.core.errors import DataError

_SMILES_NAMES = (
    "smiles", "canonical_smiles", "isomeric_smiles", "smiles_canonical", "smi", "structure_smiles", "structure",
)  # fmt: skip
_ID_NAMES = (
    "id", "compound_id", "molecule_id", "mol_id", "molecule_chembl_id", "chembl_id", "zinc_id", "compound", "name",
    "compound_name", "molecule_name", "title", "catalog_id", "cid", "inchikey",
)  # fmt: skip
_SAMPLE = 100


@dataclass
class Columns:
    """The names of a table's columns (made up where there is no header) and the places of structures and ids."""

    names: list[str]
    smiles: int
    id: int | None
    has_header: bool
    notes: list[str] = field(default_factory=list)


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def _atoms(cell: Any) -> int:
    """Heavy atoms of a cell that reads as a SMILES, 0 if it does not."""
    if not isinstance(cell, str) or not cell.strip() or any(c.isspace() for c in cell.strip()):
        return 0
    mol = Chem.MolFromSmiles(cell.strip())
    return 0 if mol is None else int(mol.GetNumHeavyAtoms())


def _score(rows: Sequence[Sequence[Any]], column: int) -> tuple[float, float]:
    """Share of the column's filled cells that read as SMILES, and their mean number of heavy atoms."""
    cells = [row[column] for row in rows if column < len(row) and row[column] not in (None, "")]
    sizes = [_atoms(cell) for cell in cells]
    good = [size for size in sizes if size]
    return (len(good) / len(cells), sum(good) / len(good)) if good else (0.0, 0.0)


def _find(names: Sequence[str], wanted: str, what: str, path: str | Path) -> int:
    if wanted in names:
        return names.index(wanted)
    near = difflib.get_close_matches(wanted, names, n=1, cutoff=0.5)
    same = [name for name in names if _plain(name) == _plain(wanted)]
    hint = f"; did you mean {(same or near)[0]!r}?" if same or near else ""
    raise DataError(f"{path}: no {what} column {wanted!r}{hint} The columns are: {', '.join(names)}")


def guess_columns(
    path: str | Path,
    rows: Sequence[Sequence[Any]],
    header: list[str] | None,
    smiles_column: str | None,
    id_column: str | None,
) -> Columns:
    """Decide from the first rows (and the header, where the format has one). Raises DataError with the columns."""
    rows = rows[: _SAMPLE + 1]
    with rdBase.BlockLogs():
        if header is None:
            return _without_header(path, rows, smiles_column, id_column)
        return _with_header(path, header, rows, smiles_column, id_column)


def _without_header(
    path: str | Path, rows: Sequence[Sequence[Any]], smiles_column: str | None, id_column: str | None
) -> Columns:
    first = ["" if cell is None else str(cell) for cell in rows[0]]
    named = {_plain(cell) for cell in first}
    asked = [name for name in (smiles_column, id_column) if name is not None]
    known = any("smiles" in name for name in named) or bool(named & set(_SMILES_NAMES))
    if asked or known or not any(_atoms(cell) for cell in first):
        # a first row in which nothing reads as a structure is a header, unless there is nothing but junk below it
        if known or asked or any(_score(rows[1:], c)[0] for c in range(len(first))):
            return _with_header(path, _names(first), rows[1:], smiles_column, id_column)
        raise DataError(
            f"{path}: no column reads as SMILES in the first {len(rows)} rows; name one with smiles_column. "
            f"The first row is: {', '.join(first)[:200]!r}"
        )
    width = max(len(row) for row in rows)
    names = [f"column_{i + 1}" for i in range(width)]
    best = max(range(width), key=lambda c: _score(rows, c))
    if _score(rows, best)[0] < 0.5 and _atoms(first[best]) == 0:
        return _with_header(path, _names(first), rows[1:], smiles_column, id_column)
    names[best] = "smiles"
    identity = None
    if width > 1:
        identity = 1 if best == 0 else 0
        names[identity] = "id"
    notes = [f"no header; structures are in column {best + 1}"]
    if identity is not None:
        notes.append(f"ids are taken from column {identity + 1}")
    return Columns(names, best, identity, False, notes)


def _names(cells: Sequence[str]) -> list[str]:
    """Header cells as distinct names."""
    names: list[str] = []
    for i, cell in enumerate(cells):
        name = cell.strip() or f"column_{i + 1}"
        names.append(name if name not in names else f"{name}_{i + 1}")
    return names


def _with_header(
    path: str | Path,
    names: list[str],
    rows: Sequence[Sequence[Any]],
    smiles_column: str | None,
    id_column: str | None,
) -> Columns:
    notes: list[str] = []
    if smiles_column is not None:
        place = _find(names, smiles_column, "SMILES", path)
    else:
        place = _guess_smiles(path, names, rows, notes)
    identity: int | None = None
    if id_column is not None:
        identity = _find(names, id_column, "id", path)
    else:
        plain = [_plain(name) for name in names]
        for name in _ID_NAMES:
            if name in plain and plain.index(name) != place:
                identity = plain.index(name)
                notes.append(f"ids are taken from column {names[identity]!r}")
                break
    return Columns(names, place, identity, True, notes)


def _guess_smiles(path: str | Path, names: list[str], rows: Sequence[Sequence[Any]], notes: list[str]) -> int:
    plain = [_plain(name) for name in names]
    by_name = [plain.index(name) for name in _SMILES_NAMES if name in plain]
    by_name += [i for i, name in enumerate(plain) if "smiles" in name and i not in by_name]
    for place in by_name:
        if not rows or _score(rows, place)[0] > 0 or len(names) == 1:
            others = [names[i] for i in by_name if i != place]
            more = f" (other candidates: {', '.join(others)})" if others else ""
            notes.append(f"structures are taken from column {names[place]!r}{more}")
            return place
    scores = [_score(rows, i) for i in range(len(names))]
    place = max(range(len(names)), key=lambda i: scores[i])
    if scores[place][0] < 0.5:
        if by_name:  # nothing else reads either: keep the name, the rows will say what is wrong with them
            notes.append(
                f"structures are taken from column {names[by_name[0]]!r}, though its first rows do not parse"
            )
            return by_name[0]
        raise DataError(
            f"{path}: no column reads as SMILES; name it with smiles_column. The columns are: {', '.join(names)}"
        )
    notes.append(
        f"structures are taken from column {names[place]!r} ({scores[place][0]:.0%} of its first rows read as SMILES)"
    )
    return place
