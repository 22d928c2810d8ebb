"""Asks scorers for what stands behind their values: further columns, and what each atom adds."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from molgen.core.errors import Interrupted, ScorerError
from molgen.scoring.protocol import HasAtomWeights, HasEvidence, HasPoses, StopCheck

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule
    from molgen.scoring.evaluate import Component

Cell = float | int | str | None

#: Columns that every component has already.
TAKEN = frozenset({"desirability", "contribution"})
_NAME = re.compile(r"[A-Za-z0-9_]+")
_CHUNK = 500  # molecules per question: bounds memory and the time until a stop is noticed


@dataclass(frozen=True)
class Evidence:
    """``columns``: component -> column (with the component's name before it) -> one cell per molecule.

    ``about``: the same keys -> what the column means. ``weights``: component -> float64 ``[heavy atoms]`` or None per
    molecule. ``poses``: component -> mol block or None per molecule. ``notes``: sentences on what could not be
    computed.
    """

    columns: dict[str, dict[str, list[Cell]]] = field(default_factory=dict)
    about: dict[str, dict[str, str]] = field(default_factory=dict)
    weights: dict[str, list[np.ndarray | None]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    poses: dict[str, list[str | None]] = field(default_factory=dict)


def gather(
    components: Iterable[Component],
    mols: Sequence[Molecule],
    *,
    known: Mapping[str, np.ndarray] | None = None,
    explain: int = 0,
    stop: StopCheck | None = None,
    progress: Callable[[int], object] | None = None,
) -> Evidence:
    """Evidence of all components that have some, and the atom weights of the first ``explain`` molecules.

    ``known[name]`` float64 ``[n]``: raw values; a molecule whose value is NaN was not scored by that component, and
    is not asked about. A scorer that fails here costs its columns and leaves a note: the scores are there, and hours
    may have gone into them. Of scorers with the same attribute ``evidence_source`` the first tells it for all. Raises
    ScorerError where one breaks the contract, Interrupted when ``stop`` says so.
    """
    found = Evidence()
    components = list(components)
    taken = {component.name for component in components}
    told_by: set[object] = set()
    for component in components:
        # A model that is used twice (its value, its lower bound) would say everything twice.
        if (source := getattr(component.scorer, "evidence_source", None)) is not None:
            if source in told_by:
                continue
            told_by.add(source)
        values = (known or {}).get(component.name)
        chosen = list(range(len(mols))) if values is None else np.flatnonzero(~np.isnan(values)).tolist()
        if isinstance(component.scorer, HasEvidence):
            columns = _attempt(component, found, partial(_ask, component, mols, chosen, stop, progress))
            if columns:
                told = getattr(component.scorer, "evidence_words", {})
                named = {_full_name(component.name, name, taken): name for name in columns}
                found.columns[component.name] = {full: columns[name] for full, name in named.items()}
                found.about[component.name] = {
                    full: str(told.get(name, f"{name} of {component.name}")) for full, name in named.items()
                }
        if isinstance(component.scorer, HasPoses):
            poses = _attempt(component, found, partial(_lay, component, mols, chosen))
            if poses is not None and any(poses):
                found.poses[component.name] = poses
        if explain and isinstance(component.scorer, HasAtomWeights):
            top = [k for k in chosen if k < explain]
            weights = _attempt(component, found, partial(_weigh, component, mols, top))
            if weights is not None and any(row is not None for row in weights):
                found.weights[component.name] = weights
    return found


def _attempt(component: Component, found: Evidence, ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except (Interrupted, ScorerError):
        raise
    except (
        Exception
    ) as error:  # somebody else's code, after all the work is done: it must not take the results
        found.notes.append(f"{component.name}: no evidence ({type(error).__name__}: {error}).")
        return None


def _ask(
    component: Component,
    mols: Sequence[Molecule],
    chosen: Sequence[int],
    stop: StopCheck | None,
    progress: Callable[[int], object] | None,
) -> dict[str, list[Cell]]:
    columns: dict[str, list[Cell]] = {}
    for first in range(0, max(len(chosen), 1), _CHUNK):
        if stop is not None and (name := stop()):
            raise Interrupted(name)
        part = chosen[first : first + _CHUNK]
        told = component.scorer.evidence([mols[k] for k in part])  # type: ignore[attr-defined]
        answer = checked_columns(component.name, told, len(part))
        if first and answer.keys() != columns.keys():
            raise ScorerError(f"evidence of {component.name!r} has other columns for other molecules")
        for name, cells in answer.items():
            column = columns.setdefault(name, [None] * len(mols))
            for k, cell in zip(part, cells, strict=True):
                column[k] = cell
        if progress is not None:
            progress(len(part))
    return columns


def _weigh(
    component: Component, mols: Sequence[Molecule], chosen: Sequence[int]
) -> list[np.ndarray | None] | None:
    if not chosen:
        return None
    part = [mols[k] for k in chosen]
    answer = checked_weights(component.name, component.scorer.atom_weights(part), part)  # type: ignore[attr-defined]
    rows: list[np.ndarray | None] = [None] * len(mols)
    for k, row in zip(chosen, answer, strict=True):
        rows[k] = row
    return rows


def _lay(component: Component, mols: Sequence[Molecule], chosen: Sequence[int]) -> list[str | None]:
    answer = checked_poses(component.name, component.scorer.poses([mols[k] for k in chosen]), len(chosen))  # type: ignore[attr-defined]
    rows: list[str | None] = [None] * len(mols)
    for k, block in zip(chosen, answer, strict=True):
        rows[k] = block
    return rows


def _full_name(component: str, column: str, taken: Collection[str]) -> str:
    """A column with the component's name before it; one that is the name of another component gives way."""
    full = f"{component}_{column}"
    return f"{full}_evidence" if full in taken else full


def checked_columns(name: str, answer: object, n: int) -> dict[str, list[Cell]]:
    """Hold the evidence of a scorer to its contract, with NaN as None; raises ScorerError in words."""
    if not isinstance(answer, Mapping):
        raise ScorerError(f"evidence of {name!r} is {type(answer).__name__}; it must be a dict of lists")
    columns: dict[str, list[Cell]] = {}
    for key, cells in answer.items():
        if not isinstance(key, str) or not _NAME.fullmatch(key) or key in TAKEN:
            raise ScorerError(f"evidence of {name!r} has a column {key!r}; letters, digits and _ are allowed, and "
                              f"none of {', '.join(sorted(TAKEN))}")  # fmt: skip
        if isinstance(cells, str) or len(cells) != n:
            raise ScorerError(f"evidence {key!r} of {name!r} has {len(cells)} entries for {n} molecules")
        columns[key] = [_cell(name, key, cell) for cell in cells]
    return columns


def _cell(name: str, key: str, cell: Any) -> Cell:
    if hasattr(cell, "item") and getattr(cell, "ndim", 0) == 0:
        cell = cell.item()
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return cell if np.isfinite(cell) else None
    if cell is None or isinstance(cell, (int, str)):
        return cell
    raise ScorerError(
        f"evidence {key!r} of {name!r} holds a {type(cell).__name__}; numbers, texts and None can be told"
    )


def checked_poses(name: str, answer: Any, n: int) -> list[str | None]:
    """Hold poses to their contract; raises ScorerError in words."""
    if isinstance(answer, str) or len(answer) != n:
        raise ScorerError(f"poses of {name!r} has {len(answer)} entries for {n} molecules")
    for block in answer:
        if block is not None and not (isinstance(block, str) and "M  END" in block):
            raise ScorerError(f"poses of {name!r} must be mol blocks or None")
    return list(answer)


def checked_weights(name: str, answer: Any, mols: Sequence[Molecule]) -> list[np.ndarray | None]:
    """Hold atom weights to their contract; raises ScorerError in words."""
    if len(answer) != len(mols):
        raise ScorerError(f"atom_weights of {name!r} has {len(answer)} entries for {len(mols)} molecules")
    rows: list[np.ndarray | None] = []
    for mol, row in zip(mols, answer, strict=True):
        if row is not None:
            row = np.asarray(row, dtype=np.float64)
            if row.shape != (mol.mol.GetNumAtoms(),) or not np.isfinite(row).all():
                raise ScorerError(
                    f"atom_weights of {name!r} for {mol.smiles} must be finite, one for each of its "
                    f"{mol.mol.GetNumAtoms()} atoms; got shape {row.shape}"
                )
        rows.append(row)
    return rows
