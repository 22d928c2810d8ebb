"""Shared by all commands: options that mean the same everywhere, and writing of tables and messages."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from molgen.core.errors import ConfigError
from molgen.core.suggest import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="No progress and no messages, only data and errors.")
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what an earlier command wrote there.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a key: --set budget.molecules=200, --set objective.components.qed.weight=2 (repeatable).",
    ),
]
SmilesColumn = Annotated[
    str | None, typer.Option(help="Column with the structures; default: guessed, and said.")
]
IdColumn = Annotated[
    str | None, typer.Option(help="Column with your compound ids; default: guessed, and said.")
]
Policy = Annotated[str, typer.Option(help="Standardization: default, flat (no stereo), none.")]
Workers = Annotated[int, typer.Option(min=1, help="Processes.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")]
OutFile = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="CSV, TSV, JSON, JSONL, SMI or Parquet; default: standard output.",
    ),
]

_FORMATS = (".csv", ".tsv", ".json", ".jsonl", ".smi", ".parquet")


def say(message: str, quiet: bool = False) -> None:
    """A message for the person, on standard error."""
    if not quiet:
        typer.echo(message, err=True)


def check_target(path: Path | None, overwrite: bool, more: Sequence[str] = ()) -> None:
    """Refuse a bad output file before any work is done for it. ``more``: endings besides those of a table."""
    if path is None or str(path) == "-":
        return
    formats = (*_FORMATS, *more)
    if path.suffix.lower() not in formats:
        hint = did_you_mean(path.suffix or path.name, formats, what="known endings:")
        raise ConfigError(f"{path}: cannot tell the format from the name{hint}", "output")
    if path.is_dir() or not path.absolute().parent.is_dir():
        what = "is a folder" if path.is_dir() else f"there is no folder {path.absolute().parent}"
        raise ConfigError(f"{path}: {what}", "output")
    if path.exists() and not overwrite:
        raise ConfigError(f"{path} exists; add --overwrite to replace it, or choose another name", "output")


def write_frame(frame: pd.DataFrame, path: Path | None, *, as_json: bool, quiet: bool) -> None:
    """Write a table whole or not at all; to standard output as CSV, or as JSON Lines with ``as_json``."""
    if path is None or str(path) == "-":
        sys.stdout.write(_text(frame, ".jsonl" if as_json else ".csv"))
        return
    from molgen.run.files import write_atomic

    suffix = path.suffix.lower()
    if suffix == ".parquet":
        write_atomic(path, frame.to_parquet(index=False))
    else:
        write_atomic(path, _text(frame, suffix))
    say(f"{path}: {len(frame)} rows", quiet)


def _text(frame: pd.DataFrame, suffix: str) -> str:
    if suffix in (".json", ".jsonl"):
        rows = [{key: plain(value) for key, value in row.items()} for row in frame.to_dict("records")]
        if suffix == ".json":
            return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    if suffix == ".smi":
        names = frame["id"] if "id" in frame.columns else [f"{i}" for i in range(1, len(frame) + 1)]
        return "".join(f"{smiles}\t{name}\n" for smiles, name in zip(frame["smiles"], names, strict=True))
    return str(frame.to_csv(index=False, sep="\t" if suffix == ".tsv" else ",", lineterminator="\n"))


def print_json(value: Any) -> None:
    """Plain data on standard output."""
    typer.echo(json.dumps(plain(value), indent=2, ensure_ascii=False))


def plain(value: Any) -> Any:
    """Data as JSON knows it; a number that is none becomes null."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if hasattr(value, "item"):  # NumPy's numbers
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)


def print_table(rows: Sequence[Mapping[str, Any]], *, columns: Sequence[str] = ()) -> None:
    """Aligned columns on standard output; numbers to three digits, nothing for missing values."""
    if not rows:
        return
    names = list(columns) or list(dict.fromkeys(key for row in rows for key in row))
    names = [name for name in names if any(_cell(row.get(name)) for row in rows)]
    cells = [[_cell(row.get(name)) for name in names] for row in rows]
    widths = [max(len(name), *(len(line[k]) for line in cells)) for k, name in enumerate(names)]
    for line in [names, *cells]:
        typer.echo("  ".join(f"{text:<{width}}" for text, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: Any) -> str:
    value = plain(value)
    if value is None:
        return ""
    return f"{value:.3g}" if isinstance(value, float) else str(value)
