"""What a rule is, what breaking it is called, and the verdict on a molecule."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field

from rdkit import Chem

from molgen.chem.screen import Features

#: How grave it is to break a rule.
SEVERITIES: dict[str, str] = {
    "high": "no project wants it: cannot exist, falls apart, or a fault of a generator",
    "medium": "real chemistry that most projects do not want: reactive, toxic, interferes with assays, unheard of",
    "low": "a hint or a preference; most marketed drugs break one of these",
}


@dataclass(frozen=True)
class Rule:
    """A named rule: the group it belongs to, how grave a break is, where it is from, what it asks."""

    name: str
    group: str
    severity: str
    source: str
    summary: str

    @property
    def id(self) -> str:
        """Group and name: unique among all rules."""
        return f"{self.group}: {self.name}"


@dataclass(frozen=True, slots=True)
class Hit:
    """A broken rule in words. ``subject`` says what exactly (a ring system), ``excess`` how far beyond the bar.

    ``kind`` is short and holds nothing of the one molecule, so that kinds can be counted; default: the rule's name.
    """

    rule: Rule
    words: str
    subject: str = ""
    excess: float = 0.0
    kind: str = ""

    @property
    def short(self) -> str:
        """What kind of fault it is, the same for all molecules that have it."""
        return self.kind or self.rule.name

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Verdict:
    """All that was found in one molecule; it passes if nothing is ``broken``.

    ``relaxed``: broken, and allowed by name. ``inherited``: broken, and no worse in the parent, which stands beside it.
    ``shown``: hits of rules that only inform.
    """

    broken: list[Hit] = field(default_factory=list)
    inherited: list[tuple[Hit, str]] = field(default_factory=list)
    relaxed: list[Hit] = field(default_factory=list)
    shown: list[Hit] = field(default_factory=list)

    @property
    def passes(self) -> bool:
        """Whether nothing is broken that was not allowed."""
        return not self.broken

    @property
    def why(self) -> str:
        """All broken rules in words."""
        return "; ".join(map(str, self.broken))


class Group(ABC):
    """Rules that are checked together. ``cost``: rough CPU seconds per molecule, cheap groups are asked first."""

    name: str
    cost: float
    rules: tuple[Rule, ...]

    @abstractmethod
    def hits(self, mol: Chem.Mol, has: Features) -> Iterator[Hit]:
        """What the molecule breaks; ``has`` are its features, for rules that look for substructures."""

    def count(self, mol: Chem.Mol, hit: Hit) -> float:
        """How bad the hit is, to compare with the same one in a parent: it is inherited where that has no less."""
        return hit.excess
