"""The scorer ``preference``: the chance that the chemist who judged some molecules would like this one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from molgen.chem.fingerprints import morgan, tanimoto
from molgen.chem.molecule import Molecule as Standard
from molgen.chem.molecule import parse_all
from molgen.core.errors import ConfigError, DataError, Problem
from molgen.data.reader import read
from molgen.run.files import sha256_file
from molgen.scoring.list_params import PreferenceParams
from molgen.scoring.preference.process import PreferenceProcess
from molgen.scoring.preference.verdicts import LIKE_COLUMN, parse_verdict
from molgen.scoring.protocol import Context, Scored

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule


class Preference:
    """Chance of a like, 0..1; 0.5 for what is unlike everything that was judged."""

    unit = ""
    cost = 2e-4

    def __init__(
        self,
        name: str,
        examples: Sequence[Molecule],
        liked: Sequence[bool],
        files: dict[str, str] | None = None,
    ) -> None:
        self.name, self.examples, self.liked = name, list(examples), list(liked)
        self.files = files or {}
        self._prints = morgan([mol.mol for mol in self.examples])
        self._process = PreferenceProcess(
            tanimoto(self._prints, self._prints), np.array(self.liked, dtype=bool)
        )
        likes = sum(self.liked)
        self.summary = (
            f"chance that you like it, learned from {likes} likes and {len(self.liked) - likes} dislikes"
        )

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Score a list; the notes name the judged molecule that is most alike."""
        near = self._near(mols)
        values = np.array([self._process.chance(row) for row in near], dtype=np.float64)
        notes = {i: f"most like {self._label(int(row.argmax()))}" for i, row in enumerate(near)}
        return Scored(values, notes=notes)

    def evidence(self, mols: Sequence[Molecule]) -> dict[str, list[Any]]:
        """The judged molecule that is most alike, the verdict on it, and how alike it is."""
        near = self._near(mols)
        best = [int(row.argmax()) for row in near]
        return {
            "nearest": [self.examples[k].id or self.examples[k].smiles for k in best],
            "nearest_verdict": ["liked" if self.liked[k] else "disliked" for k in best],
            "nearest_similarity": [round(float(row[k]), 4) for row, k in zip(near, best, strict=True)],
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return Preference, (self.name, self.examples, self.liked, self.files)

    def _near(self, mols: Sequence[Molecule]) -> np.ndarray:
        return tanimoto(morgan([mol.mol for mol in mols]), self._prints)

    def _label(self, k: int) -> str:
        verdict = "liked" if self.liked[k] else "disliked"
        return f"{self.examples[k].id or self.examples[k].smiles} ({verdict})"


def build(name: str, params: PreferenceParams, context: Context) -> Preference:
    """Read the examples; raises ConfigError at the key of what is wrong with them."""
    if params.file is not None:
        path = (context.base_dir / Path(params.file).expanduser()).resolve()
        try:
            found, verdicts = _from_file(path, context.policy)
        except DataError as error:
            raise ConfigError([Problem("file", str(error))], name) from error
        return Preference(name, found, verdicts, {str(path): sha256_file(path)})
    found, verdicts = [], []
    for key, texts, liked in (("likes", params.likes, True), ("dislikes", params.dislikes, False)):
        parsed = parse_all(texts, context.policy)
        if parsed.rejected:
            bad = parsed.rejected[0]
            raise ConfigError([Problem(f"{key}[{bad.line - 1}]", f"{bad.text!r}: {bad.detail}")], name)
        found += parsed.ok
        verdicts += [liked] * len(parsed.ok)
    return Preference(name, *_distinct(found, verdicts, name))


def _from_file(path: Path, policy: str) -> tuple[list[Standard], list[bool]]:
    """Molecules and verdicts of a table with structures and a column ``like``. Raises DataError."""
    table = read(path, policy=policy)
    if LIKE_COLUMN not in table.columns:
        raise DataError(f"{path}: no column {LIKE_COLUMN!r}; it says yes or no for each structure")
    if table.rejected:
        bad = table.rejected[0]
        raise DataError(
            f"{path}, line {bad.line}: {bad.why}: {bad.detail}; correct the structure or remove the row"
        )
    judged = [(mol, parse_verdict(mol.data.get(LIKE_COLUMN))) for mol in table.molecules]
    known = [(mol, liked) for mol, liked in judged if liked is not None]
    if not known:
        raise DataError(f"{path}: column {LIKE_COLUMN!r} has no verdict; write yes or no")
    return [mol for mol, _ in known], [bool(liked) for _, liked in known]


def _distinct(
    found: Sequence[Standard], verdicts: Sequence[bool], name: str
) -> tuple[list[Standard], list[bool]]:
    """Each structure once; raises ConfigError where one is liked and disliked."""
    told: dict[str, tuple[Standard, bool]] = {}
    for mol, liked in zip(found, verdicts, strict=True):
        if told.setdefault(mol.smiles, (mol, liked))[1] != liked:
            raise ConfigError([Problem("dislikes", f"{mol.smiles} is liked and disliked")], name)
    return [mol for mol, _ in told.values()], [liked for _, liked in told.values()]
