"""Ranking again what was scored before, by other weights, curves or choices, without scoring anything again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molgen.core import config as configs
from molgen.core.errors import ConfigError, MolgenError, RunError
from molgen.core.schema import DataConfig, ObjectiveConfig, OptimizeConfig, OutputConfig
from molgen.optimize.deliver import assemble
from molgen.optimize.memory import Memory
from molgen.optimize.protocol import Delivery
from molgen.optimize.session import read_compounds
from molgen.report import write_results
from molgen.report.frame import MoleculeFrame
from molgen.run.folder import RunFolder
from molgen.run.manifest import collect
from molgen.scoring.objective import Objective, build_objective
from molgen.workflows.rescore import (
    Part,
    from_file,
    from_run,
    parts_of_objective,
    rescore,
    with_weights,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RankResult(MoleculeFrame):
    """Ranked molecules, best first, and the files they are in."""

    path: Path
    delivery: Delivery
    files: Mapping[str, Path]

    @property
    def shortfall(self) -> int:
        """How many fewer molecules were delivered than asked."""
        return self.delivery.shortfall

    def to_frame(self) -> pd.DataFrame:
        """One row per molecule, in rank order, with the columns of ``candidates.csv``."""
        import pandas as pd

        return pd.DataFrame(self.delivery.candidates)

    def caption(self) -> str:
        """How many, and where the files are."""
        return f"{len(self.delivery.candidates)} molecules ranked, in {self.path}"


@dataclass(frozen=True)
class _Results:
    results: Path


def rank(
    source: str | Path,
    out: str | Path | None = None,
    *,
    weights: Mapping[str, float] | None = None,
    objective: Path | str | Mapping[str, Any] | None = None,
    aggregate: str | None = None,
    output: Mapping[str, Any] | None = None,
    references: str | Path | None = None,
    smiles_column: str | None = None,
    id_column: str | None = None,
    policy: str | None = None,
    evidence: bool = True,
    overwrite: bool = False,
    quiet: bool = False,
) -> RankResult:
    """Rank a run or a scored file again; see :func:`molgen.api.rank`."""
    source = Path(source)
    target = Path(out) if out is not None else _default_target(source)
    if target.exists() and any(target.iterdir() if target.is_dir() else [target]) and not overwrite:
        raise RunError(f"{target} exists already; choose another folder with -o, or add --overwrite")
    config = None
    if source.is_dir():
        folder = RunFolder.open(source)
        if folder.kind != "optimize":
            raise ConfigError(
                f"is a run of `molgen {folder.kind}`; only a search has ranked molecules", str(source)
            )
        config = configs.load(folder.config_path, OptimizeConfig).config
        pool, base_dir = from_run(folder, config), Path(folder.manifest.get("base_dir", "."))
    else:
        pool = from_file(
            source, smiles_column, id_column, policy or "default", needs_curves=objective is None
        )
        base_dir = Path.cwd()
    wanted, objective_dir = _objective(objective)
    how = (
        aggregate or (wanted or (config and config.objective) or ObjectiveConfig.model_construct()).aggregate
    )
    parts = pool.parts if wanted is None else parts_of_objective(wanted, pool, str(objective))
    parts = with_weights(parts, weights or {})
    chosen = _output(config, output or {})
    entries, lost = rescore(pool.entries, parts, how)
    seeds = read_compounds(config.seeds if config else None, base_dir)
    named = DataConfig(path=str(references)) if references else config.output.references if config else None  # type: ignore[call-arg]
    compared = read_compounds(named, Path.cwd() if references else base_dir)
    told, notes = _open(wanted or (config.objective if config and evidence else None), objective_dir or base_dir,
                        pool.policy, evidence)  # fmt: skip
    if (
        told is not None and not seeds and not compared
    ):  # as in a run: what the objective compares with is known
        compared = [mol for c in told.components for mol in getattr(c.scorer, "references", ())]
    try:
        delivery = assemble(
            config.name if config else source.stem,
            Memory(entries),
            chosen,
            policy=pool.policy,
            aggregate=how,
            components=_described(parts, told),
            inputs=[*seeds, *compared],
            references=compared or seeds,
            ask=None
            if told is None
            else lambda mols, known: told.evidence(mols, known=known, explain=chosen.explain),
            history=pool.history,
            settings={
                "source": str(source),
                "aggregate": how,
                "output": chosen.model_dump(mode="json"),
                "weights": {p.name: p.weight for p in parts if p.role == "score"},
            },
            manifest=collect(seed=config.seed if config else 0, inputs={"source": pool.path}),
            before=[f"Ranked again from {source}; nothing was scored again.", *pool.notes, *lost],
            after=notes,
        )
    finally:
        if told is not None:
            told.close()
    pool.complete(delivery.candidates)
    files = write_results(_Results(target), delivery, stereoisomers=chosen.stereoisomers)
    return RankResult(target, delivery, files)


def _default_target(source: Path) -> Path:
    return (
        source / "ranked" if source.is_dir() else source.with_name(f"{source.name.partition('.')[0]}-ranked")
    )


def _objective(
    objective: Path | str | Mapping[str, Any] | None,
) -> tuple[ObjectiveConfig | None, Path | None]:
    if objective is None:
        return None, None
    from molgen.workflows.score import load_objective

    config, base_dir, _ = load_objective(objective)
    return config, base_dir


def _output(config: OptimizeConfig | None, changes: Mapping[str, Any]) -> OutputConfig:
    """The output section of the run, or the defaults, with changes; raises ConfigError."""
    kept = {key: value for key, value in changes.items() if value is not None}
    before = config.output.model_dump() if config else {}
    return configs.load({**before, **kept}, OutputConfig).config


def _open(
    config: ObjectiveConfig | None, base_dir: Path, policy: str, evidence: bool
) -> tuple[Objective | None, list[str]]:
    """The objective, for units, words and evidence; where it cannot be built here, a note instead."""
    if config is None or not evidence:
        return None, []
    try:
        return build_objective(config, base_dir=base_dir, policy=policy), []
    except MolgenError as error:
        return None, [f"Without evidence of the scorers, which cannot be built here: {error}"]


def _described(parts: Sequence[Part], told: Objective | None) -> list[dict[str, Any]]:
    """The components as a delivery lists them: words and units of the scorers, weights and curves of this ranking."""
    known = {row["name"]: row for row in told.describe()} if told is not None else {}
    rows = []
    for part in parts:
        row: dict[str, Any] = {
            "name": part.name,
            "use": part.use,
            "unit": part.unit,
            "summary": part.summary,
            "transform": None,
        }
        row |= known.get(part.name, {})
        row |= {"role": part.role, "weight": part.weight}
        if part.curve is not None:
            row["transform"] = part.curve.config.model_dump(exclude_none=True)
        rows.append(row)
    return rows
