"""What the runs of a benchmark have by now, finished or not: each figure is a lower bound of what they will have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from molgen.benchmark.board import BoardResult, Finished
from molgen.benchmark.oracle import TASKS, Suite
from molgen.benchmark.protocol import EVERY
from molgen.core import config as configs
from molgen.core.errors import DataError
from molgen.core.schema import OptimizeConfig
from molgen.run.folder import RunFolder
from molgen.workflows.benchmark import read_task
from molgen.workflows.benchmark_queue import judged

#: What is a run's own, or does not change what it finds.
_OF_A_RUN = {"name", "seed", "objective", "output", "tracking"}
#: Where runs lie in the folder of a queue, of a benchmark of one seed, or of one task.
_PLACES = ("seed-*/*/manifest.json", "*/manifest.json", "manifest.json")


def so_far(suite: Suite, out: Path, *, tasks: Sequence[str] = ()) -> BoardResult:
    """Judge every run in a folder as if it stopped now; nothing is run or written.

    PMO holds the last ten best of a run that stops early, and the best of a run only become better, so going on
    cannot make a figure smaller, if the molecules after the last point of its curve (one every 100 calls) are left
    out; a run that has not come to the first point is not judged. GuacaMol and PMO (TDC 1.1.14) have 18 functions in
    common: a run of the one is judged by the other's rule as well. Of two runs with the same task and seed the longer
    one counts. Raises DataError where there is no run, or where runs have different settings.
    """
    out, chosen = Path(out), suite.tasks(tasks)
    if not out.is_dir():
        raise DataError(f"{out}: no such folder")
    found: dict[tuple[str, int], Finished] = {}
    unfinished: dict[tuple[str, int], str] = {}
    settings: dict[str, Any] = {}
    first = Path()
    for folder, config, used, task in _runs(out):
        if task not in chosen or not _same_function(suite, used, task):
            continue
        own = config.model_dump(mode="json", exclude=_OF_A_RUN)
        if settings and own != settings:
            differ = ", ".join(name for name in own if own[name] != settings[name])
            raise DataError(f"{first} and {folder.path} differ in {differ}; ask about one of them at a time")
        settings, first = own, first if settings else folder.path
        key, done = (task, config.seed), folder.status == "done"
        result = read_task(suite, task, folder.path, used, every=1 if done else EVERY)
        if not result.calls or (key in found and found[key].result.calls >= result.calls):
            continue
        found[key] = judged(config.seed, result, folder.path)
        unfinished.pop(key, None)
        if not done:
            unfinished[key] = f"seed-{config.seed}/{task}"
    if not found:
        others = sorted({used.describe() for _, _, used, _ in _runs(out)} - {suite.describe()})
        cure = f"there are runs of {'; '.join(others)}" if others else "give the folder of a benchmark"
        raise DataError(f"{out}: no run of {suite.describe()} in it that has made {EVERY} calls; {cure}")
    runs = [found[key] for key in sorted(found)]
    seeds = sorted({seed for _, seed in found})
    shown = {name: settings[name] for name in ("model", "optimizer", "batch_size")}
    shown["budget"] = settings["budget"]["molecules"]
    about = suite.describe()
    return BoardResult(out, about, shown, chosen, seeds, runs, unfinished=list(unfinished.values()))


def _runs(out: Path) -> Iterator[tuple[RunFolder, OptimizeConfig, Suite, str]]:
    for manifest in sorted(path for place in _PLACES for path in out.glob(place)):
        if not (manifest.parent / "ledger.jsonl").is_file():
            continue
        folder = RunFolder.open(manifest.parent)
        if folder.kind != "optimize":
            continue
        config = configs.load(folder.config_path, OptimizeConfig).config
        component = config.objective.components[0] if config.objective.components else None
        name = component.use.removesuffix("_oracle") if component else ""
        if component is not None and component.name and name in TASKS:
            yield folder, config, Suite(name, **component.params), component.name  # type: ignore[arg-type]


def _same_function(suite: Suite, used: Suite, task: str) -> bool:
    """Whether what the run was told is what the suite asks about."""
    if suite == used:
        return True
    current = all(s.name == "guacamol" or s == Suite("pmo") for s in (suite, used))
    return current and suite.name != used.name and task in TASKS[used.name]
