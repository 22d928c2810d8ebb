"""Values that were computed before, from a run's ledger or a scored file, put through weights and curves again."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from molgen.chem.fragments import murcko_scaffold
from molgen.chem.molecule import Molecule
from molgen.core.errors import ConfigError, DataError, Problem
from molgen.core.schema import ObjectiveConfig, OptimizeConfig, TransformConfig
from molgen.core.suggest import did_you_mean
from molgen.data.reader import read
from molgen.optimize.memory import Entry
from molgen.run.folder import RunFolder
from molgen.scoring.evaluate import Block, Component
from molgen.scoring.registry import find
from molgen.scoring.table import make_table
from molgen.scoring.transforms import Transform

_TAIL = "_desirability"
#: Columns of our own files that are made anew.
_MADE = frozenset(
    {"rank", "id", "smiles", "inchikey", "score", "total", "passed", "reason", "cluster", "cluster_size", "front",
     "crowding", "flags", "nearest_reference", "nearest_similarity", "undefined_stereo", "scaffold", "step", "origin",
     "parents", "nll"}
)  # fmt: skip


@dataclass(frozen=True)
class Part:
    """A component of the ranking. ``transform`` None: desirabilities are taken as they were stored.

    ``curve``: what a report draws.
    """

    name: str
    use: str
    role: str = "score"
    weight: float = 1.0
    threshold: float = 0.5
    on_missing: str = "reject"
    transform: Transform | None = None
    curve: Transform | None = None
    unit: str = ""
    summary: str = ""


@dataclass
class Pool:
    """What can be ranked: entries with raw values and desirabilities, and where they are from."""

    path: Path
    policy: str
    entries: list[Entry]
    parts: list[Part]
    history: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    molecules: dict[str, Molecule] = field(
        default_factory=dict
    )  # of a file, by SMILES: their ids and columns

    def complete(self, rows: Sequence[dict[str, Any]]) -> None:
        """Give rows of a file their own ids and the further columns of the file."""
        for row in rows:
            molecule = self.molecules.get(row["smiles"])
            if molecule is None:
                continue
            row["id"] = molecule.id or row["id"]
            row["scaffold"] = murcko_scaffold(molecule.mol) or molecule.smiles
            for key in ("step", "origin", "parents", "nll"):
                row[key] = _cell(molecule.data.get(key))
            more = {
                k: _cell(v)
                for k, v in molecule.data.items()
                if k not in _MADE and not k.endswith("_contribution")
            }
            row |= {key: value for key, value in more.items() if key not in row}


def from_run(folder: RunFolder, config: OptimizeConfig) -> Pool:
    """All entries of a run's ledger; the run may still be going on."""
    entries = [Entry.from_row(row) for row in folder.ledger.rows()]
    # A stage with an objective of its own may call another scorer by the same name.
    apart = {stage.name for stage in config.stages if stage.objective is not None}
    entries = [entry for entry in entries if entry.stage not in apart]
    parts = [
        replace(part, transform=None)
        for part in (_part(component) for component in config.objective.components)
    ]
    notes = (
        []
        if folder.status == "done"
        else [f"The run is {folder.status}, not done: this is what it has so far."]
    )
    return Pool(
        folder.path / "ledger.jsonl", config.policy, entries, parts, list(folder.metrics.rows()), notes
    )


def from_file(
    path: Path, smiles_column: str | None, id_column: str | None, policy: str, *, needs_curves: bool
) -> Pool:
    """The rows of a file that ``molgen score`` or a run wrote, or any table with columns of values.

    ``needs_curves``: there must be columns ``<name>_desirability``. Raises DataError.
    """
    table = read(path, smiles_column=smiles_column, id_column=id_column, policy=policy)
    if not table.molecules:
        raise DataError(f"{path}: no usable molecule in it")
    names = [name.removesuffix(_TAIL) for name in table.columns if name.endswith(_TAIL)]
    if needs_curves and not names:
        raise DataError(
            f"{path}: no column ends with {_TAIL}, so there is nothing to rank by; score it first (molgen score), or "
            "give an objective whose components are columns of the file (--objective)"
        )
    numeric = {
        name for name in table.columns if name not in _MADE and not name.endswith(("_contribution", _TAIL))
    }
    entries: list[Entry] = []
    seen: dict[str, Molecule] = {}
    for number, molecule in enumerate(table.molecules):
        data = molecule.data
        fits = str(data.get("passed", "true")).strip().lower() not in ("false", "0", "no")
        status = "duplicate" if molecule.smiles in seen else "scored" if fits else "filtered"
        seen.setdefault(molecule.smiles, molecule)
        entries.append(
            Entry(
                number, 0, "", (), molecule.smiles, molecule.smiles, status, math.nan, math.nan,
                values={name: _number(data.get(name)) for name in numeric},
                desirability={name: _number(data.get(f"{name}{_TAIL}")) for name in names},
                reason=str(data.get("reason") or "") if status == "filtered" else "",
            )
        )  # fmt: skip
    notes = [*table.notes]
    if table.rejected:
        first = table.rejected[0]
        notes.append(
            f"{len(table.rejected)} rows could not be used; the first: line {first.line}, {first.detail}."
        )
    # A filter of ours has no column of what it adds.
    ours = any(name.endswith("_contribution") for name in table.columns)
    parts = [
        Part(name, name, "filter" if ours and f"{name}_contribution" not in table.columns else "score")
        for name in names
    ]
    return Pool(path, policy, entries, parts, notes=notes, molecules=seen)


def parts_of_objective(config: ObjectiveConfig, pool: Pool, source: str) -> list[Part]:
    """The components of another objective; each must be a name that the pool has values of. Raises ConfigError."""
    have = {name for entry in pool.entries for name in entry.values}
    parts, problems = [], []
    for i, component in enumerate(config.components):
        part = _part(component)
        if part.name not in have:
            cure = did_you_mean(part.name, sorted(have), what="values there are:")
            problems.append(
                Problem(
                    f"components[{i}].name",
                    f"no values of {part.name!r} in {pool.path}{cure}; ranking computes none",
                )
            )
        if part.transform is None:
            part = replace(part, transform=Transform(TransformConfig()))  # type: ignore[call-arg]
            part = replace(part, curve=part.transform)
        parts.append(part)
    if problems:
        raise ConfigError(problems, source)
    return parts


def with_weights(parts: Sequence[Part], weights: Mapping[str, float]) -> list[Part]:
    """Parts with other weights; 0 takes one out of the mean and keeps its columns. Raises ConfigError."""
    names = [part.name for part in parts if part.role == "score"]
    problems = []
    for name, weight in weights.items():
        if name not in names:
            problems.append(
                Problem(f"weight {name}", f"no component of role score{did_you_mean(name, names)}")
            )
        elif not (math.isfinite(weight) and weight >= 0):
            problems.append(Problem(f"weight {name}", f"must be 0 or more (got {weight:g})"))
    changed = [
        part
        if part.name not in weights
        else replace(part, weight=weights[part.name])
        if weights[part.name]
        else replace(part, weight=0.0, role="shown", on_missing="ignore")
        for part in parts
    ]
    if not problems and names and not any(part.role == "score" for part in changed):
        problems.append(Problem("weights", "no component is left in the mean"))
    if problems:
        raise ConfigError(problems, "rank")
    return changed


def rescore(entries: Sequence[Entry], parts: Sequence[Part], how: str) -> tuple[list[Entry], list[str]]:
    """Entries with new totals and statuses, by the code that scores, and sentences on those that could have none."""
    stored = all(part.transform is None for part in parts)
    at = [
        i
        for i, e in enumerate(entries)
        if e.smiles is not None and e.status in ("scored", "filtered", "failed")
    ]
    values = np.full((len(parts), len(at)), np.nan)
    for k, part in enumerate(parts):
        for column, i in enumerate(at):
            kept = entries[i].desirability if part.transform is None else entries[i].values
            values[k, column] = kept.get(part.name, math.nan)
    empty: list[dict[int, str]] = [{} for _ in parts]
    block = Block(values, empty, [{} for _ in parts], np.ones(len(at), dtype=bool))
    table = make_table([_component(part) for part in parts], block, how)
    new, lacking = list(entries), Counter[str]()
    for column, i in enumerate(at):
        entry, total = entries[i], float(table.total[column])
        if stored and entry.status != "scored":
            continue  # what a filter rejected, or had no value, stays so: only the same curves are asked again
        status = "failed" if math.isnan(total) else "scored" if table.passed[column] else "filtered"
        reason = table.reasons[column]
        if status == "failed" and entry.status == "filtered":
            lacking[reason] += 1
        new[i] = entry.replace(
            status=status,
            total=total,
            reason=reason,
            desirability={p.name: float(table.desirability[p.name][column]) for p in parts},
        )
    n = sum(lacking.values())
    words = f"{n} molecules that a filter had rejected have no values to rank by; molgen score computes them."
    return new, [words] if n else []


def _component(part: Part) -> Component:
    return Component(
        name=part.name,
        use=part.use,
        role=part.role,
        weight=part.weight,
        scorer=None,  # type: ignore[arg-type]  # nothing is computed
        transform=part.transform or Transform(TransformConfig()),  # type: ignore[call-arg]
        threshold=part.threshold,
        on_missing=part.on_missing,
        fingerprint=None,
        remote=False,
    )


def _part(component: Any) -> Part:
    name = component.name or component.use.rpartition(":")[2]
    record = find(component.use) if ":" not in component.use else None
    curve = component.transform or (record.default_transform() if record else None)
    transform = Transform(curve) if curve is not None else None
    return Part(
        name,
        component.use,
        component.role,
        component.weight,
        component.threshold,
        component.on_missing,
        transform,
        transform,
        record.unit if record else "",
        record.summary if record else "",
    )


def _number(value: Any) -> float:
    try:
        number = float(value) if value not in (None, "") else math.nan
    except (TypeError, ValueError):
        return math.nan
    return number if math.isfinite(number) else math.nan


def _cell(value: Any) -> Any:
    """A text of a file as the number that it is."""
    if not isinstance(value, str):
        return value
    number = _number(value)
    if math.isnan(number):
        return value or None
    return int(number) if number.is_integer() and value.strip().lstrip("-").isdigit() else number
