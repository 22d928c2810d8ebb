"""The command line: puts the commands together and turns every ending into a message and an exit code.

Exit codes: 0 done, 1 our fault, 2 configuration or usage, 3 data, 4 fewer delivered than asked, 75 interrupted and
resumable, 130 Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import Annotated, Any

import typer

import molgen
from molgen.commands import (
    active,
    benchmark,
    configs,
    data,
    design,
    evaluate,
    filter,
    latent,
    models,
    novelty,
    qsar,
    ranking,
    routes,
)
from molgen.core.errors import MolgenError

#: Usage errors of the command-line library, whatever package it keeps them in.
_UsageError: Any = typer.BadParameter.__mro__[1]

app = typer.Typer(
    name="molgen",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Generative chemistry for drug discovery: from measured compounds to ranked, explained candidates.",
    epilog="Start with: molgen doctor; molgen demo; molgen new denovo -o run.yaml.",
)
_COMMANDS: list[tuple[str, Callable[..., None]]] = [
    ("new", configs.new),
    ("check", configs.check),
    ("doctor", configs.doctor),
    ("demo", design.demo),
    ("train", models.train),
    ("finetune", models.finetune),
    ("sample", models.sample),
    ("encode", latent.encode),
    ("decode", latent.decode),
    ("neighbors", latent.neighbors),
    ("interpolate", latent.interpolate),
    ("steer", latent.steer),
    ("score", design.score),
    ("rank", ranking.rank),
    ("optimize", design.optimize),
    ("evaluate", evaluate.evaluate),
    ("filter", filter.filter_),
    ("novelty", novelty.novelty),
    ("routes", routes.routes),
    ("measure", active.measure),
    ("resume", design.resume),
    ("runs", design.runs),
    ("track", design.track),
]
for _name, _function in _COMMANDS:
    app.command(_name)(_function)
app.add_typer(data.app, name="data")
app.add_typer(models.app, name="models")
app.add_typer(benchmark.app, name="benchmark")
app.add_typer(qsar.app, name="qsar")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"molgen {molgen.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error (before the command).")
    ] = False,
) -> None:
    if debug:
        os.environ["MOLGEN_DEBUG"] = "1"


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the console script: runs the command and exits with its code."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run one command line (default: ``sys.argv``) and return its exit code; never raises, except for bugs in here."""
    debug_before = os.environ.get("MOLGEN_DEBUG")
    try:
        code = app(args=arguments, standalone_mode=False)
        sys.stdout.flush()
        if code == 130:  # the command-line library has turned KeyboardInterrupt into this
            raise KeyboardInterrupt
        return code if isinstance(code, int) else 0
    except _UsageError as error:
        error.show()
        return int(error.exit_code)
    except MolgenError as error:
        if _debugging():
            traceback.print_exc()
        typer.echo(f"molgen: {error}", err=True)
        return error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        typer.echo("molgen: stopped by Ctrl-C", err=True)
        return 130
    except SystemExit as error:
        if isinstance(error.__context__, BrokenPipeError):  # the library's own answer to a closed pipe
            return 0
        return error.code if isinstance(error.code, int) else 1
    except BrokenPipeError:
        # Whoever read our output has seen enough (`molgen sample ... | head`); that is no fault.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (
        Exception
    ) as error:  # the last resort: whatever is left is a fault of ours, and the user must see no trace
        typer.echo(f"molgen: internal error: {type(error).__name__}: {error}", err=True)
        typer.echo(_keep_traceback(), err=True)
        return 1
    finally:
        if debug_before is None:
            os.environ.pop("MOLGEN_DEBUG", None)


def _debugging() -> bool:
    return bool(os.environ.get("MOLGEN_DEBUG"))


def _keep_traceback() -> str:
    """Write the traceback to a file, or show it with ``--debug``; where it is, in words."""
    if _debugging():
        return traceback.format_exc()
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="molgen-error-", suffix=".txt", delete=False, encoding="utf-8"
        ) as file:
            file.write(
                f"molgen {molgen.__version__}, Python {sys.version}\n{sys.argv}\n\n{traceback.format_exc()}"
            )
    except OSError:
        return traceback.format_exc()
    return f"This is a fault of molgen, not yours. Please report it with the file {file.name}"
