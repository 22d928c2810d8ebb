"""A benchmark as a queue of runs, tasks times seeds: one process each, interrupted and continued at any point.

A task's run is the ordinary command for one task and one seed in a process of its own, so that nothing of one run
can reach another, and its folder is an ordinary run folder. The table grows with each run that ends.
"""

from __future__ import annotations

import io
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from molgen.benchmark.board import BoardResult, Finished, settings_of, variety
from molgen.benchmark.oracle import Suite
from molgen.benchmark.result import TaskResult
from molgen.core.errors import ConfigError, Interrupted, RunError
from molgen.core.schema import DEFAULT_STRATEGY
from molgen.run.files import write_atomic, write_json
from molgen.run.folder import RunFolder
from molgen.run.interrupt import Stop, stop_signals
from molgen.run.lock import RunLock
from molgen.run.progress import Progress, say
from molgen.workflows.benchmark import COUNTED, check_folder, finished, task_config

_LOOK = 1.0  # seconds between two looks at the processes
_SAVED = (75, 130)  # exit codes of a process that was stopped and has saved
_TAIL = 65_536  # bytes at the end of a ledger in which its last line lies

#: How a process for one run is started: (arguments of `molgen`, log file) -> process.
Spawn = Callable[[list[str], Path], "subprocess.Popen[bytes]"]


@dataclass
class Job:
    """One run of the queue."""

    task: str
    seed: int
    folder: Path
    log: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        """As its folder is called."""
        return f"seed-{self.seed}/{self.task}"


def queue(
    suite: Suite,
    out: Path,
    *,
    tasks: Sequence[str] = (),
    optimizer: str = DEFAULT_STRATEGY,
    model: str = "zinc250k",
    budget: int = 10_000,
    seeds: Sequence[int] = (1, 2, 3),
    workers: int = 1,
    overrides: Sequence[str] = (),
    quiet: bool = False,
    spawn: Spawn | None = None,
) -> BoardResult:
    """Run tasks times seeds into ``out``/seed-S/TASK, ``workers`` processes at a time; all tasks of a seed first.

    The same call goes on with what an earlier one left, killed or not. ``results.csv`` and ``results.json`` hold what
    is done at any time. A run that fails is named, with its log, and the others go on. Raises ConfigError, DataError,
    ModelError before any work, RunLockedError if another queue has the folder, Interrupted after all processes
    have saved, RunError at the end if runs have failed.
    """
    out, chosen = Path(out), suite.tasks(tasks)
    seeds = list(dict.fromkeys(seeds))
    if not seeds:
        raise ConfigError("no seeds: give at least one", "--seeds")
    make = {seed: partial(task_config, suite, optimizer, model, budget, seed, overrides) for seed in seeds}
    for seed in seeds:
        check_folder(out / f"seed-{seed}", {task: make[seed](task) for task in chosen})
    out.mkdir(parents=True, exist_ok=True)
    config = make[seeds[0]](chosen[0]).config
    settings: dict[str, Any] = {"budget": config.budget.molecules, "model": config.model}
    settings |= {"optimizer": config.optimizer.model_dump(mode="json"), "batch_size": config.batch_size}
    board = BoardResult(out, suite.describe(), settings_of(settings), chosen, seeds, [])
    board.files.update(json=out / "results.json", csv=out / "results.csv")
    arguments = partial(_arguments, suite, out, optimizer, model, budget, overrides)
    with RunLock(out / "queue.lock"), stop_signals() as stop:
        jobs: list[Job] = []
        for seed in seeds:
            home = out / f"seed-{seed}"
            done = finished(suite, home, {task: make[seed](task) for task in chosen})
            board.runs.extend(judged(seed, result, home / task) for task, result in done.items())
            logs = out / "logs"
            logs.mkdir(exist_ok=True)
            jobs += [
                Job(task, seed, home / task, logs / f"seed-{seed}-{task}.log")
                for task in chosen
                if task not in done
            ]
        _write(board)
        if board.runs and not quiet:
            say(f"{out}: {len(board.runs)} runs were done before, {len(jobs)} to do")
        total = len(jobs) * budget
        with Progress(total, "calls", f"{len(jobs)} runs", quiet=quiet) as bar:
            _work(jobs, board, suite, make, workers, stop, bar, arguments, spawn or _spawn)
    if board.failed:
        first = next(job for job in jobs if job.name == board.failed[0])
        raise RunError(
            f"{len(board.failed)} of {len(chosen) * len(seeds)} runs failed: {', '.join(board.failed)}; why is in "
            f"{first.log}; the same command tries them again"
        )
    return board


def _work(
    jobs: list[Job],
    board: BoardResult,
    suite: Suite,
    make: Mapping[int, Callable[[str], Any]],
    workers: int,
    stop: Stop,
    bar: Progress,
    arguments: Callable[[Job], list[str]],
    spawn: Spawn,
) -> None:
    """Keep ``workers`` processes busy until all jobs are done; end them, saving, when a signal comes."""
    waiting, running = list(jobs), list[Job]()
    shown, ended = 0, 0
    with ExitStack() as stack:
        stack.callback(_end, running)
        while (waiting or running) and not stop.requested:
            while waiting and len(running) < workers:
                job = waiting.pop(0)
                job.process = spawn(arguments(job), job.log)
                running.append(job)
            time.sleep(_LOOK)
            for job in [job for job in running if job.process and job.process.poll() is not None]:
                running.remove(job)
                result = finished(suite, job.folder.parent, {job.task: make[job.seed](job.task)}).get(
                    job.task
                )
                if result is None and job.process and job.process.poll() in _SAVED:
                    waiting.append(job)  # somebody has stopped this process alone: it goes on later
                    continue
                if result is None:
                    board.failed.append(job.name)
                    say(f"{job.name} failed; why is in {job.log}")
                else:
                    board.runs.append(judged(job.seed, result, job.folder))
                ended += bar.total // len(jobs) if bar.total else 0
                _write(board)
            now = ended + sum(_calls(job.folder) for job in running)
            names = ", ".join(job.name for job in running)
            bar.advance(max(0, now - shown), done=len(board.runs), running=names or "none")
            shown = max(shown, now)
    if stop.requested:
        hint = f"the same command ({len(board.runs)} runs are done, their table is {board.files['csv']})"
        raise Interrupted(stop.requested, hint)


def _end(running: Sequence[Job]) -> None:
    """Ask the processes to save and stop, and wait for them: each does so within seconds."""
    for job in running:
        if job.process is not None and job.process.poll() is None:
            job.process.terminate()
    for job in running:
        if job.process is not None:
            job.process.wait()


def _spawn(arguments: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as sink:
        return subprocess.Popen(
            [sys.executable, "-m", "molgen", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            start_new_session=True,  # Ctrl-C reaches the queue alone, which then ends its processes once
        )


def _arguments(
    suite: Suite, out: Path, optimizer: str, model: str, budget: int, overrides: Sequence[str], job: Job
) -> list[str]:
    """The ordinary command for one task and one seed."""
    found = [
        "benchmark",
        suite.name,
        "-o",
        str(job.folder.parent),
        "--task",
        job.task,
        "--seed",
        str(job.seed),
    ]
    found += ["--optimizer", optimizer, "--model", model, "--budget", str(budget)]
    for change in overrides:
        found += ["--set", change]
    if suite.name == "pmo":
        found += ["--tdc", suite.version]
        found += ["--inverted-deco-hop"] if suite.inverted_deco_hop else []
    return found


def judged(seed: int, result: TaskResult, folder: Path) -> Finished:
    """A result with the variety of the run's best."""
    rows = (row for row in RunFolder.open(folder).ledger.rows() if row["status"] in COUNTED)
    scored = [(row["smiles"], row["total"]) for row in rows]
    known = [(text, float(v)) for text, v in scored if v is not None and not math.isnan(v)]
    return Finished(seed, result, *variety(known))


def _calls(folder: Path) -> int:
    """How far a run is, by the last step in its metrics."""
    for line in _last_lines(folder / "metrics.jsonl"):
        try:
            return int(json.loads(line)["calls"])
        except (ValueError, KeyError):  # torn, or of the delivery
            continue
    return 0


def _last_lines(path: Path) -> Iterator[bytes]:
    if not path.is_file():
        return
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        yield from reversed(file.read().splitlines())


def _write(board: BoardResult) -> None:
    """The table of what is done."""
    frame = io.StringIO()
    board.to_frame().to_csv(frame, index=False, lineterminator="\n")
    write_json(board.files["json"], json.loads(json.dumps(board.to_dict())))
    write_atomic(board.files["csv"], frame.getvalue())
