"""Which atoms raise and lower a component of the delivered molecules, as far as its scorer explains them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from molgen.optimize.protocol import Delivery
from molgen.report.summary import number, unit_text


@dataclass(frozen=True)
class Explained:
    """One component: a row of weights per delivered molecule, or None; ``scale`` is what has the full color."""

    name: str
    rows: Sequence[Sequence[float] | None]
    scale: float
    unit: str

    def weights(self, place: int, atoms: int) -> Sequence[float] | None:
        """Those of the molecule at ``place`` (from 1) with that many ``atoms``."""
        found = self.rows[place - 1] if place <= len(self.rows) else None
        return found if found is not None and len(found) == atoms else None

    def words(self) -> str:
        """What the colors mean."""
        text = f"{self.name}: atoms in blue raise it, in orange lower it; full color: {number(self.scale)} {self.unit}"
        return text.strip()


def explained(delivery: Delivery) -> Iterator[Explained]:
    """The components whose scorers say what atoms add, in the order of the objective."""
    units = {str(part["name"]): unit_text(part) for part in delivery.components}
    for name, rows in delivery.atoms.items():
        scale = max((abs(w) for row in rows if row is not None for w in row), default=0.0)
        yield Explained(name, rows, scale or 1.0, units.get(name, ""))
