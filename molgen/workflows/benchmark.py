"""A benchmark from its tasks to its table: each task is an optimization run of its own, done in turn, resumable."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from molgen.benchmark import guacamol, pmo
from molgen.benchmark.league import League, decide, labeled_by
from molgen.benchmark.oracle import OracleScorer, Suite
from molgen.benchmark.result import BenchmarkResult, TaskResult, judge
from molgen.core import config as configs
from molgen.core.errors import ConfigError, DataError, Interrupted, ModelError
from molgen.core.schema import DEFAULT_STRATEGY, OptimizeConfig
from molgen.data.catalog import is_fetched
from molgen.learn.store import read_card
from molgen.models.registry import locate
from molgen.optimize.registry import strategy
from molgen.optimize.session import read_compounds
from molgen.run.files import write_atomic, write_json
from molgen.run.folder import RunFolder
from molgen.run.interrupt import Stop, stop_signals
from molgen.run.progress import say
from molgen.workflows import optimize

#: Statuses of ledger rows that are calls to the oracle.
COUNTED = frozenset({"scored", "filtered", "failed"})


def benchmark(
    suite: Suite,
    out: Path,
    *,
    tasks: Sequence[str] = (),
    optimizer: str = DEFAULT_STRATEGY,
    model: str = "zinc250k",
    budget: int = 10_000,
    seed: int = 1,
    overrides: Sequence[str] = (),
    overwrite: bool = False,
    quiet: bool = False,
) -> BenchmarkResult:
    """Run the chosen tasks of a suite (default: all) into ``out``/TASK and write the table to ``out``.

    Tasks that are done are only read again, an interrupted one goes on where it stopped: the same call continues a
    benchmark. The table is written after each task, and holds every finished task of the folder that was run with these
    settings, whichever call ran it. ``overrides`` ("optimizer.params.sigma=500") change all tasks alike. Raises
    ConfigError, DataError and ModelError before any work, Interrupted after saving.
    """
    out, chosen = Path(out), suite.tasks(tasks)
    make = partial(task_config, suite, optimizer, model, budget, seed, overrides)
    loaded = {task: make(task) for task in chosen}
    check_folder(out, loaded, overwrite)
    results = {}
    if not overwrite:
        results = finished(suite, out, {task: make(task) for task in suite.tasks()})
        if results and not quiet:
            left = len([task for task in chosen if task not in results])
            say(f"{out}: done before: {', '.join(results)}; {left} of {len(chosen)} tasks to do")
    config = next(iter(loaded.values())).config
    settings: dict[str, Any] = {"budget": config.budget.molecules, "seed": config.seed, "model": config.model}
    settings |= {"optimizer": config.optimizer.model_dump(mode="json"), "batch_size": config.batch_size}
    with stop_signals() as stop:
        for number, task in enumerate(chosen, 1):
            if task in results:
                continue
            try:
                stop.raise_if_requested()  # a signal that came while results were written
                if not quiet:
                    say(f"[{number}/{len(chosen)}] {task}")
                _run(suite, task, loaded[task], out / task, stop, overwrite=overwrite, quiet=quiet)
            except Interrupted as stopped:
                raise Interrupted(stopped.signal_name, _hint(out, chosen, results)) from stopped
            results[task] = read_task(suite, task, out / task)
            _table(out, suite, settings, chosen, results)
    return _table(out, suite, settings, chosen, results)


def read_task(
    suite: Suite, task: str, path: Path, used: Suite | None = None, *, every: int = 1
) -> TaskResult:
    """Judge a run by its ledger.

    ``used``: the suite whose oracle it asked, where that is another with the same one. ``every``: molecules beyond a
    multiple of it are left out. Of a run that is not done the labels after the last molecule of the ledger do not
    decide its league: they are of steps that are in flight, or to be told again.
    """
    folder = RunFolder.open(path)
    config = configs.load(folder.config_path, OptimizeConfig).config
    scored: list[tuple[str, float]] = []
    counts = {"invalid": 0, "duplicate": 0}
    for row in folder.ledger.rows():
        if row["status"] in COUNTED:
            value = row["values"].get(task)
            scored.append((row["smiles"], math.nan if value is None else float(value)))
        elif row["status"] in counts:
            counts[row["status"]] += 1
    league = _league(used or suite, task, folder, config, {smiles for smiles, _ in scored})
    scored = scored[: len(scored) // every * every]
    return judge(suite, task, scored, budget=config.budget.molecules, league=league, **counts)


def finished(
    suite: Suite, out: Path, loaded: Mapping[str, configs.Loaded[OptimizeConfig]]
) -> dict[str, TaskResult]:
    """The tasks in the folder that are done, by the same settings."""
    found = {}
    for task, wanted in loaded.items():
        if not (out / task / "manifest.json").is_file():
            continue
        folder = RunFolder.open(out / task)
        if folder.status == "done" and _same(folder, wanted):
            found[task] = read_task(suite, task, out / task)
    return found


def _same(folder: RunFolder, wanted: configs.Loaded[OptimizeConfig]) -> bool:
    return folder.config_path.read_text(encoding="utf-8") == configs.dump(wanted.config)


def _hint(out: Path, chosen: Sequence[str], results: Mapping[str, TaskResult]) -> str:
    done = sum(task in results for task in chosen)
    table = f", their table is {out / 'results.csv'}" if done else ""
    return f"the same command ({done} of {len(chosen)} tasks are done{table})"


def task_config(
    suite: Suite,
    optimizer: str,
    model: str,
    budget: int,
    seed: int,
    overrides: Sequence[str],
    task: str,
) -> configs.Loaded[OptimizeConfig]:
    """The run of one task. Structures are taken as they are: the protocols count canonical strings, salts and all."""
    delivered = max(guacamol.TASKS[task].top) if suite.name == "guacamol" else 100
    flags = {"version": suite.version, "inverted_deco_hop": suite.inverted_deco_hop}
    values: dict[str, Any] = {
        "name": f"{suite.name}-{task}",
        "seed": seed,
        "model": model,
        "policy": "none",
        "objective": {
            "components": [
                {"use": f"{suite.name}_oracle", "name": task, "params": flags if suite.name == "pmo" else {}}
            ]
        },
        "optimizer": {"name": optimizer},
        "diversity": None,
        "budget": {"molecules": budget},
        "output": {"n": max(100, delivered)},
        "tracking": {"mlflow": False},
    }
    return configs.load(values, OptimizeConfig, overrides)


def check_folder(
    out: Path, loaded: Mapping[str, configs.Loaded[OptimizeConfig]], overwrite: bool = False
) -> None:
    """Everything that can be wrong, before the first run."""
    config = next(iter(loaded.values())).config
    strategy(config.optimizer.name, config.optimizer.params)
    locate(config.model)
    read_compounds(config.seeds, Path.cwd())
    missing = [task for task in loaded if task in pmo.CLASSIFIERS and not is_fetched(task)]
    if missing:
        raise DataError(
            f"the oracles {', '.join(missing)} need their arrays; get them with: molgen data fetch "
            f"{' '.join(missing)}; or choose other tasks with --task"
        )
    if out.exists() and not out.is_dir():
        raise ConfigError(f"{out} is a file, not a folder; choose another output folder", "output")
    for task, wanted in loaded.items():
        if overwrite or not (out / task / "manifest.json").is_file():
            continue
        if not _same(RunFolder.open(out / task), wanted):
            raise ConfigError(
                f"{out / task} was started with other settings (model, optimizer, budget, seed ...); "
                "give the same ones to go on, another -o, or --overwrite",
                "output",
            )


def _run(
    suite: Suite,
    task: str,
    loaded: configs.Loaded[OptimizeConfig],
    path: Path,
    stop: Stop,
    *,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Start the run of a task, or go on with it."""
    oracle = {f"{suite.name}_oracle": OracleScorer(suite, task)}
    if overwrite or not (path / "manifest.json").is_file():
        optimize.start(loaded, path, overwrite=overwrite, quiet=quiet, handed_in=oracle, stop=stop)
        return
    optimize.resume(RunFolder.open(path), quiet=quiet, handed_in=oracle, stop=stop)


def _league(suite: Suite, task: str, folder: RunFolder, config: OptimizeConfig, counted: set[str]) -> League:
    labeled = labeled_by(folder.path / "scores.jsonl", suite.fingerprint(task))
    while folder.status != "done" and labeled and labeled[-1] not in counted:
        labeled.pop()
    seeds = read_compounds(config.seeds, Path(folder.manifest["base_dir"]))
    return decide(counted, labeled, _cards(config.model), any(task in seed.data for seed in seeds))


def _cards(model: str) -> list[dict[str, Any]]:
    """The card of a model and, as far as they can be found, of those it was made from."""
    cards: list[dict[str, Any]] = []
    name: str | None = model
    while name and len(cards) < 10:
        try:
            cards.append(read_card(locate(name)))
        except ModelError:
            break
        name = (cards[-1].get("lineage") or {}).get("base")
    return cards


def _table(
    out: Path,
    suite: Suite,
    settings: dict[str, Any],
    chosen: Sequence[str],
    results: Mapping[str, TaskResult],
) -> BenchmarkResult:
    """Write ``results.json`` and ``results.csv`` of what is done, in the order of the suite."""
    rows = [results[task] for task in suite.tasks() if task in results]
    missing = [task for task in chosen if task not in results]
    files = {"json": out / "results.json", "csv": out / "results.csv"}
    result, frame = BenchmarkResult(out, suite, settings, rows, files), io.StringIO()
    result.to_frame().to_csv(frame, index=False, lineterminator="\n")
    write_json(files["json"], json.loads(json.dumps(result.to_dict() | {"missing": missing})))
    write_atomic(files["csv"], frame.getvalue())
    return result
