"""Scoring a file of molecules with an objective: the same code path as inside the optimization loop."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rdkit import Chem

from molgen.chem.hazard import Screen
from molgen.chem.molecule import Molecule, Rejected
from molgen.core.errors import ConfigError
from molgen.core.schema import ObjectiveConfig
from molgen.data.reader import Table, read
from molgen.report.frame import MoleculeFrame
from molgen.run.interrupt import stop_signals
from molgen.run.progress import Progress
from molgen.scoring.evidence import Evidence
from molgen.scoring.objective import build_objective
from molgen.workflows.check import load_any

if TYPE_CHECKING:
    import pandas as pd

    from molgen.core.config import Loaded
    from molgen.scoring.table import ScoreTable


@dataclass(frozen=True)
class ScoreResult(MoleculeFrame):
    """Scores of the usable molecules in the order of the input, and the rows that could not be used."""

    molecules: list[Molecule]
    table: ScoreTable
    rejected: list[Rejected] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    evidence: Evidence = field(default_factory=Evidence)

    def to_frame(self) -> pd.DataFrame:
        """Columns ``id``, ``smiles``, ``total``, ``passed``, ``reason``, for each component its value, desirability,
        contribution and evidence, then the input's own."""
        return self.table.to_frame(self.molecules, self.evidence)

    def rejected_frame(self) -> pd.DataFrame:
        """The unusable rows: ``file``, ``line``, ``text``, ``why`` (a code) and ``detail`` (words)."""
        import pandas as pd

        names = ("file", "line", "text", "why", "detail")
        return pd.DataFrame(
            [[getattr(row, name) for name in names] for row in self.rejected], columns=list(names)
        )

    def caption(self) -> str:
        """How many were scored, passed and rejected."""
        passed = int(self.table.passed.sum())
        scored, rejected = len(self.molecules), len(self.rejected)
        return f"{scored} molecules scored, {passed} passed the filters, {rejected} rows rejected"


def score(
    molecules: str | Path | Sequence[str | Molecule],
    objective: Path | str | Mapping[str, Any] | ObjectiveConfig,
    *,
    smiles_column: str | None = None,
    id_column: str | None = None,
    policy: str | None = None,
    workers: int = 1,
    everything: bool = True,
    evidence: bool = True,
    hazards: bool = True,
    quiet: bool = False,
) -> ScoreResult:
    """Score a file ("-": standard input), SMILES or molecules; see :func:`molgen.api.score`."""
    config, base_dir, own_policy = load_objective(objective)
    policy = policy or own_policy
    with build_objective(
        config, base_dir=base_dir, policy=policy, workers=workers
    ) as built:  # problems come first
        table = _molecules(molecules, smiles_column, id_column, policy, workers, quiet)
        screen = Screen(on=hazards)
        _withhold(table, screen)
        distinct = len(set(table.molecules))
        with Progress(distinct, "molecules", "scoring", quiet=quiet) as bar, stop_signals() as stop:
            scores = built(
                table.molecules, everything=everything, stop=lambda: stop.requested, progress=bar.advance
            )
            told = Evidence()
            if evidence:
                told = built.evidence(table.molecules, known=scores.raw, stop=lambda: stop.requested)
    notes = [*table.notes, *screen.notes(), *built.warnings, *scores.warnings, *told.notes]
    return ScoreResult(table.molecules, scores, table.rejected, notes, told)


def load_objective(
    objective: Path | str | Mapping[str, Any] | ObjectiveConfig,
) -> tuple[ObjectiveConfig, Path, str]:
    """The objective, the folder its relative paths start from, and the policy it is meant for.

    A file can be an objective or a whole run configuration, also the ``run.yaml`` inside a run folder.
    """
    if isinstance(objective, ObjectiveConfig):
        return objective, Path.cwd(), "default"
    if isinstance(objective, str) and "\n" not in objective:
        objective = Path(objective)
    if isinstance(objective, Path) and objective.is_dir():
        objective = objective / "run.yaml"
    kind, loaded = load_any(objective)
    if kind == "train":
        raise ConfigError("trains a model; there is no objective in it", loaded.source)
    if kind == "objective":
        return loaded.config, loaded.base_dir, "default"
    return loaded.config.objective, _original_base(loaded), loaded.config.policy


def _withhold(table: Table, screen: Screen) -> None:
    """Move what the hazard screen withholds from the molecules to the rejected rows, without its structure."""
    kept = []
    for molecule in table.molecules:
        hazard = screen.withholds(
            Chem.MolFromSmiles(molecule.smiles)
        )  # not kept: a million would fill the memory
        if hazard is None:
            kept.append(molecule)
        else:
            name = f"id {molecule.id}" if molecule.id else ""
            table.rejected.append(Rejected(0, name, "withheld", f"hazard screen: {hazard}", table.path))
    table.molecules = kept


def _original_base(loaded: Loaded[Any]) -> Path:
    """Where the paths of a run's ``run.yaml`` start: the folder of the file it was made from."""
    manifest = loaded.base_dir / "manifest.json"
    if loaded.path is not None and loaded.path.name == "run.yaml" and manifest.is_file():
        base = json.loads(manifest.read_text(encoding="utf-8")).get("base_dir")
        if base and Path(base).is_dir():
            return Path(base)
    return loaded.base_dir


def _molecules(
    source: str | Path | Sequence[str | Molecule],
    smiles_column: str | None,
    id_column: str | None,
    policy: str,
    workers: int,
    quiet: bool,
) -> Table:
    if isinstance(source, (str, Path)):
        with Progress(None, "rows", "reading", quiet=quiet) as bar:
            return read(
                source,
                smiles_column=smiles_column,
                id_column=id_column,
                policy=policy,
                workers=workers,
                progress=bar.advance,
            )
    from molgen.chem.molecule import parse_all

    texts = [item.smiles if isinstance(item, Molecule) else item for item in source]
    parsed = parse_all(texts, policy)
    ok = [
        Molecule(new.smiles, policy, old.id, old.data) if isinstance(old := source[k], Molecule) else new
        for k, new in zip(parsed.index, parsed.ok, strict=True)
    ]
    return Table("", ok, parsed.rejected, [], "smiles", None, len(texts), "", policy)
