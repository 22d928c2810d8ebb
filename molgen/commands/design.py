"""`molgen optimize`, `resume`, `demo`, `score`, `runs`, `track`: the search and what belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from molgen import api
from molgen.commands import output as out
from molgen.commands.models import show_training
from molgen.core.errors import ShortfallError

if TYPE_CHECKING:
    from molgen.api import OptimizeResult

RunOut = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Run folder; default: runs/NAME.")
]
_SHOWN = ("rank", "score", "smiles", "flags", "nearest_similarity")


def optimize(
    config: Annotated[Path, typer.Argument(help="Run configuration; molgen new writes one.")],
    output: RunOut = None,
    changes: out.Set = None,
    overwrite: out.Overwrite = False,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
) -> None:
    """Search for molecules that score well. Delivers a ranked list with its evidence."""
    result = api.optimize(
        config, output, overrides=changes or [], overwrite=overwrite, quiet=quiet, keep_partial=False
    )
    _show(result, as_json)


def resume(
    run: Annotated[Path, typer.Argument(help="The run folder.")],
    feedback: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Candidates with a column `like`, or new measurements: a next round learns."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FOLDER", help="Folder of the next round; default: RUN-round2."
        ),
    ] = None,
    preference_weight: Annotated[
        float | None, typer.Option(min=0.0, help="Weight of the likes in the mean; default: a third of it.")
    ] = None,
    changes: out.Set = None,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
) -> None:
    """Go on with an interrupted or killed search or training; with --feedback, in a next round that learns from it."""
    result = api.resume(
        run, feedback=feedback, out=output, preference_weight=preference_weight, overrides=changes or [], quiet=quiet,
        keep_partial=False,
    )  # fmt: skip
    if result.kind == "train":
        show_training(result, as_json)
    else:
        _show(result, as_json)


def demo(
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Run folder.")] = Path(
        "demo-run"
    ),
    changes: out.Set = None,
    overwrite: out.Overwrite = False,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
) -> None:
    """Design molecules for a profile, end to end. Takes at most ten minutes on two cores."""
    out.say(
        "De novo design from the shipped model `druglike`: drug-like, a logP window, easy to make,", quiet
    )
    out.say(
        "no structural alerts, known ring systems, unlike three known drugs. Press Ctrl-C to stop.", quiet
    )
    _show(api.demo(output, overrides=changes or [], overwrite=overwrite, quiet=quiet), as_json)


def score(
    file: Annotated[
        str, typer.Argument(help="CSV, TSV, SMI, SDF (also .gz), Parquet or XLSX; '-': standard input.")
    ],
    objective: Annotated[
        Path, typer.Option("--objective", metavar="FILE", help="Objective, run configuration or run folder.")
    ],
    output: out.OutFile = None,
    rejected: Annotated[
        Path | None,
        typer.Option("--rejected", metavar="FILE", help="Write the rows that cannot be used there."),
    ] = None,
    smiles_column: out.SmilesColumn = None,
    id_column: out.IdColumn = None,
    policy: Annotated[
        str | None, typer.Option(help="Standardization; default: that of the configuration.")
    ] = None,
    workers: out.Workers = 1,
    stop_at_filters: Annotated[
        bool,
        typer.Option("--stop-at-filters", help="Like the search: no dear values for what a filter rejects."),
    ] = False,
    no_evidence: Annotated[
        bool,
        typer.Option("--no-evidence", help="Scores only: no intervals, nearest compounds and the like."),
    ] = False,
    no_hazard_screen: Annotated[
        bool, typer.Option("--no-hazard-screen", help="Do not withhold hazardous structures; this is said.")
    ] = False,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
    overwrite: out.Overwrite = False,
) -> None:
    """Score the molecules of a file. Your ids, columns and row order stay."""
    out.check_target(output, overwrite)
    out.check_target(rejected, overwrite)
    result = api.score(
        file,
        objective,
        smiles_column=smiles_column,
        id_column=id_column,
        policy=policy,
        workers=workers,
        everything=not stop_at_filters,
        evidence=not no_evidence,
        hazards=not no_hazard_screen,
        quiet=quiet,
    )
    for note in result.notes:
        out.say(f"note: {note}", quiet)
    for row in result.rejected[:5] if rejected is None else []:
        out.say(f"rejected: {row.file} line {row.line}: {row.why}: {row.detail} ({row.text[:60]})", quiet)
    if rejected is not None:
        out.write_frame(result.rejected_frame(), rejected, as_json=False, quiet=quiet)
    elif len(result.rejected) > 5:
        out.say(f"... and {len(result.rejected) - 5} more; --rejected FILE writes them all", quiet)
    out.write_frame(result.to_frame(), output, as_json=as_json, quiet=quiet)
    out.say(result.caption(), quiet)


def runs(
    folder: Annotated[Path, typer.Argument(help="Where to look.")] = Path("."),
    as_json: out.Json = False,
) -> None:
    """List the runs below a folder."""
    found = [run.row() for run in api.runs(folder)]
    if as_json:
        out.print_json(found)
    elif found:
        out.print_table(found)
    else:
        out.say(f"no runs below {folder}")


def track(
    run: Annotated[Path, typer.Argument(help="The run folder.")],
    uri: Annotated[str | None, typer.Option(help="Default: MLFLOW_TRACKING_URI, else a local file.")] = None,
    as_json: out.Json = False,
) -> None:
    """Mirror a run into MLflow afterwards. A second time adds nothing."""
    added = api.track(run, uri)
    if as_json:
        out.print_json(added)
    else:
        counts = ", ".join(f"{added[key]} {key}" for key in ("params", "metrics", "artifacts"))
        typer.echo(f"MLflow run {added['run_id']} at {added['uri']}: added {counts}")


def _show(result: OptimizeResult, as_json: bool) -> None:
    """The ten best with their evidence, and where everything is; exit code 4 if fewer came out than were asked."""
    files = {name: str(path) for name, path in result.files.items()}
    if as_json:
        out.print_json({"run": str(result.path), "files": files, "candidates": result.delivery.candidates})
    else:
        names = [component["name"] for component in result.delivery.components]
        out.print_table([_row(row, names) for row in result.delivery.candidates[:10]])
        for note in [result.progress(), *result.delivery.notes]:
            typer.echo(note)
        typer.echo(f"{result.caption()}; look at {files.get('html', result.path)}")
    if result.shortfall:
        raise ShortfallError(
            f"{result.shortfall} molecules fewer than the {result.delivery.requested} asked for passed everything; "
            "what there is was written. A larger budget.molecules or a smaller output.n helps"
        )


def _row(candidate: Mapping[str, Any], components: list[str]) -> dict[str, Any]:
    row = {key: candidate.get(key) for key in ("rank", "score")}
    row |= {name: candidate.get(name) for name in components}
    return {**row, "flags": candidate.get("flags"), "smiles": candidate.get("smiles")}
