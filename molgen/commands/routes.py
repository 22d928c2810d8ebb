"""`molgen routes`: how the molecules of a file can be made."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from molgen import api
from molgen.commands import output as out


def routes(
    file: Annotated[str, typer.Argument(help="Molecules, best first, such as candidates.csv of a run.")],
    blocks: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your building blocks: look for two known reactions.")
    ] = None,
    without: Annotated[
        list[str] | None, typer.Option(metavar="REACTION", help="A reaction you do not run; may be repeated.")
    ] = None,
    aizynthcli: Annotated[
        str | None, typer.Option(metavar="PATH", help="AiZynthFinder's program, in its own environment.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Configuration of AiZynthFinder.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="AiZynthFinder: time limit per molecule.")] = 120.0,
    top: Annotated[int, typer.Option(help="Look at this many molecules.")] = 50,
    no_hazard_screen: Annotated[
        bool, typer.Option("--no-hazard-screen", help="Do not withhold hazardous structures; this is said.")
    ] = False,
    output: out.OutFile = None,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
    overwrite: out.Overwrite = False,
) -> None:
    """Find ways to make molecules, from your own blocks or with a retrosynthesis program."""
    out.check_target(output, overwrite)
    result = api.routes(
        file,
        blocks=blocks,
        without=without or [],
        aizynthcli=aizynthcli,
        config=config,
        seconds=seconds,
        top=top,
        hazards=not no_hazard_screen,
        quiet=quiet,
    )
    out.write_frame(result.to_frame(), output, as_json=as_json, quiet=quiet)
    for note in result.notes:
        out.say(f"note: {note}", quiet)
    out.say(result.caption(), quiet)
