"""What a search began with: the user's own compounds, what is odd about them, and how large molecules were then."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from molgen.optimize.genetic.tables import Tables, heavy_atoms, tables

_ROOM = 50  # heavy atoms that every search may reach: some 700 g/mol


class Begun:
    """``seeds``: canonical SMILES of the user's compounds; ``largest``: most heavy atoms of these and of draws.

    ``table``: what the genetic operators know, and what the seeds have beyond that.
    """

    def __init__(self) -> None:
        self.seeds: dict[str, None] = {}
        self.largest = 0
        self.table: Tables = tables()

    def take(self, smiles: str, origin: str, adopted: bool) -> None:
        """A molecule with a score.

        What an earlier round or stage found is adopted too, but neither a seed nor a measure: the room would grow by
        half with each.
        """
        users_own = adopted and origin == "seed"
        if users_own and smiles not in self.seeds:
            self.seeds[smiles] = None
            self.table = self.table.widened([smiles])
        if users_own or origin == "prior":
            self.largest = max(self.largest, heavy_atoms(smiles))

    def room(self) -> int:
        """Heavy atoms of a candidate at most, where nothing else is asked for: half more than ``largest``, 50 at least.

        Without a bound a score that does not look at size is climbed by what nobody would make: on gsk3b the search
        grew chains of 356 atoms.
        """
        return max(_ROOM, self.largest * 3 // 2)

    def state(self) -> dict[str, Any]:
        """JSON-able."""
        return {"seeds": list(self.seeds), "largest": self.largest}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Inverse of :meth:`state`."""
        self.seeds, self.largest = dict.fromkeys(state["seeds"]), state["largest"]
        self.table = tables().widened(self.seeds)
