"""`molgen filter`: molecules in, the good ones out, and for every other one all that is wrong with it, in words."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from molgen import api
from molgen.commands import output as out
from molgen.core.errors import ConfigError

if TYPE_CHECKING:
    from molgen.api.filter import Rule

_STREAMED = (".jsonl.gz", ".csv.gz", ".tsv.gz", ".smi.gz", ".gz")
_SHOWN = 12


def filter_(
    file: Annotated[
        str | None,
        typer.Argument(help="CSV, TSV, SMI, SDF (also .gz), Parquet or XLSX; '-': standard input."),
    ] = None,
    preset: Annotated[str, typer.Option(help="default, strict, lead-like or none.")] = "default",
    relax: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A rule or group that may be broken (repeatable)."),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="One more rule or group, e.g. BRENK, CNS, thiol (repeatable)."),
    ] = None,
    show: Annotated[
        list[str] | None,
        typer.Option(metavar="GROUP", help="Tell the hits of a group, reject nothing (repeatable)."),
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=NUMBER", help="Another bar, e.g. stereo_centers=6 (repeatable)."),
    ] = None,
    window: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=LOW:HIGH", help="Your own window, e.g. logp=:4 (repeatable)."),
    ] = None,
    element: Annotated[
        list[str] | None, typer.Option(metavar="SYMBOL", help="Allowed in any form, e.g. Si (repeatable).")
    ] = None,
    own: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Your table of motifs, YAML (docs/filters.md).")
    ] = None,
    parents: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What these break, no worse, is excused and said to be inherited."),
    ] = None,
    rescue_rings: Annotated[
        bool, typer.Option("--rescue-rings", help="Rare rings pass if ChEMBL and SureChEMBL know them.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Kept rows: CSV, TSV, SMI, JSONL; default: standard output.",
        ),
    ] = None,
    rejected: Annotated[
        Path | None, typer.Option("--rejected", metavar="FILE", help="Rejected rows with all reasons.")
    ] = None,
    no_hazard_screen: Annotated[
        bool, typer.Option("--no-hazard-screen", help="Do not withhold hazardous structures; this is said.")
    ] = False,
    rules: Annotated[bool, typer.Option("--rules", help="List the rules with source and severity.")] = False,
    smiles_column: out.SmilesColumn = None,
    id_column: out.IdColumn = None,
    policy: out.Policy = "default",
    workers: out.Workers = 1,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
    overwrite: out.Overwrite = False,
) -> None:
    """Sort molecules by named rules. Every rejected row says all that it breaks."""
    chosen: dict[str, Any] = {
        "add": add or [],
        "show": show or [],
        "limits": dict(_number(text) for text in limit or []),
        "windows": dict(_window(text) for text in window or []),
        "elements": element or [],
        "own": None if own is None else str(own),
        "allow_inherited_from": None if parents is None else str(parents),
        "rescue_rings": rescue_rings,
    }
    if rules:
        _list_rules(preset, chosen, as_json)
        return
    if file is None:
        raise ConfigError("say which file to filter, or --rules to list the rules", "molgen filter")
    for path in (output, rejected):
        out.check_target(path, overwrite, _STREAMED)
    if output is not None and output == rejected and str(output) != "-":
        raise ConfigError(f"{output}: kept and rejected rows cannot go into one file", "--rejected")
    to_screen = output is None or str(output) == "-"
    if to_screen and rejected is not None and str(rejected) == "-":
        raise ConfigError("kept rows go to standard output already; give -o FILE", "--rejected")
    summary = api.filter_file(
        file,
        sys.stdout if to_screen else output,
        sys.stdout if rejected is not None and str(rejected) == "-" else rejected,
        preset=preset,
        relax=relax or [],
        policy=policy,
        smiles_column=smiles_column,
        id_column=id_column,
        hazards=not no_hazard_screen,
        workers=workers,
        json_lines=as_json,
        quiet=quiet,
        **chosen,
    )
    if as_json and not to_screen:
        out.print_json(summary.to_dict())
    for note in summary.notes:
        out.say(f"note: {note}", quiet)
    out.say(f"preset {summary.preset}: {', '.join(summary.groups) or 'no rules'}", quiet)
    for remark in summary.remarks:
        out.say(f"  {remark}", quiet)
    for row in summary.rules[:_SHOWN]:
        alone = f", {row['alone']:,} by it alone" if row["alone"] else ""
        out.say(f"  {row['molecules']:>8,} {row['group']}: {row['rule']}{alone}", quiet)
    if len(summary.rules) > _SHOWN:
        out.say(f"  ... and {len(summary.rules) - _SHOWN} rules more (--json with -o lists all)", quiet)
    out.say(summary.caption(), quiet)
    if summary.rejected and rejected is None:
        out.say("--rejected FILE writes each rejected row with all its reasons", quiet)


def _list_rules(preset: str, chosen: dict[str, Any], as_json: bool) -> None:
    """All rules; those of the preset, with what was added to it, are marked."""
    in_force = {rule.id for rule in api.filter_rules(preset, **chosen)}
    known = {rule.id: rule for rule in [*api.filter_rules(), *api.filter_rules("none", **chosen)]}
    rows = [{**_row(rule), "in force": rule.id in in_force} for rule in known.values()]
    if as_json:
        out.print_json(rows)
        return
    sizes = Counter(row["group"] for row in rows)
    shown: list[dict[str, Any]] = []
    for row in rows:
        first = row["group"] not in {one["group"] for one in shown}
        if sizes[row["group"]] > 40:  # a catalog: one line
            if first:
                shown.append({**row, "rule": f"({sizes[row['group']]} alerts)"})
        else:
            shown.append(row)
    out.print_table([{**row, "in force": "yes" if row["in force"] else "-"} for row in shown])
    out.say(
        f"{len(in_force)} of {len(rows)} rules are in force with preset {preset}; --json lists every alert"
    )


def _row(rule: Rule) -> dict[str, Any]:
    return {
        "group": rule.group,
        "rule": rule.name,
        "severity": rule.severity,
        "in force": "",
        "what": rule.summary,
        "source": rule.source,
    }


def _number(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    try:
        return name.strip(), float(number)
    except ValueError:
        raise ConfigError(f"{text!r}: written as NAME=NUMBER, e.g. stereo_centers=6", "--limit") from None


def _window(text: str) -> tuple[str, tuple[float | None, float | None]]:
    name, _, window = text.partition("=")
    low, colon, high = window.partition(":")
    try:
        ends = (float(low) if low.strip() else None, float(high) if high.strip() else None)
    except ValueError:
        colon = ""
        ends = (None, None)
    if not colon:
        raise ConfigError(f"{text!r}: written as NAME=LOW:HIGH, e.g. logp=:4", "--window")
    return name.strip(), ends
