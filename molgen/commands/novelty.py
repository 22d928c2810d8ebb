"""`molgen novelty`: whether a list of the user's knows the molecules of a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from molgen import api
from molgen.commands import output as out


def novelty(
    file: Annotated[str, typer.Argument(help="Molecules to look up; '-': standard input.")],
    against: Annotated[
        Path, typer.Option(metavar="LIST", help="Known compounds: structures, or InChIKeys only.")
    ],
    core: Annotated[
        list[str] | None, typer.Option(metavar="SMARTS", help="A core to look for; may be given again.")
    ] = None,
    output: out.OutFile = None,
    patents: Annotated[
        bool,
        typer.Option(
            "--patents", help="Also say whether scaffold and skeleton were seen in patents (SureChEMBL)."
        ),
    ] = False,
    smiles_column: out.SmilesColumn = None,
    id_column: out.IdColumn = None,
    against_smiles_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column with the structures of the list.")
    ] = None,
    against_id_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="Column with the ids of the list.")
    ] = None,
    no_hazard_screen: Annotated[
        bool, typer.Option("--no-hazard-screen", help="Do not withhold hazardous structures; this is said.")
    ] = False,
    workers: out.Workers = 1,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
    overwrite: out.Overwrite = False,
) -> None:
    """Compare molecules with a list: exact, same compound, same skeleton, near, core, clear. Offline."""
    out.check_target(output, overwrite)
    target = None if output is None or str(output) == "-" else output
    result = api.novelty(
        file,
        against,
        cores=core or [],
        out=target,
        patents=patents,
        smiles_column=smiles_column,
        id_column=id_column,
        against_smiles_column=against_smiles_column,
        against_id_column=against_id_column,
        hazards=not no_hazard_screen,
        workers=workers,
        quiet=quiet,
    )
    if target is None:
        out.write_frame(result.to_frame(), None, as_json=as_json, quiet=quiet)
    for note in result.notes:
        out.say(f"note: {note}", quiet)
    out.say(result.caption(), quiet)
