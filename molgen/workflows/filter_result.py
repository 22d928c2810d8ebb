"""What a filter run found out: one answer per row, the counts of all rules, and the list that was judged."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from molgen.chem.molecule import Molecule
from molgen.chem.rules.ruleset import RuleSet
from molgen.chem.standardize import get_policy

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

#: Columns with what was excused or only told.
EXCUSED = ("inherited", "relaxed", "shown")
#: Stands for the rules of a row that the hazard screen withholds.
HAZARD = "withheld"


class Judged(NamedTuple):
    """What became of one row: all that a worker process sends back. ``rules`` are ids, or the code of a refusal.

    ``withheld``: its class, of a row that the hazard screen withholds; its structure is not told, nor are its rules.
    """

    smiles: str
    passes: bool
    readable: bool = True
    rules: tuple[str, ...] = ()
    why: str = ""
    inherited: str = ""
    relaxed: str = ""
    shown: str = ""
    withheld: str = ""


@dataclass
class FilterSummary:
    """How many rows came in, were kept and rejected, and what rejected them.

    ``rules``: one dict per rule that was broken: ``rule``, ``group``, ``severity``, ``molecules``, and ``alone``, how
    many were rejected by it and nothing else. ``remarks``: what differs from the preset (relaxations, other bars).
    """

    preset: str
    groups: list[str]
    remarks: list[str]
    policy: str
    rows: int = 0
    kept: int = 0
    rejected: int = 0
    unreadable: int = 0
    withheld: int = 0
    excused: int = 0
    rules: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {"format": 1, "kind": "filter", **asdict(self)}

    def caption(self) -> str:
        """One sentence: in = kept + rejected."""
        assert self.rows == self.kept + self.rejected
        apart = [
            f"{count:,} of them {word}"
            for count, word in ((self.unreadable, "unreadable"), (self.withheld, "withheld"))
            if count
        ]
        inside = f" ({', '.join(apart)})" if apart else ""
        excused = f"; {self.excused:,} kept ones break what is excused" if self.excused else ""
        return f"{self.rows:,} rows = {self.kept:,} kept + {self.rejected:,} rejected{inside}{excused}"


@dataclass(frozen=True)
class FilterResult:
    """A judged list: ``molecules`` and their ``verdicts`` in the order given, and the rows that are no molecules."""

    summary: FilterSummary
    rules: RuleSet
    rows: list[Judged]
    ids: list[str | None]

    @property
    def kept(self) -> list[Molecule]:
        """What passed, standardized, in the order given."""
        policy = get_policy(self.summary.policy).name
        return [
            Molecule(row.smiles, policy, id)
            for row, id in zip(self.rows, self.ids, strict=True)
            if row.passes
        ]

    def matrix(self) -> np.ndarray:
        """Rows x ``rules.rules``: broken and not excused, ``bool [n, rules]``.

        An unreadable or withheld row is all False.
        """
        import numpy as np

        place = {rule.id: k for k, rule in enumerate(self.rules.rules)}
        broken = np.zeros((len(self.rows), len(place)), dtype=bool)
        for i, row in enumerate(self.rows):
            if row.readable and not row.withheld:
                broken[i, [place[rule] for rule in row.rules]] = True
        return broken

    def to_frame(self) -> pd.DataFrame:
        """Columns ``id smiles passes broken rules why inherited relaxed shown``, one row per molecule given."""
        import pandas as pd

        return pd.DataFrame(
            [
                {
                    "id": id,
                    "smiles": row.smiles,
                    "passes": row.passes,
                    **reasons(row),
                    **{name: getattr(row, name) for name in EXCUSED},
                }
                for row, id in zip(self.rows, self.ids, strict=True)
            ]
        )


class Tally:
    """Counts what was broken, and by whom alone."""

    def __init__(self) -> None:
        self.broken: Counter[str] = Counter()
        self.alone: Counter[str] = Counter()

    def add(self, row: Judged, summary: FilterSummary) -> None:
        """Count one row here and in the summary."""
        summary.rows += 1
        if row.passes:
            summary.kept += 1
            summary.excused += bool(row.inherited or row.relaxed)
            return
        summary.rejected += 1
        summary.unreadable += not row.readable
        summary.withheld += bool(row.withheld)
        self.broken.update(row.rules)
        if len(row.rules) == 1:
            self.alone.update(row.rules)

    def table(self, rules: RuleSet) -> list[dict[str, Any]]:
        """The rules of the summary, most broken first."""
        known = {rule.id: rule for rule in rules.rules}
        found = []
        for id, count in sorted(self.broken.items(), key=lambda item: (-item[1], item[0])):
            rule = known.get(id)
            found.append(
                {
                    "rule": rule.name if rule else id,
                    "group": rule.group if rule else "hazard screen" if id == HAZARD else "unreadable",
                    "severity": rule.severity if rule else "",
                    "molecules": count,
                    "alone": self.alone[id],
                }
            )
        return found


def reasons(row: Judged) -> dict[str, Any]:
    """The columns ``broken`` (how many), ``rules`` (their ids) and ``why`` (words)."""
    return {"broken": len(row.rules), "rules": "; ".join(row.rules), "why": row.why}
