"""Feedback on a run, read from a table: likes and dislikes, and new measurements; every wrong line is named at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molgen.chem.molecule import Molecule
from molgen.core.errors import DataError, MoleculeError
from molgen.data.formats import PARQUET, SDF, XLSX, kind_of, read_parquet, read_text, read_xlsx
from molgen.data.reader import open_source
from molgen.data.sdf import Row
from molgen.scoring.preference.verdicts import LIKE_COLUMN, WORDS, parse_verdict
from molgen.scoring.qsar.values import Scale, Unusable, find_scale

if TYPE_CHECKING:
    from molgen.scoring.qsar.model import QsarModel

_LIKE_NAMES = (LIKE_COLUMN, "liked", "verdict", "feedback", "vote")
_ID_NAMES = ("id", "candidate", "candidate_id", "molecule_id", "compound_id")
_SHOWN = 8
#: What a molecule of the results is called: ``mg-`` and the id of its proposal.
CANDIDATE = "mg-"


@dataclass(frozen=True)
class Measured:
    """One new measurement on the scale of its model; ``side`` -1 / +1: the true value is below / above."""

    molecule: Molecule
    value: float
    side: int


@dataclass
class Feedback:
    """What a table says: verdicts in its order, measurements by the label of their model, sentences about it."""

    path: Path
    verdicts: list[tuple[Molecule, bool]] = field(default_factory=list)
    measured: dict[str, list[Measured]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def known(self) -> list[Molecule]:
        """What need not be delivered again: disliked, or measured and so in somebody's hands."""
        found = [mol for mol, liked in self.verdicts if not liked]
        found += [one.molecule for rows in self.measured.values() for one in rows]
        return list({mol.smiles: mol for mol in found}.values())


@dataclass(frozen=True)
class Assay:
    """A model of the run that can learn from measurements, and the columns that could bring some."""

    label: str
    model: QsarModel
    columns: tuple[str, ...]


def read_feedback(
    path: Path, *, candidates: Mapping[str, str], assays: Sequence[Assay] = (), policy: str = "default"
) -> Feedback:
    """Read a table with structures or candidate ids, and a column ``like`` or one named like an assay.

    ``candidates``: id -> SMILES of what the run has found. Raises DataError that lists every wrong line with its cure.
    """
    columns, rows = _table(path)
    like = _column(columns, _LIKE_NAMES)
    scales = {
        assay.label: scale for assay in assays if (scale := _scale(path, columns, assay, rows)) is not None
    }
    if like is None and not scales:
        raise DataError(_nothing(path, columns, assays))
    found, problems, skipped = Feedback(path), [], 0
    told: dict[str, bool] = {}
    for row in rows:
        try:
            verdict = parse_verdict(row.data.get(like)) if like is not None else None
            values = {
                label: read for label, scale in scales.items() if (read := _value(scale, row)) is not None
            }
            if verdict is None and not values:
                skipped += 1
                continue
            molecule = _molecule(row, candidates, policy)
            if verdict is not None and told.setdefault(molecule.smiles, verdict) != verdict:
                raise ValueError(
                    f"{molecule.smiles} is liked in one line and disliked in another; keep one of them"
                )
        except (ValueError, MoleculeError, Unusable) as error:
            detail = error.detail if isinstance(error, (MoleculeError, Unusable)) else str(error)
            problems.append(f"line {row.line}: {detail}")
            continue
        if verdict is not None and not any(molecule.smiles == mol.smiles for mol, _ in found.verdicts):
            found.verdicts.append((molecule, verdict))
        for label, (value, side) in values.items():
            found.measured.setdefault(label, []).append(Measured(molecule, value, side))
    if problems:
        more = [f"... and {len(problems) - _SHOWN} more"] if len(problems) > _SHOWN else []
        shown = "\n  ".join([*problems[:_SHOWN], *more])
        count = f"{len(problems)} line{'s' if len(problems) > 1 else ''}"
        raise DataError(
            f"{path}: {count} cannot be used, so nothing was changed; correct or remove them\n  {shown}"
        )
    if not found.verdicts and not found.measured:
        raise DataError(
            f"{path}: every cell of {', '.join(filter(None, [like, *(s.column for s in scales.values())]))} is empty; "
            f"write {WORDS}, or a measured value, for at least one molecule"
        )
    found.notes = _notes(found, like, scales, skipped)
    return found


def _notes(found: Feedback, like: str | None, scales: Mapping[str, Scale], skipped: int) -> list[str]:
    notes = []
    if found.verdicts:
        likes = sum(liked for _, liked in found.verdicts)
        notes.append(f"{likes} likes and {len(found.verdicts) - likes} dislikes from column {like!r}")
    for label, rows in found.measured.items():
        notes.append(f"{len(rows)} measurements for {label} from column {scales[label].column!r}")
    if skipped:
        notes.append(f"{skipped} without an opinion or a value")
    return notes


def _table(path: Path) -> tuple[list[str], list[Row]]:
    """Columns and rows; also of a table that has the ids of candidates and no structures."""
    try:
        source = open_source(path)
        return source.columns, list(source.rows)
    except DataError:
        found = None if not path.is_file() or kind_of(path) == SDF else _by_id(path)
        if found is None:
            raise
        return found


def _by_id(path: Path) -> tuple[list[str], list[Row]] | None:
    kind = kind_of(path)
    cells = (
        {PARQUET: read_parquet, XLSX: read_xlsx}[kind](path)
        if kind in (PARQUET, XLSX)
        else read_text(path, kind)
    )
    lines: Iterator[tuple[int, Sequence[Any]]] = iter(cells.rows)
    header = cells.header or [str(cell or "").strip() for cell in next(lines, (0, ()))[1]]
    name = _column(header, _ID_NAMES)
    if name is None:
        return None
    rows = []
    for line, values in lines:
        data = {key: values[i] if i < len(values) else "" for i, key in enumerate(header)}
        rows.append(Row(line, "", str(data.pop(name) or "").strip(), data))
    return header, rows


def _column(columns: Sequence[str], names: Sequence[str]) -> str | None:
    plain = {name.strip().lower(): name for name in reversed(columns)}
    return next((plain[name] for name in names if name in plain), None)


def _scale(path: Path, columns: Sequence[str], assay: Assay, rows: Sequence[Row]) -> Scale | None:
    """What the assay's column holds; a column of predictions (as in candidates.csv) is none of measurements."""
    made = [(name, tail) for name in columns for tail in ("_desirability", "_pred") if name.endswith(tail)]
    predictions = {name.removesuffix(tail) for name, tail in made}
    names = [f"{name}_measured" for name in assay.columns]
    names += [name for name in assay.columns if name not in predictions]
    column = _column(columns, [name.lower() for name in names])
    if column is None:
        return None
    cells = [row.data.get(column) for row in rows]
    scale, _ = find_scale(str(path), columns, column, None if assay.model.unit else "none", cells=cells)
    return scale


def _value(scale: Scale, row: Row) -> tuple[float, int] | None:
    try:
        value, side, _ = scale.read(row.data)
    except Unusable as error:
        if error.why == "no_value":
            return None
        raise
    return value, side


def _molecule(row: Row, candidates: Mapping[str, str], policy: str) -> Molecule:
    """By the structure of the row, else by its id."""
    if row.why:
        raise ValueError(row.detail)
    if row.text:
        return Molecule.from_smiles(row.text, policy, id=row.id)
    if row.id and row.id in candidates:
        return Molecule.from_smiles(candidates[row.id], policy, id=row.id)
    if row.id:
        raise ValueError(
            f"{row.id!r} is no candidate of this run; ids are those of results/candidates.csv ({CANDIDATE}123), "
            "or give the structure in a column smiles"
        )
    raise ValueError("neither a structure nor an id")


def _nothing(path: Path, columns: Sequence[str], assays: Sequence[Assay]) -> str:
    names = sorted({name for assay in assays for name in assay.columns})
    cure = f"add a column {LIKE_COLUMN!r} ({WORDS})"
    if names:
        cure += f", or one with measured values that is called {' or '.join(names)} (beside predictions: NAME_measured)"
    else:
        cure += "; measurements can be learned from only where the objective has a component qsar"
    return f"{path}: no column holds feedback; {cure}. The columns are: {', '.join(columns)}"
