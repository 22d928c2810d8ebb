"""`molgen data ...`: public sets by name, the user's own files, and preparing either for training."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from molgen import api
from molgen.commands import output as out

app = typer.Typer(no_args_is_help=True, help="Public data sets by name, and your own files.")


@app.command("list")
def list_data(as_json: out.Json = False) -> None:
    """The data sets that have a name, with source and license."""
    entries = api.data_list()
    if as_json:
        out.print_json([asdict(entry) for entry in entries])
        return
    out.print_table(
        [
            {"name": e.name, "rows": e.rows or None, "license": e.license, "title": e.title, "from": e.origin}
            for e in entries
        ]
    )


@app.command("fetch")
def fetch(
    names: Annotated[list[str], typer.Argument(help="Names of `molgen data list`.")],
    source: Annotated[
        Path | None, typer.Option(help="A file brought here by hand, for places without network.")
    ] = None,
    dest: Annotated[Path | None, typer.Option(help="Write it to this file instead of the cache.")] = None,
    quiet: out.Quiet = False,
) -> None:
    """Bring data sets here, checked by SHA-256: the only command that uses the network."""
    for name in names:
        path = api.data_fetch(name, dest=dest, source=source, progress=lambda text: out.say(text, quiet))
        typer.echo(str(path))


@app.command("import")
def import_data(
    name: Annotated[str, typer.Argument(help="The name that configurations will use.")],
    file: Annotated[Path, typer.Argument(help="CSV, TSV, SMI, SDF (also .gz), Parquet or XLSX.")],
    smiles_column: out.SmilesColumn = None,
    title: Annotated[str, typer.Option(help="What it is.")] = "",
    overwrite: out.Overwrite = False,
    quiet: out.Quiet = False,
) -> None:
    """Keep a checked copy of your own file under a name."""
    table = api.data_import(name, file, smiles_column=smiles_column, title=title, overwrite=overwrite)
    for note in table.notes:
        out.say(f"note: {note}", quiet)
    out.say(f"{name}: {table.summary()}", quiet)


@app.command("prepare")
def prepare(
    files: Annotated[list[str], typer.Argument(help="Files, or names of `molgen data list`.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="The .smi.gz that is written.")
    ],
    policy: out.Policy = "default",
    smiles_column: out.SmilesColumn = None,
    workers: out.Workers = 1,
    overwrite: out.Overwrite = False,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
) -> None:
    """Standardize and deduplicate files of any size, with a report and the rejected rows beside the result."""
    result = api.data_prepare(
        files,
        output,
        policy=policy,
        smiles_column=smiles_column,
        workers=workers,
        overwrite=overwrite,
        quiet=quiet,
    )
    if as_json:
        out.print_json(asdict(result))
    else:
        typer.echo(result.summary())
