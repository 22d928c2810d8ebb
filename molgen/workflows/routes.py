"""How the best molecules of a file can be made: from the user's blocks, and by a retrosynthesis program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molgen.chem.hazard import Screen
from molgen.chem.molecule import Molecule
from molgen.chem.reactions import choose
from molgen.core.errors import ConfigError
from molgen.data.reader import read
from molgen.run.progress import Progress
from molgen.scoring.synthesizability.aizynth import AiZynth
from molgen.scoring.synthesizability.search import find_route
from molgen.scoring.synthesizability.stock import open_stock

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class RoutesResult:
    """One row per molecule that was looked at, in the order of the file, and sentences for the log."""

    rows: list[dict[str, Any]]
    notes: list[str] = field(default_factory=list)

    def to_frame(self) -> pd.DataFrame:
        """Columns ``id``, ``smiles``, then those of each way of looking."""
        import pandas as pd

        return pd.DataFrame(self.rows)

    def caption(self) -> str:
        """How many have a complete way."""
        words = []
        for column, where in (
            ("steps", "from your blocks in at most two reactions"),
            ("aizynth_solved", "by AiZynthFinder"),
        ):
            if self.rows and column in self.rows[0]:
                found = sum(row[column] is not None and row[column] is not False for row in self.rows)
                words.append(f"{found} {where}")
        return f"{len(self.rows)} molecules looked at; a way was found for " + " and for ".join(words)


def routes(
    file: str | Path,
    *,
    blocks: str | Path | None = None,
    without: Sequence[str] = (),
    aizynthcli: str | None = None,
    config: str | Path | None = None,
    seconds: float = 120.0,
    top: int = 50,
    hazards: bool = True,
    quiet: bool = False,
) -> RoutesResult:
    """Ways to the first ``top`` molecules of a file; see :func:`molgen.api.routes`."""
    if blocks is None and aizynthcli is None:
        raise ConfigError(
            "nothing to look with: give a file of building blocks, or aizynthcli and its config"
        )
    if aizynthcli is not None and config is None:
        raise ConfigError("aizynthcli needs its configuration file", "config")
    planner = None if aizynthcli is None else AiZynth(aizynthcli, Path(str(config)), seconds)
    reactions = choose(without)
    with Progress(None, "blocks", "reading blocks", quiet=quiet or blocks is None) as bar:
        stock = None if blocks is None else open_stock(Path(blocks), progress=bar.advance)
    table, screen = read(file), Screen(on=hazards)
    molecules = list(islice((m for m in table.molecules if screen.withholds(m.mol) is None), top))
    rows: list[dict[str, Any]] = [_row(k, molecule) for k, molecule in enumerate(molecules, 1)]
    notes = [*table.notes, *screen.notes()]
    if stock is not None:
        notes.append(f"{len(stock):,} building blocks, {stock.refused:,} rows could not be used as one")
        with Progress(len(rows), "molecules", "looking for routes", quiet=quiet) as bar:
            for row, molecule in zip(rows, molecules, strict=True):
                route = find_route(molecule.mol, stock, reactions)
                row["steps"] = None if route.steps is None else len(route.steps)
                row["share_from_blocks"] = round(route.share, 3)
                row["route"] = str(route)
                bar.advance(1)
    if planner is not None:
        with Progress(len(rows), "molecules", "AiZynthFinder", quiet=quiet) as bar:
            for row, plan in zip(rows, planner.plan([m.smiles for m in molecules], bar.advance), strict=True):
                row |= {
                    "aizynth_solved": plan.solved,
                    "aizynth_steps": plan.steps,
                    "aizynth_score": plan.score,
                    "aizynth_blocks": plan.route or None,
                    "aizynth_why": plan.why or None,
                }
        lost = [row["aizynth_why"] for row in rows if row["aizynth_solved"] is None]
        if lost:
            often = max(dict.fromkeys(lost), key=lost.count)
            notes.append(f"AiZynthFinder said nothing about {len(lost)} molecules (see aizynth_why): {often}")
    return RoutesResult(rows, notes)


def _row(number: int, molecule: Molecule) -> dict[str, Any]:
    return {"id": molecule.id or f"row {number}", "smiles": molecule.smiles}
