"""An optimization run from its folder to its results: start, resume, deliver, track."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import molgen.models
from molgen.core import config as configs
from molgen.core.errors import ConfigError, Interrupted, Problem
from molgen.core.schema import OptimizeConfig
from molgen.learn.store import ancestry
from molgen.models.registry import locate, save
from molgen.optimize.loop import Search
from molgen.optimize.protocol import Delivery, Proposal
from molgen.optimize.session import (
    Inputs,
    build_search,
    create_folder,
    deliver,
    open_inputs,
    seed_proposals,
)
from molgen.report import write_results
from molgen.report.frame import MoleculeFrame
from molgen.report.summary import score_rise
from molgen.run.files import short_names
from molgen.run.folder import RunFolder
from molgen.run.interrupt import Stop, stop_signals
from molgen.run.progress import Progress
from molgen.run.tracker import open_tracker
from molgen.scoring.cache import ScoreCache
from molgen.scoring.objective import Objective
from molgen.scoring.protocol import Scorer
from molgen.workflows.capability import search_without
from molgen.workflows.rounds import first_proposals, known_of

if TYPE_CHECKING:
    import pandas as pd

# logged as a script; importing it would import MLflow
_PYFUNC = Path(molgen.models.__file__).parent / "pyfunc_generator.py"

#: Scorers that a benchmark hands in: runs with them go on through its command.
ORACLES = frozenset({"guacamol_oracle", "pmo_oracle"})


@dataclass(frozen=True)
class OptimizeResult(MoleculeFrame):
    """What a run delivered: ``candidates`` best first, where its files are, and whether it was interrupted."""

    path: Path
    delivery: Delivery
    files: Mapping[str, Path]
    interrupted: str = ""
    kind: Literal["optimize"] = "optimize"

    def progress(self) -> str:
        """How the mean score developed, in a sentence."""
        rise = score_rise(self.delivery)
        if rise is None:
            return "Too few steps to say how the mean score developed."
        verb = "rose" if rise.gain >= 0 else "fell"
        steps = (f"{rise.steps} steps" if rise.steps > 1 else "step") + (
            " of the last stage" if rise.staged else ""
        )
        return (
            f"The mean score {verb} by {abs(rise.gain):.2f}: {rise.first:.2f} in the first {steps}, "
            f"{rise.last:.2f} in the last."
        )

    @property
    def shortfall(self) -> int:
        """How many fewer molecules were delivered than asked."""
        return self.delivery.shortfall

    def to_frame(self) -> pd.DataFrame:
        """One row per candidate, in rank order, with the columns of ``results/candidates.csv``."""
        import pandas as pd

        return pd.DataFrame(self.delivery.candidates)

    def caption(self) -> str:
        """Where the files are."""
        state = f" (interrupted by {self.interrupted}; go on with molgen resume)" if self.interrupted else ""
        return f"{len(self.delivery.candidates)} candidates in {self.path}{state}"


def start(
    loaded: configs.Loaded[OptimizeConfig],
    out: Path,
    *,
    overwrite: bool = False,
    quiet: bool = False,
    keep_partial: bool = False,
    handed_in: Mapping[str, Scorer] | None = None,
    objective: Objective | None = None,
    stop: Stop | None = None,
) -> OptimizeResult:
    """Create the run folder ``out`` and search. With ``keep_partial`` an interruption returns what there is.

    ``handed_in``: scorers that the registry does not know, by the ``use`` of their component; a resume needs them too.
    ``stop``: the caller's, where it catches the stop signals for several runs.
    ``objective``: the one that a check has built already, closed at the end.

    Raises ConfigError before anything is written, RunError for the folder, Interrupted after saving.
    """
    config, base_dir = loaded.config, loaded.base_dir
    # Finds every problem of the inputs before anything is written.
    with open_inputs(config, base_dir, handed_in, objective) as inputs:
        folder = create_folder(
            config, out, base_dir, inputs.objective, stages=inputs.stages, overwrite=overwrite
        )
        for judge in (inputs.objective, *inputs.stages):
            keep_code(folder, judge)
        return _drive(folder, config, inputs, stop, quiet=quiet, keep_partial=keep_partial)


def resume(
    folder: RunFolder,
    *,
    quiet: bool = False,
    keep_partial: bool = False,
    handed_in: Mapping[str, Scorer] | None = None,
    stop: Stop | None = None,
) -> OptimizeResult:
    """Go on with a run from its last checkpoint, or deliver again if it was done.

    Raises ConfigError if an input, a model or the objective is not the same any more.
    """
    config = configs.load(folder.config_path, OptimizeConfig).config
    if handed_in is None and any(part.use in ORACLES for part in config.objective.components):
        command = " ".join(["molgen", *folder.manifest.get("argv", [])[1:]])
        raise ConfigError(
            f"is part of a benchmark; go on with the command that started it: {command}", folder.name
        )
    with open_inputs(config, Path(folder.manifest["base_dir"]), handed_in) as inputs:
        return _drive(folder, config, inputs, stop, quiet=quiet, keep_partial=keep_partial)


def _drive(
    folder: RunFolder,
    config: OptimizeConfig,
    inputs: Inputs,
    stopper: Stop | None,
    *,
    quiet: bool,
    keep_partial: bool,
) -> OptimizeResult:
    folder.quiet = quiet
    objective, seeds, references = inputs.objective, inputs.seeds, inputs.references
    catching = stop_signals() if stopper is None else nullcontext(stopper)
    with catching as stop, folder.lock(), ScoreCache(folder.path / "scores.jsonl") as cache:
        written = [folder.manifest["objective"], *folder.manifest.get("stages", [])]
        for number, judge in enumerate((objective, *inputs.stages)):
            _same_objective(
                folder, judge, written[number], f"stages[{number - 1}]" if number else "objective"
            )
            judge.keep_in(cache)
        tracker = open_tracker(config.tracking, folder)
        search = build_search(config, folder, objective, tracker, stop, inputs.stages)
        search.restore()
        lost = cache.lost
        folder.update_manifest(status="running", calls_paid_again=lost)
        if search.step:
            again = f", {lost} calls in flight were lost and are paid again" if lost else ""
            folder.log(f"going on after step {search.step} ({search.memory.calls} molecules scored{again})")
        elif lacking := search_without(config):
            folder.log(lacking)
        tracker.start(folder, config.model_dump(mode="json"))
        try:
            interrupted = _search(search, first_proposals(folder) or seed_proposals(seeds), quiet)
            if interrupted and not keep_partial:
                folder.update_manifest(status="interrupted", calls=search.memory.calls)
                tracker.finish("interrupted")
                raise Interrupted(interrupted, f"molgen resume {folder.path}")
            notes = [*folder.manifest.get("round", {}).get("words", []), *objective.warnings]
            if lost:
                notes += [f"{lost} scoring calls were in flight when the run was killed and were paid again."]
            delivery = deliver(search, seeds, references, notes, known_of(folder, config.policy))
            files = write_results(folder, delivery, config=config)
            if model := _keep_model(folder, search):
                tracker.log_model(model, _PYFUNC, {"n": 100, "seed": 1, "temperature": 1.0})
        except Interrupted:
            raise
        except BaseException:
            folder.update_manifest(status="failed", calls=search.memory.calls)
            tracker.finish("failed")
            raise
        folder.update_manifest(status="interrupted" if interrupted else "done", calls=search.memory.calls)
        tracker.finish("interrupted" if interrupted else "done")
    return OptimizeResult(folder.path, delivery, files, interrupted)


def _search(search: Search, first: Sequence[Proposal], quiet: bool) -> str:
    """Run the search with a progress bar; the name of the signal that interrupted it, or ""."""
    budget = search.config.budget.molecules
    with Progress(budget - search.memory.calls, "molecules", "optimizing", quiet=quiet) as bar:
        start = search.memory.calls

        def show(row: Mapping[str, float]) -> None:
            shown = int(row["calls"]) - start - bar.count  # what the batch has not told already
            bar.advance(
                shown, step=search.step, mean=row["mean_score"], best=row["best_score"], valid=row["valid"]
            )

        def in_flight(done: int, asked: int, more: int) -> None:
            bar.advance(more, step=f"{search.step + 1} ({done} of {asked} scored)")

        search.on_scored = in_flight
        try:
            reason = search.run(first, show)
        except Interrupted as signal:
            return signal.signal_name
    search.folder.log(f"done: {reason}")
    return ""


def keep_code(folder: RunFolder, objective: Objective) -> None:
    """Copy the user's own scorer files into the run, so that it can be understood and repeated later."""
    for name, path in short_names(objective.user_files).items():
        target = folder.path / "code" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def _same_objective(folder: RunFolder, objective: Objective, written: str, key: str) -> None:
    if objective.fingerprint != written:
        raise ConfigError(
            [
                Problem(
                    key,
                    f"is not the one that this run was started with (sha256 {objective.fingerprint[:12]}... now, "
                    f"{written[:12]}... then): a scorer's file, its code or RDKit has changed; the run's own copy "
                    f"is in {folder.path / 'code'}. Put it back, or start a new run",
                )
            ],
            folder.config_path.name,
        )


def _keep_model(folder: RunFolder, search: Search) -> Path | None:
    """Store what the search has taught the model as a model folder of its own: ``molgen sample RUN/model``."""
    taught = search.optimizer.model()
    if taught is None:
        return None
    target = folder.path / "model"
    shutil.rmtree(target, ignore_errors=True)
    card = {
        "name": f"{search.config.name}-agent",
        "lineage": {
            **ancestry(search.config.model, locate(search.config.model), set()),
            "run": folder.uid,
            "steps": search.step,
        },
        "data": "taught by the objective of the run; see run.yaml",
    }
    return save(taught, target, card)
