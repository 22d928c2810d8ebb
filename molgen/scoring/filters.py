"""Substructures that a molecule should or should not have: own SMARTS, published alert catalogs, known rings.

SMARTS are compiled once, when the scorer is built. The notes of a scorer name what was found, so that a
rejected molecule can be explained.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from molgen.chem.alerts import Substructure, alerts, check_catalogs, compile_smarts
from molgen.chem.rings import frequencies, table_info
from molgen.core.errors import ConfigError, Problem
from molgen.core.schema import Section
from molgen.scoring.params import AlertListParams, CatalogParams, CountParams, MatchParams
from molgen.scoring.protocol import Context, Scored
from molgen.scoring.registry import SCORERS

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule


class Matching:
    """1.0 if the molecule contains all (or any) of the patterns, else 0.0."""

    unit = ""

    def __init__(self, name: str, params: MatchParams) -> None:
        self.name = name
        self.params = params
        self.cost = 3e-6 * len(params.smarts)
        self._patterns = _compile(params.smarts)

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Score a list; the notes name what is missing."""
        values = np.zeros(len(mols))
        notes: dict[int, str] = {}
        for i, mol in enumerate(mols):
            found = _found(mol, self._patterns, self.params.chirality)
            absent = [pattern.name for pattern in self._patterns if pattern.name not in found]
            values[i] = float(not absent if self.params.require == "all" else bool(found))
            if not values[i]:
                notes[i] = f"has no {' and no '.join(absent)}"
        return Scored(values, notes=notes)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.params)


class Forbidden:
    """Number of the patterns that the molecule contains."""

    def __init__(self, name: str, params: AlertListParams) -> None:
        self.name = name
        self.unit = SCORERS[name].unit
        self.params = params
        self.cost = 3e-6 * len(params.smarts)
        self._patterns = _compile(params.smarts)

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Score a list; the notes name the patterns that were found."""
        values = np.zeros(len(mols))
        notes: dict[int, str] = {}
        for i, mol in enumerate(mols):
            found = _found(mol, self._patterns, self.params.chirality)
            values[i] = len(found)
            if found:
                notes[i] = ", ".join(found)
        return Scored(values, notes=notes)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.params)


class Count:
    """How often the patterns match, each distinct set of atoms once, added up."""

    unit = "matches"

    def __init__(self, name: str, params: CountParams) -> None:
        self.name = name
        self.params = params
        self.cost = 4e-6 * len(params.smarts)
        self._patterns = _compile(params.smarts)

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Score a list."""
        chirality = self.params.chirality
        values = [
            sum(len(mol.mol.GetSubstructMatches(p.query, useChirality=chirality)) for p in self._patterns)
            for mol in mols
        ]
        return Scored(np.array(values, dtype=np.float64))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.params)


class Alerts:
    """Number of alerts of the named catalogs that the molecule has, without those that are allowed."""

    unit = "alerts"

    def __init__(self, name: str, params: CatalogParams) -> None:
        check_catalogs(params.catalogs)
        self.name = name
        self.params = params
        self.cost = SCORERS[name].cost
        self._allowed = frozenset(params.allow)

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Score a list; the notes name the alerts with their catalogs."""
        values = np.zeros(len(mols))
        notes: dict[int, str] = {}
        for i, mol in enumerate(mols):
            found = [
                alert for alert in alerts(mol.mol, self.params.catalogs) if alert.name not in self._allowed
            ]
            values[i] = len(found)
            if found:
                notes[i] = ", ".join(f"{alert.catalog} {alert.name}" for alert in found)
        return Scored(values, notes=notes)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.params)


class RingFrequency:
    """Molecules, of those counted in :mod:`molgen.chem.rings`, that have the rarest ring system of this one.

    A molecule without rings gets the number of all molecules counted. Walters ("Identifying ring systems in
    molecules", 2022) rejects ring systems that ChEMBL has fewer than five times; a count of at least
    one here agrees best with that.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.unit = SCORERS[name].unit
        self.cost = SCORERS[name].cost
        self._counted = float(table_info()["molecules"])

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Score a list; the notes name the rarest ring system."""
        values = np.full(len(mols), self._counted)
        notes: dict[int, str] = {}
        for i, mol in enumerate(mols):
            counts = frequencies(mol.mol)
            if counts:
                rarest = min(counts, key=lambda ring: counts[ring])
                values[i] = counts[rarest]
                notes[i] = f"ring system {rarest} is in {counts[rarest]} known molecules"
        return Scored(values, notes=notes)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name,)


def build_matching(name: str, params: MatchParams, context: Context) -> Matching:
    """See :class:`Matching`."""
    return Matching(name, params)


def build_forbidden(name: str, params: AlertListParams, context: Context) -> Forbidden:
    """See :class:`Forbidden`."""
    return Forbidden(name, params)


def build_count(name: str, params: CountParams, context: Context) -> Count:
    """See :class:`Count`."""
    return Count(name, params)


def build_alerts(name: str, params: CatalogParams, context: Context) -> Alerts:
    """See :class:`Alerts`."""
    return Alerts(name, params)


def build_ring_frequency(name: str, params: Section, context: Context) -> RingFrequency:
    """See :class:`RingFrequency`."""
    return RingFrequency(name)


def _compile(smarts: Sequence[str] | dict[str, str]) -> list[Substructure]:
    """Compile all patterns; raises ConfigError with one problem per bad one, keys below ``smarts``."""
    items = list(smarts.items()) if isinstance(smarts, dict) else [(None, text) for text in smarts]
    compiled: list[Substructure] = []
    problems: list[Problem] = []
    for i, (name, text) in enumerate(items):
        try:
            compiled.append(compile_smarts(text, name))
        except ConfigError as error:
            place = f"smarts[{i}]" if name is None else f"smarts.{name}"
            problems += [Problem(place, problem.message) for problem in error.problems]
    if problems:
        raise ConfigError(problems, "smarts")
    return compiled


def _found(mol: Molecule, patterns: Sequence[Substructure], chirality: bool) -> list[str]:
    rdmol = mol.mol
    return [p.name for p in patterns if rdmol.HasSubstructMatch(p.query, useChirality=chirality)]
