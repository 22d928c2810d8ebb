"""What an objective says about molecules: totals, the values behind them, and the reasons in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from molgen.scoring.aggregate import aggregate, contributions

if TYPE_CHECKING:
    import pandas as pd

    from molgen.chem.molecule import Molecule
    from molgen.scoring.evaluate import Block, Component
    from molgen.scoring.evidence import Evidence


@dataclass(frozen=True)
class ScoreTable:
    """Scores of ``n`` molecules, in their order.

    ``total`` float64 ``[n]`` in 0..1: NaN means no total, 0.0 is a real score (a molecule that failed a
    filter has it). ``raw[name]`` float64 ``[n]`` in the component's unit and ``desirability[name]`` in 0..1:
    NaN where there is no value or it was not computed, as for the dearer components of a molecule that failed
    a filter. ``passed`` bool ``[n]``: all filters passed. ``reasons``: "" if passed and there is a total,
    else why not. ``errors[name]`` and ``notes[name]``: position -> words. ``warnings``: sentences about whole
    components, for the log. ``contribution[name]``: what each component of role score or penalty adds to the
    total (:func:`molgen.scoring.aggregate.contributions`); NaN where there is no total or a filter set it to 0.
    """

    total: np.ndarray
    raw: dict[str, np.ndarray]
    desirability: dict[str, np.ndarray]
    passed: np.ndarray
    reasons: list[str]
    errors: dict[str, dict[int, str]]
    notes: dict[str, dict[int, str]] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    contribution: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.total)

    def to_frame(
        self, mols: Sequence[Molecule] | None = None, evidence: Evidence | None = None
    ) -> pd.DataFrame:
        """One row per molecule: total, passed, reason, then for each component its value, ``<name>_desirability``,
        ``<name>_contribution`` and the columns of its evidence.

        With ``mols`` their id and SMILES come first and their other columns last.
        """
        import pandas as pd

        columns: dict[str, object] = {}
        if mols is not None:
            assert len(mols) == len(self)
            if any(mol.id is not None for mol in mols):
                columns["id"] = [mol.id for mol in mols]
            columns["smiles"] = [mol.smiles for mol in mols]
        columns |= {"total": self.total, "passed": self.passed, "reason": self.reasons}
        for name in self.raw:
            columns[name] = self.raw[name]
            columns[f"{name}_desirability"] = self.desirability[name]
            if name in self.contribution:
                columns[f"{name}_contribution"] = self.contribution[name]
            if evidence is not None:
                columns |= evidence.columns.get(name, {})
        frame = pd.DataFrame(columns)
        if mols is not None:
            keys = dict.fromkeys(key for mol in mols for key in mol.data if key not in columns)
            extra = pd.DataFrame(
                {key: [mol.data.get(key) for mol in mols] for key in keys}, index=frame.index
            )
            frame = pd.concat([frame, extra], axis=1)
        return frame


def make_table(components: Sequence[Component], block: Block, how: str) -> ScoreTable:
    """Turn raw values into desirabilities, totals and reasons."""
    n = block.values.shape[1]
    desirability = [c.transform(block.values[i]) for i, c in enumerate(components)]
    missing = [
        np.isnan(d) & (c.on_missing == "reject" and c.role != "control")
        for c, d in zip(components, desirability, strict=True)
    ]
    failed, without = np.zeros(n, dtype=bool), np.zeros(n, dtype=bool)
    for i, component in enumerate(components):
        if component.role == "filter":
            # NaN of a filter is "not computed" after an earlier failure, so only numbers can fail here
            failed |= ~np.isnan(desirability[i]) & ~component.passes(block.values[i])
    for gone in missing:
        without |= gone
    scores = [i for i, c in enumerate(components) if c.role == "score"]
    if scores:
        weights = [components[i].weight for i in scores]
        optional = [components[i].on_missing == "ignore" for i in scores]
        total = aggregate([desirability[i] for i in scores], weights, optional, how)
    else:
        total = np.ones(n)  # filters alone: passed or not
    for i, component in enumerate(components):
        if component.role == "penalty":
            total = total * np.where(np.isnan(desirability[i]), 1.0, desirability[i])
    total = np.where(failed, 0.0, np.where(without, np.nan, total))
    unknown = np.zeros(n, dtype=bool)
    for i, component in enumerate(components):
        if component.role == "filter":
            unknown |= missing[i]
    passed = ~failed & ~unknown
    reasons = [""] * n
    for position in np.flatnonzero(~passed | np.isnan(total)).tolist():
        reasons[position] = _reason(components, block, desirability, missing, failed, position)
    names = [c.name for c in components]
    by_name = dict(zip(names, desirability, strict=True))
    parts = contributions(
        by_name,
        {c.name: c.weight for c in components if c.role == "score"},
        [c.name for c in components if c.role == "penalty"],
        how,
    )
    counted = passed & ~np.isnan(total)
    return ScoreTable(
        total=total,
        raw={name: block.values[i] for i, name in enumerate(names)},
        desirability=by_name,
        passed=passed,
        reasons=reasons,
        errors={name: block.errors[i] for i, name in enumerate(names) if block.errors[i]},
        notes={name: block.notes[i] for i, name in enumerate(names) if block.notes[i]},
        warnings=_warnings(components, block, desirability),
        contribution={name: np.where(counted, part, np.nan) for name, part in parts.items()},
    )


def _reason(
    components: Sequence[Component],
    block: Block,
    desirability: Sequence[np.ndarray],
    missing: Sequence[np.ndarray],
    failed: np.ndarray,
    position: int,
) -> str:
    """Why this molecule was rejected or has no total: all failed filters, else all missing values."""
    words = []
    for i, c in enumerate(components):
        value = block.values[i, position]
        if (
            c.role == "filter"
            and not np.isnan(desirability[i][position])
            and not c.passes(block.values[i])[position]
        ):
            words.append(f"filter {c.name}: {block.notes[i].get(position) or c.transform.explain(value)}")
    if words or failed[position]:
        return "; ".join(words)
    for i, c in enumerate(components):
        value = block.values[i, position]
        if not np.isnan(value) and np.isnan(desirability[i][position]):
            words.append(f"{c.name}: {value:g} is outside 0..1, give the component a transform")
        elif missing[i][position] and position in block.errors[i]:
            words.append(f"{c.name}: no value ({block.errors[i][position]})")
    if not words:  # a scorer that gave NaN without a word; what was not computed after it is not to blame
        words = [f"{c.name}: no value" for i, c in enumerate(components) if missing[i][position]][:1]
    return "; ".join(words) or "no component has a value"


def _warnings(components: Sequence[Component], block: Block, desirability: Sequence[np.ndarray]) -> list[str]:
    warnings = []
    for i, component in enumerate(components):
        n_bad = len(block.errors[i])
        if n_bad and n_bad >= 3 and np.isnan(block.values[i]).all():
            first = next(iter(block.errors[i].values()))
            warnings.append(f"{component.name}: no value for any of {n_bad} molecules; the first: {first}")
        outside = int((~np.isnan(block.values[i]) & np.isnan(desirability[i])).sum())
        if outside:
            warnings.append(
                f"{component.name}: {outside} values outside 0..1 have no desirability; "
                "give the component a transform"
            )
    return warnings
