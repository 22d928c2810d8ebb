"""Can it be made from my blocks: the share of a molecule that comes from the shelf, and the route as evidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from molgen.chem.reactions import choose
from molgen.core.errors import ConfigError, DataError, Problem
from molgen.run.files import sha256_file
from molgen.scoring.list_params import BlocksParams
from molgen.scoring.protocol import Context, Scored
from molgen.scoring.registry import SCORERS
from molgen.scoring.synthesizability.search import Route, find_route
from molgen.scoring.synthesizability.stock import inline, open_stock

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule


class BuildingBlocks:
    """Share of the heavy atoms that blocks of the user bring in, in the best way of at most two reactions; 1: all."""

    unit = ""

    def __init__(self, name: str, params: BlocksParams, base_dir: Path) -> None:
        self.name, self.params, self.base_dir = name, params, base_dir
        self.cost = SCORERS[name].cost
        self.files: dict[str, str] = {}
        self._reactions = choose(params.without)
        if params.file is None:
            self._stock = inline(params.references)
        else:
            path = (base_dir / Path(params.file).expanduser()).resolve()
            self._stock = open_stock(path, params.id_column)
            self.files[str(path)] = sha256_file(path)

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Score a list; the notes are the routes."""
        routes = [self.route(mol) for mol in mols]
        values = np.array([route.share for route in routes], dtype=np.float64)
        return Scored(values, notes={i: str(route) for i, route in enumerate(routes)})

    def route(self, mol: Molecule) -> Route:
        """The best way to one molecule."""
        return find_route(mol.mol, self._stock, self._reactions, self.params.max_steps)

    def evidence(self, mols: Sequence[Molecule]) -> dict[str, list[int | str | None]]:
        """Columns ``steps`` (None: no complete way) and ``route`` (reactions and ids of blocks)."""
        routes = [self.route(mol) for mol in mols]
        return {
            "steps": [None if route.steps is None else len(route.steps) for route in routes],
            "route": [None if route.steps is None else str(route) for route in routes],
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.params, self.base_dir)


def build(name: str, params: BlocksParams, context: Context) -> BuildingBlocks:
    """See :class:`BuildingBlocks`. Raises ConfigError with keys relative to the parameters."""
    try:
        choose(params.without)
    except ConfigError as error:
        raise ConfigError([Problem("without", problem.message) for problem in error.problems]) from error
    try:
        return BuildingBlocks(name, params, context.base_dir)
    except DataError as error:
        key = "references" if params.file is None else "file"
        raise ConfigError([Problem(key, str(error))]) from error
