"""Scoring, optimization, and going on with what was interrupted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from molgen.api.source import Config, source

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule
    from molgen.core.schema import ObjectiveConfig
    from molgen.workflows.optimize import OptimizeResult
    from molgen.workflows.score import ScoreResult
    from molgen.workflows.train import TrainResult


def score(
    molecules: str | Path | Sequence[str | Molecule],
    objective: Config | ObjectiveConfig,
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
    """Score a file (a path, "-" for standard input) or a list of SMILES with an objective.

    ``objective``: an objective file, a run configuration, or a run folder. ``policy``: default, that of the
    configuration. ``everything``: also values that the loop skips because a filter has already rejected the
    molecule; totals are the same. ``evidence``: also the further columns of scorers that have some (interval,
    nearest compound ...). ``hazards`` False: nothing is withheld by the hazard screen, and the notes say so. Raises
    ConfigError, DataError, ScorerError.
    """
    from molgen.workflows.score import score as score_molecules

    return score_molecules(
        molecules,
        objective,
        smiles_column=smiles_column,
        id_column=id_column,
        policy=policy,
        workers=workers,
        everything=everything,
        evidence=evidence,
        hazards=hazards,
        quiet=quiet,
    )


def optimize(
    config: Config,
    out: Path | str | None = None,
    *,
    overrides: Sequence[str] = (),
    overwrite: bool = False,
    quiet: bool = False,
    keep_partial: bool = True,
) -> OptimizeResult:
    """Search for molecules that score well; everything is kept in the run folder ``out`` (default: runs/NAME).

    The configuration is checked completely first. ``keep_partial``: an interruption returns what there is (the run
    can be resumed all the same); otherwise it raises Interrupted. Raises ConfigError before anything is written.
    """
    from molgen.run.progress import say
    from molgen.workflows.check import check_for
    from molgen.workflows.optimize import start

    report = check_for("optimize", source(config), overrides)
    folder = Path(out) if out is not None else Path("runs") / report.loaded.config.name
    if not quiet:
        say(f"run folder: {folder}; after an interruption go on with: molgen resume {folder}")
    return start(
        report.loaded,
        folder,
        overwrite=overwrite,
        quiet=quiet,
        keep_partial=keep_partial,
        objective=report.objective,
    )


def demo(
    out: Path | str = "demo-run",
    *,
    overrides: Sequence[str] = (),
    overwrite: bool = False,
    quiet: bool = False,
) -> OptimizeResult:
    """The main job on the recipe ``denovo``: new molecules that fit a property profile, in some minutes."""
    from molgen import recipes as starters

    values = starters.get("denovo").values | {"name": "demo"}
    return optimize(values, out, overrides=overrides, overwrite=overwrite, quiet=quiet, keep_partial=False)


def resume(
    run: Path | str,
    *,
    feedback: Path | str | None = None,
    out: Path | str | None = None,
    preference_weight: float | None = None,
    overrides: Sequence[str] = (),
    quiet: bool = False,
    keep_partial: bool = True,
) -> OptimizeResult | TrainResult:
    """Go on with an interrupted or killed search or training; the result is that of an undisturbed run.

    ``feedback``: a table with candidates (structures or their ids) and a column ``like`` or new measurements: the
    search goes on in a next round, the run folder ``out`` (default: RUN-round2 beside it), and learns from it. The
    same call goes on with that round after an interruption. ``preference_weight``: of the likes; default: a third of
    the mean. ``overrides``: changes of the round's configuration (``budget.molecules=500``).

    Raises RunError if there is no run, ConfigError if an input is not the same any more, DataError for the table.
    """
    from molgen.core.errors import ConfigError, RunError
    from molgen.run.folder import RunFolder

    folder = RunFolder.open(Path(run))
    if feedback is not None:
        if folder.kind != "optimize":
            raise ConfigError(
                f"is a run of `molgen {folder.kind}`; only a search learns from feedback", str(run)
            )
        from molgen.workflows.rounds import next_round

        folder = next_round(
            folder, Path(feedback), out=None if out is None else Path(out), weight=preference_weight,
            overrides=overrides, quiet=quiet,
        )  # fmt: skip
    elif out is not None or preference_weight is not None or overrides:
        raise ConfigError(
            "a folder, a weight and changes are for the next round; add the table with --feedback", str(run)
        )
    if folder.kind == "train":
        from molgen.workflows import train as trainings

        return trainings.resume(folder, quiet=quiet)
    if folder.kind == "optimize":
        from molgen.workflows import optimize as searches

        return searches.resume(folder, quiet=quiet, keep_partial=keep_partial)
    raise RunError(f"{run} is a run of kind {folder.kind!r}, which cannot be resumed")
