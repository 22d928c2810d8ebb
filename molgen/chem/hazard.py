"""Screens out structures of the classes of chemical weapons, potent toxins and explosives, without echoing them.

The classes are substructures in tables/hazards.yaml. This is a seat belt, not a toxicity prediction: what it does not
know it lets through, and docs/hazard.md says what that is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import yaml
from rdkit import Chem

from molgen.chem.alerts import compile_smarts
from molgen.core.errors import ConfigError, Problem
from molgen.core.suggest import did_you_mean

FORMAT = 1
#: What a results column says in place of a structure.
WITHHELD = "withheld by the hazard screen"


@dataclass(frozen=True)
class HazardClass:
    """One class: alternatives of which one must match, patterns that clear it, and SMILES that test it."""

    name: str
    queries: tuple[Chem.Mol, ...]
    cleared_by: tuple[Chem.Mol, ...]
    hit: tuple[str, ...]
    miss: tuple[str, ...]

    def __contains__(self, mol: Chem.Mol) -> bool:
        return any(mol.HasSubstructMatch(query) for query in self.queries) and not any(
            mol.HasSubstructMatch(query) for query in self.cleared_by
        )


@cache
def _table() -> tuple[int, tuple[HazardClass, ...]]:
    content = yaml.safe_load(files("molgen.chem").joinpath("tables/hazards.yaml").read_text(encoding="utf-8"))
    assert content["format"] == FORMAT, content["format"]
    classes = []
    for entry in content["classes"]:
        name = entry["name"]
        queries, cleared = (
            tuple(compile_smarts(text, name).query for text in entry.get(key, ()))
            for key in ("smarts", "not")
        )
        classes.append(HazardClass(name, queries, cleared, tuple(entry["hit"]), tuple(entry["miss"])))
    return int(content["version"]), tuple(classes)


def classes() -> tuple[HazardClass, ...]:
    """All classes, compiled once per process."""
    return _table()[1]


def version() -> int:
    """Version of the table; it stands in the notes beside what was withheld."""
    return _table()[0]


def check_allowed(names: Collection[str], key: str = "") -> None:
    """Raises ConfigError, with the nearest name, for a class that is not in the table."""
    known = [entry.name for entry in classes()]
    problems = [
        Problem(key, f"no hazard class {name!r}{did_you_mean(name, known)}")
        for name in names
        if name not in known
    ]
    if problems:
        raise ConfigError(problems)


def hazard(mol: Chem.Mol, allow: Collection[str] = ()) -> str | None:
    """Name of the first class that the molecule belongs to (those in ``allow`` apart), or None. Some 0.1 ms."""
    return next((entry.name for entry in classes() if entry.name not in allow and mol in entry), None)


@dataclass
class Screen:
    """The screen of one run: what is allowed, and what was withheld so far, by class.

    ``on`` False or a class in ``allow`` is never silent: :meth:`notes` says so, for the log and the report.
    Raises ConfigError for an unknown class.
    """

    on: bool = True
    allow: Collection[str] = ()
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        check_allowed(self.allow)

    def withholds(self, mol: Chem.Mol) -> str | None:
        """The class for which this molecule is withheld, counted; None: it may be delivered."""
        found = hazard(mol, self.allow) if self.on else None
        if found is not None:
            self.counts[found] += 1
        return found

    def mask(self, mols: Iterable[Chem.Mol]) -> list[str | None]:
        """:meth:`withholds` for many."""
        return [self.withholds(mol) for mol in mols]

    def notes(self) -> list[str]:
        """Sentences for the report: what was withheld, and what was switched off. No structures."""
        said = []
        if not self.on:
            said.append("The hazard screen was SWITCHED OFF for this output.")
        elif self.allow:
            said.append(f"The hazard screen was told to let pass: {', '.join(sorted(self.allow))}.")
        if self.counts:
            words = ", ".join(f"{count} {name}" for name, count in self.counts.most_common())
            total = sum(self.counts.values())
            verb = "molecule was" if total == 1 else "molecules were"
            said.append(f"{total} {verb} {WITHHELD} (table {version()}): {words}.")
        return said
