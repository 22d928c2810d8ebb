"""`molgen benchmark guacamol|pmo`: the public goal-directed suites with any strategy and model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from molgen import api
from molgen.commands import output as out
from molgen.core.errors import ConfigError
from molgen.core.schema import DEFAULT_STRATEGY

if TYPE_CHECKING:
    from molgen.api import BenchmarkResult, BoardResult

app = typer.Typer(no_args_is_help=True, help="Public benchmarks: GuacaMol (20 tasks) and PMO (23 tasks).")

Tasks = Annotated[
    list[str] | None,
    typer.Option("--task", metavar="TASK", help="Only this task (repeatable, or with commas); default: all."),
]
Optimizer = Annotated[
    str, typer.Option(help="Strategy: hybrid, reinforce, genetic, random ... (docs/optimizers.md)")
]
Model = Annotated[
    str,
    typer.Option(help="A shipped model (molgen models list) or a folder; league A needs zinc250k or moses."),
]
Budget = Annotated[int, typer.Option(min=1, help="Distinct valid molecules scored per task.")]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same molecules.")]
Queue = Annotated[
    bool,
    typer.Option("--queue", help="Tasks times --seeds, a process for each run; the same command goes on."),
]
Seeds = Annotated[
    str, typer.Option(help="With --queue: seeds, with commas; all tasks of the first come first.")
]
Workers = Annotated[int, typer.Option(min=1, help="With --queue: processes at a time.")]
SoFar = Annotated[
    bool,
    typer.Option("--so-far", help="Run nothing: judge the runs in the folder, as if they all stopped now."),
]
Folder = Annotated[
    Path, typer.Option("--output", "-o", metavar="FOLDER", help="Each task becomes a run folder in it.")
]


@app.command("guacamol")
def guacamol(
    output: Folder,
    tasks: Tasks = None,
    optimizer: Optimizer = DEFAULT_STRATEGY,
    model: Model = "zinc250k",
    budget: Budget = 10_000,
    seed: Seed = 1,
    queue: Queue = False,
    seeds: Seeds = "1,2,3",
    workers: Workers = 1,
    so_far: SoFar = False,
    changes: out.Set = None,
    overwrite: out.Overwrite = False,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
) -> None:
    """The 20 goal-directed tasks of GuacaMol v2. The same command goes on after an interruption."""
    if so_far:
        _refuse_more(queue, overwrite, changes)
        _show(api.benchmark_so_far("guacamol", output, tasks=_split(tasks)), as_json, quiet)
        return
    options: dict[str, Any] = {
        "tasks": _split(tasks),
        "optimizer": optimizer,
        "model": model,
        "budget": budget,
    }
    options |= {"overrides": changes or [], "quiet": quiet}
    _run("guacamol", output, options, seed, _numbers(seeds) if queue else None, workers, overwrite, as_json)


@app.command("pmo")
def pmo(
    output: Folder,
    tasks: Tasks = None,
    optimizer: Optimizer = DEFAULT_STRATEGY,
    model: Model = "zinc250k",
    budget: Budget = 10_000,
    seed: Seed = 1,
    queue: Queue = False,
    seeds: Seeds = "1,2,3",
    workers: Workers = 1,
    so_far: SoFar = False,
    tdc: Annotated[
        Literal["1.1.14", "0.3.6"], typer.Option(help="Oracles of which TDC; 0.3.6: as in PMO's own tables.")
    ] = "1.1.14",
    inverted_deco_hop: Annotated[
        bool,
        typer.Option(
            "--inverted-deco-hop", help="deco_hop as TDC gives it after scaffold_hop ran before it."
        ),
    ] = False,
    changes: out.Set = None,
    overwrite: out.Overwrite = False,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
) -> None:
    """The 23 tasks of PMO: area under the top-10 curve. The same command goes on after an interruption."""
    if so_far:
        _refuse_more(queue, overwrite, changes)
        found = api.benchmark_so_far(
            "pmo", output, version=tdc, inverted_deco_hop=inverted_deco_hop, tasks=_split(tasks)
        )
        _show(found, as_json, quiet)
        return
    options: dict[str, Any] = {
        "tasks": _split(tasks),
        "optimizer": optimizer,
        "model": model,
        "budget": budget,
    }
    options |= {"overrides": changes or [], "quiet": quiet}
    options |= {"version": tdc, "inverted_deco_hop": inverted_deco_hop}
    _run("pmo", output, options, seed, _numbers(seeds) if queue else None, workers, overwrite, as_json)


def _refuse_more(queue: bool, overwrite: bool, changes: list[str] | None) -> None:
    """What says how to run does not go with running nothing."""
    told = {"--queue": queue, "--overwrite": overwrite, "--set": bool(changes)}
    if given := [name for name, is_given in told.items() if is_given]:
        raise ConfigError(f"--so-far runs nothing: leave out {', '.join(given)}", "--so-far")


def _run(
    suite: Literal["guacamol", "pmo"],
    output: Path,
    options: dict[str, Any],
    seed: int,
    seeds: list[int] | None,
    workers: int,
    overwrite: bool,
    as_json: bool,
) -> None:
    """One seed in this process, or a queue."""
    quiet = options["quiet"]
    if seeds is None:
        result = api.benchmark(suite, output, seed=seed, overwrite=overwrite, **options)
        _show(result, as_json, quiet)
        return
    if overwrite:
        raise ConfigError("--overwrite does not go with --queue: choose another -o", "--overwrite")
    _show(api.benchmark_queue(suite, output, seeds=seeds, workers=workers, **options), as_json, quiet)


def _numbers(text: str) -> list[int]:
    try:
        return [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise ConfigError(
            f"{text!r} is no list of seeds; write for example --seeds 1,2,3", "--seeds"
        ) from None


def _split(tasks: list[str] | None) -> list[str]:
    return [part.strip() for text in tasks or [] for part in text.split(",") if part.strip()]


def _show(result: BenchmarkResult | BoardResult, as_json: bool, quiet: bool) -> None:
    if as_json:
        out.print_json({**result.to_dict(), "files": result.files})
        return
    out.print_table(result.table())
    for note in result.notes():
        typer.echo(note)
    if result.files:
        out.say(f"written: {', '.join(str(path) for path in result.files.values())}", quiet)
