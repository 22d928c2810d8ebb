"""What a run knows: every molecule it has scored, found by structure, and the counts of everything else."""

from __future__ import annotations

import bisect
import math
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

STATUSES = ("scored", "filtered", "failed", "invalid", "duplicate")
#: Origin of what an earlier round of the run has found and paid for; it comes first in the next one and costs nothing.
CARRIED = "carried"
#: Status in the counts of what an earlier stage has scored and the present one cannot judge without paying.
LEFT_BEHIND = "left_behind"
#: Fields of an entry that differ between two runs of the same seed.
TIMES = ("seconds",)


@dataclass(frozen=True)
class Entry:
    """One line of the ledger: a proposal and what became of it.

    ``total`` is the objective's value in 0..1, ``score`` the reward that the optimizer was told (after the scaffold
    memory); NaN where there is none. ``values`` and ``desirability`` are by component. ``cost``: 1 where the objective
    was asked and counted it against the budget, 0 for invalid strings, duplicates and what was carried over.
    ``seconds``: wall time of the call, the molecule's share of its batch; two equal runs do not have it in common.
    """

    id: int
    step: int
    origin: str
    parents: tuple[str, ...]
    raw: str
    smiles: str | None
    status: str
    total: float
    score: float
    values: Mapping[str, float] = field(default_factory=dict)
    desirability: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""
    nll: float | None = None
    scaffold: str = ""  # Murcko scaffold; the molecule itself where it has no ring
    cost: int = 0
    round: int = 1  # of feedback
    room: float = 1.0  # factor of the diversity memory on the reward
    stage: str = ""  # of the curriculum
    seconds: float = field(default=0.0, compare=False, repr=False)

    def replace(self, **changes: Any) -> Entry:
        """A copy with some fields changed."""
        return replace(self, **changes)

    def to_row(self) -> dict[str, Any]:
        """JSON-able ledger row."""
        return asdict(self)

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> Entry:
        """Inverse of :meth:`to_row`; ``null`` numbers come back as NaN."""
        known = {key: row[key] for key in cls.__dataclass_fields__ if key in row}
        known["parents"] = tuple(known["parents"])
        for key in ("total", "score"):
            known[key] = _number(known[key])
        for key in ("values", "desirability"):
            known[key] = {name: _number(value) for name, value in known[key].items()}
        return cls(**known)


class Memory:
    """All first encounters by standardized SMILES, and the counts of the statuses."""

    keep_top = 100

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.first: dict[str, Entry] = {}
        self.counts: Counter[str] = Counter()
        self.reasons: Counter[str] = Counter()
        self.proposed = 0
        self.next_id = 0  # larger than all that were proposed
        self.carried = 0
        self.left_behind = 0  # paid for, but not judged by the present objective
        self.seconds = 0.0
        self.top: list[float] = []  # the best totals, ascending
        self.last: deque[bool] = deque(maxlen=1000)  # of the last proposals: valid and through all filters?
        for entry in entries:
            self.add(entry)

    def add(self, entry: Entry) -> None:
        """Remember an entry; duplicates only count."""
        self.proposed += 1
        self.next_id = max(self.next_id, entry.id + 1)
        self.counts[entry.status] += 1
        self.seconds += entry.seconds
        first = self.first.get(entry.smiles) if entry.smiles is not None else None
        self.last.append((first or entry).status == "scored")
        if entry.status in ("invalid", "filtered", "failed"):
            self.reasons[entry.reason] += 1
        if entry.smiles is not None and entry.status != "duplicate":
            self.first[entry.smiles] = entry
            self.carried += entry.origin == CARRIED
            if entry.status == "scored":
                bisect.insort(self.top, entry.total)
                del self.top[: -self.keep_top]

    @property
    def calls(self) -> int:
        """Distinct molecules that the objective was asked about in this run: what the budget counts."""
        return len(self.first) - self.carried + self.left_behind

    def revalue(self, entries: Mapping[str, Entry | None]) -> None:
        """Judge known molecules by another objective: their new entries by SMILES, None for those to be asked again."""
        for smiles, new in entries.items():
            old = self.first.pop(smiles)
            self.counts[old.status] -= 1
            if old.status in ("filtered", "failed"):
                self.reasons[old.reason] -= 1
            if new is None:
                self.counts[LEFT_BEHIND] += 1
                self.carried -= old.origin == CARRIED
                self.left_behind += old.origin != CARRIED
                continue
            self.first[smiles] = new
            self.counts[new.status] += 1
            if new.status in ("filtered", "failed"):
                self.reasons[new.reason] += 1
        self.top = sorted(e.total for e in self.first.values() if e.status == "scored")[-self.keep_top :]


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)
