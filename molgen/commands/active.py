"""`molgen measure`: which molecules to measure next, as a table to fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from molgen import api
from molgen.commands import output as out


def measure(
    source: Annotated[
        Path,
        typer.Argument(metavar="RUN_OR_FILE", help="A run with a component qsar, or a list (with --model)."),
    ],
    n: Annotated[int, typer.Option("-n", min=1, help="Molecules to measure.")] = 24,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="NAME_OR_FOLDER", help="Of a run: its component; of a list: the model's folder."
        ),
    ] = None,
    rule: Annotated[
        str,
        typer.Option(
            help="improvement: what could beat the best; knowledge: what tells most about the rest."
        ),
    ] = "improvement",
    pool: Annotated[int, typer.Option(min=1, help="Best molecules of the run among which to choose.")] = 500,
    output: out.OutFile = None,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
    overwrite: out.Overwrite = False,
) -> None:
    """Choose what to measure next. The filled-in table is what `molgen resume RUN --feedback` learns from."""
    out.check_target(output, overwrite)
    result = api.measure(source, n, model=model, rule=rule, pool=pool)
    for note in result.notes:
        out.say(f"note: {note}", quiet)
    out.write_frame(result.to_frame(), output, as_json=as_json, quiet=quiet)
    out.say(result.caption(), quiet)
