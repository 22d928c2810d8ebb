"""`molgen new`, `molgen check`, `molgen doctor`: before the work."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from molgen import api
from molgen.commands import output as out
from molgen.core.errors import ConfigError


def new(
    recipe: Annotated[str | None, typer.Argument(help="A recipe of `molgen new --list`.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: standard output.")
    ] = None,
    list_all: Annotated[bool, typer.Option("--list", help="Show the recipes and the scorers.")] = False,
    short: Annotated[
        bool, typer.Option("--short", help="Leave out the settings that keep their defaults.")
    ] = False,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
    overwrite: out.Overwrite = False,
) -> None:
    """Write a commented starter configuration."""
    if list_all:
        found = {"recipes": api.recipes_list(), "scorers": api.scorers_list()}
        if as_json:
            out.print_json(found)
            return
        for title, entries in found.items():
            typer.echo(f"{title}:")
            out.print_table([{"": f"  {name}", " ": words} for name, words in entries.items()])
        return
    if recipe is None:
        raise ConfigError(f"which recipe? There are: {', '.join(api.recipes_list())}", "molgen new")
    text = api.new(recipe, "short" if short else "full")
    if output is None or str(output) == "-":
        typer.echo(text, nl=False)
        return
    if output.exists() and not overwrite:
        raise ConfigError(f"{output} exists; add --overwrite to replace it, or choose another name", "output")
    from molgen.run.files import write_atomic

    write_atomic(output, text)
    out.say(f"{output} written; next: molgen check {output}", quiet)


def check(
    config: Annotated[Path, typer.Argument(help="A run configuration or an objective (YAML).")],
    changes: out.Set = None,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
) -> None:
    """Find every mistake before any work. The scorers are tried on three molecules."""
    report = api.check(config, changes or [])
    if as_json:
        out.print_json(
            {"source": report.source, "kind": report.kind, "notes": report.notes, "trial": report.trial}
        )
        return
    for note in report.notes:
        out.say(f"note: {note}", quiet)
    out.print_table(report.trial)
    out.say(f"{report.source}: no problems found ({report.kind})", quiet)


def doctor(as_json: out.Json = False) -> None:
    """Examine installation and machine. Each problem comes with the line that cures it."""
    report = api.doctor()
    if as_json:
        out.print_json(report.to_dict())
    else:
        typer.echo(str(report))
    raise typer.Exit(0 if report.usable else 1)
