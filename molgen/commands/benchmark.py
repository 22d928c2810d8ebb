"""`molgen benchmark guacamol|pmo`: the public goal-directed suites with any strategy and model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from molgen import api
from molgen.commands import output as out

if TYPE_CHECKING:
    from molgen.api import BenchmarkResult

app = typer.Typer(no_args_is_help=True, help="Public benchmarks: GuacaMol (20 tasks) and PMO (23 tasks).")

Tasks = Annotated[
    list[str] | None,
    typer.Option("--task", metavar="TASK", help="Only this task (repeatable, or with commas); default: all."),
]
Optimizer = Annotated[str, typer.Option(help="Strategy: reinforce, random, or one of a plug-in.")]
Model = Annotated[str, typer.Option(help="A shipped model (molgen models list) or a folder.")]
Budget = Annotated[int, typer.Option(min=1, help="Distinct valid molecules scored per task.")]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same molecules.")]
Folder = Annotated[
    Path, typer.Option("--output", "-o", metavar="FOLDER", help="Each task becomes a run folder in it.")
]


@app.command("guacamol")
def guacamol(
    output: Folder,
    tasks: Tasks = None,
    optimizer: Optimizer = "reinforce",
    model: Model = "druglike",
    budget: Budget = 10_000,
    seed: Seed = 1,
    changes: out.Set = None,
    overwrite: out.Overwrite = False,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
) -> None:
    """The 20 goal-directed tasks of GuacaMol v2. The same command goes on after an interruption."""
    result = api.benchmark(
        "guacamol",
        output,
        tasks=_split(tasks),
        optimizer=optimizer,
        model=model,
        budget=budget,
        seed=seed,
        overrides=changes or [],
        overwrite=overwrite,
        quiet=quiet,
    )
    _show(result, as_json, quiet)


@app.command("pmo")
def pmo(
    output: Folder,
    tasks: Tasks = None,
    optimizer: Optimizer = "reinforce",
    model: Model = "druglike",
    budget: Budget = 10_000,
    seed: Seed = 1,
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
    result = api.benchmark(
        "pmo",
        output,
        tasks=_split(tasks),
        optimizer=optimizer,
        model=model,
        budget=budget,
        seed=seed,
        version=tdc,
        inverted_deco_hop=inverted_deco_hop,
        overrides=changes or [],
        overwrite=overwrite,
        quiet=quiet,
    )
    _show(result, as_json, quiet)


def _split(tasks: list[str] | None) -> list[str]:
    return [part.strip() for text in tasks or [] for part in text.split(",") if part.strip()]


def _show(result: BenchmarkResult, as_json: bool, quiet: bool) -> None:
    if as_json:
        out.print_json({**result.to_dict(), "files": result.files})
        return
    out.print_table(result.table())
    for note in result.notes():
        typer.echo(note)
    out.say(f"written: {', '.join(str(path) for path in result.files.values())}", quiet)
