"""From the rows of an assay table to one value per compound, with a decision on record for every row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from rdkit import Chem

from molgen.chem.molecule import Molecule, parse_all
from molgen.core.errors import DataError
from molgen.scoring.qsar.merge import SIGNS, Decision, Reading, default_bound, merge
from molgen.scoring.qsar.values import Scale, Unusable

if TYPE_CHECKING:
    import pandas as pd

    from molgen.data.sdf import Row

#: Robust standard deviations (1.4826 MAD) from the median beyond which a value is flagged.
OUTLIER = 3.5
FEWEST = 20
DECISIONS = ("kept", "merged", "conflict", "rejected", "set_aside")


@dataclass
class Curated:
    """One value per compound; ``side`` -1 / +1: the true value is below / above it. ``spread``: of its replicates."""

    molecules: list[Molecule]
    y: np.ndarray
    side: np.ndarray
    spread: np.ndarray
    replicates: np.ndarray
    scale: Scale
    decisions: list[Decision]
    notes: list[str] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """The user's id of each compound, else its SMILES."""
        return [mol.id or mol.smiles for mol in self.molecules]

    def counts(self) -> dict[str, Any]:
        """Rows by decision and reason; they add up to the rows of the file."""
        decided = Counter(d.decision for d in self.decisions)
        reasons = Counter(f"{d.decision}: {d.reason}" for d in self.decisions if d.reason)
        found: dict[str, Any] = {
            "rows": len(self.decisions),
            **{name: decided.get(name, 0) for name in DECISIONS},
            "compounds": len(self.molecules),
            "exact": int((self.side == 0).sum()),
            "censored": int((self.side != 0).sum()),
            "reasons": dict(reasons.most_common()),
        }
        assert found["rows"] == sum(found[name] for name in DECISIONS)
        assert found["kept"] == found["compounds"]
        return found

    def frame(self) -> pd.DataFrame:
        """The curation report: one row per row of the file, in its order."""
        import pandas as pd

        return pd.DataFrame([asdict(decision) for decision in self.decisions])


def curate(
    rows: Sequence[Row],
    scale: Scale,
    *,
    policy: str = "default",
    conflict: float | None = None,
    conflicts: str = "drop",
    part: tuple[int, int] = (1, 1),
    source: str = "",
    progress: Callable[[int], Any] | None = None,
) -> Curated:
    """Standardize, convert, merge replicates by their median, and settle conflicts.

    ``conflict``: the largest difference of replicates, in units of the target (default 1.0 for logarithms, else the
    robust standard deviation of all values). ``conflicts``: ``drop`` the compound, or keep the ``median``, flagged.
    ``part`` (i, k): only the i-th of k parts of the compounds, which share none; the others are set aside.
    Raises DataError where fewer than 20 compounds with exact values, or no differences, are left.
    """
    decisions: list[Decision] = []
    readings: list[Reading] = []
    for start in range(0, len(rows), 1000):
        chunk = rows[start : start + 1000]
        parsed = parse_all([row.text for row in chunk], policy, ids=[row.id for row in chunk])
        molecules = dict(zip(parsed.index, parsed.ok, strict=True))
        refused = {bad.line - 1: (bad.why, bad.detail) for bad in parsed.rejected}
        for k, row in enumerate(chunk):
            mol = None if row.why else molecules.get(k)
            why = (row.why, row.detail) if row.why else refused.get(k)
            decision, reading = _read(row, mol, why, scale, len(decisions))
            decisions.append(decision)
            if reading is not None:
                readings.append(reading)
        if progress is not None:
            progress(len(chunk))
    _check_numbers(decisions, readings, scale, source)
    bound = conflict if conflict is not None else default_bound(readings, scale)
    kept = merge(readings, decisions, bound, conflicts, part)
    found = Curated(
        [reading.mol for reading, _, _ in kept],
        np.array([reading.value for reading, _, _ in kept], dtype=np.float64),
        np.array([reading.side for reading, _, _ in kept], dtype=np.int8),
        np.array([spread for _, spread, _ in kept], dtype=np.float64),
        np.array([count for _, _, count in kept], dtype=np.int64),
        scale,
        decisions,
    )
    _flag(found, [reading.place for reading, _, _ in kept])
    _check_enough(found, source)
    return found


def _read(
    row: Row, mol: Molecule | None, why: tuple[str, str] | None, scale: Scale, place: int
) -> tuple[Decision, Reading | None]:
    given = row.data.get(scale.column)
    base = Decision(
        line=row.line,
        id=row.id or "",
        text=row.text[:200],
        smiles=mol.smiles if mol else "",
        given=_words(given),
        qualifier="",
        value=float("nan"),
        decision="rejected",
        reason="",
        compound="",
        note="",
    )
    if why is not None:
        return replace(base, reason=f"structure {why[0]}", note=why[1]), None
    assert mol is not None
    try:
        value, side, note = scale.read(row.data)
    except Unusable as error:
        return replace(base, reason=f"value {error.why}", note=error.detail), None
    notes = [note] if note else []
    if "." in row.text and "." not in mol.smiles and "\n" not in row.text:
        notes.append("counter-ion or solvent removed")
    decision = replace(base, qualifier=SIGNS[side], value=value, note="; ".join(notes))
    return decision, Reading(place, mol, value, side)


def _words(cell: Any) -> str:
    return "" if cell is None or cell != cell else str(cell)[:60]


def _check_numbers(
    decisions: Sequence[Decision], readings: Sequence[Reading], scale: Scale, source: str
) -> None:
    """Most cells unreadable: a wrong column or a wrong unit, which no curation can mend."""
    bad = [d for d in decisions if d.reason.startswith("value") and d.reason != "value no_value"]
    if len(bad) > max(len(readings), 1):
        first = bad[0]
        raise DataError(
            f"{source}: {len(bad)} of {len(decisions)} cells of {scale.column!r} cannot be used, the first in line "
            f"{first.line}: {first.note}. Choose another --target, or say the unit with --unit or --unit-column"
        )


def _flag(found: Curated, places: Sequence[int]) -> None:
    """Mark values far from all others, and compounds that differ from another one in stereo only."""
    exact = found.y[found.side == 0]
    center = float(np.median(exact)) if len(exact) else 0.0
    width = 1.4826 * float(np.median(np.abs(exact - center))) if len(exact) else 0.0
    flat: dict[str, int] = Counter(_flat(mol) for mol in found.molecules)
    for k, place in enumerate(places):
        notes = []
        if found.side[k] == 0 and width > 0 and abs(found.y[k] - center) > OUTLIER * width:
            notes.append(
                f"outlier: {abs(found.y[k] - center) / width:.1f} robust standard deviations from the median"
            )
        if flat[_flat(found.molecules[k])] > 1:
            notes.append("another stereo form of it is in the table")
        if notes:
            old = found.decisions[place]
            found.decisions[place] = replace(old, note="; ".join(filter(None, [old.note, *notes])))


def _flat(mol: Molecule) -> str:
    return Chem.MolToSmiles(mol.mol, isomericSmiles=False)


def _check_enough(found: Curated, source: str) -> None:
    exact = found.y[found.side == 0]
    counts = found.counts()
    lost = "; ".join(f"{n} {why}" for why, n in list(counts["reasons"].items())[:5])
    if len(exact) < FEWEST:
        raise DataError(
            f"{source}: of {counts['rows']} rows, compounds are left: {len(exact)} with an exact value of "
            f"{found.scale.column!r}; a model needs at least {FEWEST}" + (f" ({lost})" if lost else "")
        )
    if np.ptp(exact) == 0:
        raise DataError(
            f"{source}: all {len(exact)} values of {found.scale.column!r} are {exact[0]:g}; there is nothing to learn"
        )
