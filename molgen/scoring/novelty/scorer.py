"""Novelty against a list of the user's as a scorer: the level as a number, the entry and the reason as evidence."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from molgen.chem.alerts import compile_all
from molgen.chem.identity import identify
from molgen.core.errors import ConfigError, DataError, Problem
from molgen.data.sdf import Row
from molgen.run.files import sha256_file
from molgen.scoring.list_params import NoveltyParams
from molgen.scoring.novelty.inchikeys import compare_keys
from molgen.scoring.novelty.index import make_index, open_index
from molgen.scoring.novelty.levels import RANK, Verdict, compare
from molgen.scoring.novelty.lists import KnownList
from molgen.scoring.protocol import Context, Scored
from molgen.scoring.registry import SCORERS

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule


class Novelty:
    """Level at which the list knows a molecule: 0 exact, 1 same compound, 2 same skeleton, 3 near, 4 core, 5 clear."""

    unit = "level"

    def __init__(self, name: str, params: NoveltyParams, base_dir: Path) -> None:
        self.name, self.params, self.base_dir = name, params, base_dir
        self.cost = SCORERS[name].cost
        self.files: dict[str, str] = {}
        self._cores = compile_all(params.cores)
        if params.file is None:
            self._index = make_index(_inline(params.references))
        else:
            path = (base_dir / Path(params.file).expanduser()).resolve()
            self._index = open_index(path, smiles_column=params.smiles_column, id_column=params.id_column)
            self.files[str(path)] = sha256_file(path)

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Score a list; the notes name the entry of the list and the reason."""
        verdicts = self.verdicts(mols)
        values = np.array([float(RANK.get(v.level, np.nan)) for v in verdicts], dtype=np.float64)
        errors = {i: v.why for i, v in enumerate(verdicts) if v.level not in RANK}
        notes = {
            i: f"{v.level}: {v.match} ({v.why})" if v.match else v.level
            for i, v in enumerate(verdicts)
            if v.level in RANK and v.level != "clear"
        }
        return Scored(values, errors, notes)

    def verdicts(self, mols: Sequence[Molecule]) -> list[Verdict]:
        """Level, entry and reason of each."""
        texts = [mol.smiles for mol in mols]
        found = identify(texts)
        if self._index.kind == "inchikey":
            return compare_keys(self._index, texts, found, self._cores)
        return compare(self._index, found, self._cores)

    def evidence(self, mols: Sequence[Molecule]) -> dict[str, list[str | float | None]]:
        """Columns ``level``, ``match`` (id of the entry), ``why``, ``tanimoto`` (of near ones)."""
        verdicts = self.verdicts(mols)
        return {
            "level": [v.level for v in verdicts],
            "match": [v.match or None for v in verdicts],
            "why": [v.why for v in verdicts],
            "tanimoto": [v.tanimoto for v in verdicts],
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.name, self.params, self.base_dir)


def _inline(references: list[str] | dict[str, str]) -> KnownList:
    items = references.items() if isinstance(references, dict) else ((text, text) for text in references)
    rows = [Row(line, text, name) for line, (name, text) in enumerate(items, 1)]
    return KnownList("references", "smiles", iter(rows), [])


def build(name: str, params: NoveltyParams, context: Context) -> Novelty:
    """See :class:`Novelty`. Raises ConfigError with keys relative to the parameters."""
    try:
        compile_all(params.cores)
    except ConfigError as error:
        raise ConfigError([Problem("cores", problem.message) for problem in error.problems]) from error
    try:
        return Novelty(name, params, context.base_dir)
    except DataError as error:
        key = "references" if params.file is None else "file"
        raise ConfigError([Problem(key, str(error))]) from error
