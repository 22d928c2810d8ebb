"""`molgen evaluate`: what a list of molecules from any generator is worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from molgen import api
from molgen.commands import output as out

if TYPE_CHECKING:
    from molgen.api import Evaluation

_COLUMNS = ("suite", "name", "value", "low", "high", "floor", "n")


def evaluate(
    file: Annotated[
        str, typer.Argument(help="CSV, TSV, SMI, SDF (also .gz), Parquet or XLSX; '-': standard input.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help="Folder for page, CSV and JSON; default: only printed."
        ),
    ] = None,
    suite: Annotated[
        list[str] | None,
        typer.Option(help="moses, guacamol, general, audit or all (repeatable, or with commas)."),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE", help="moses, druglike, a data set, a file or none; default: druglike."
        ),
    ] = None,
    training: Annotated[
        str | None,
        typer.Option(metavar="NAME|FILE", help="What the generator learned from; default: the reference's."),
    ] = None,
    n: Annotated[
        int | None, typer.Option("-n", min=1, help="Use the first N strings; default: 30,000.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(help="Also look into this model: nats per molecule, latent space."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = 1,
    smiles_column: out.SmilesColumn = None,
    workers: out.Workers = 1,
    track: Annotated[bool, typer.Option("--track", help="Also log to MLflow; needs --output.")] = False,
    overwrite: out.Overwrite = False,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
) -> None:
    """Evaluate a list of molecules from any tool. Strings are taken raw: invalid ones count."""
    if track and output is None:
        raise typer.BadParameter("--track logs a folder; name one with --output", param_hint="--track")
    result = api.evaluate(
        file,
        output,
        suites=suite or ["all"],
        model=model,
        reference=reference,
        training=training,
        n=n,
        seed=seed,
        smiles_column=smiles_column,
        workers=workers,
        track=track,
        overwrite=overwrite,
        quiet=quiet,
    )
    for warning in result.warnings:
        out.say(f"note: {warning}", quiet)
    if as_json:
        out.print_json(result.to_dict())
    else:
        _show(result, output)


def _show(result: Evaluation, output: Path | None) -> None:
    out.print_table(result.rows(), columns=_COLUMNS)
    if result.funnel is not None:
        typer.echo("funnel: " + " -> ".join(f"{step.name} {step.kept:,}" for step in result.funnel.steps))
    for verdict in result.verdicts:
        typer.echo(f"VERDICT: {verdict.words}")
    if result.no_verdict:
        typer.echo(result.no_verdict)
    seconds = ", ".join(f"{stage} {value:.0f}" for stage, value in result.seconds.items() if value >= 0.5)
    if seconds:
        typer.echo(f"CPU-seconds: {seconds}")
    if output is not None:
        typer.echo(f"look at {output / 'results' / 'report.html'}")
