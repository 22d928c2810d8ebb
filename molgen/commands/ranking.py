"""`molgen rank`: other weights and choices for what was scored before."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from molgen import api
from molgen.commands import output as out
from molgen.core.errors import ConfigError, Problem, ShortfallError


def rank(
    source: Annotated[
        Path, typer.Argument(metavar="RUN_OR_FILE", help="A run folder, or a file that molgen score wrote.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Default: RUN/ranked, or FILE-ranked."),
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(
            "--weight", "-w", metavar="NAME=W", help="Weight of a component; 0 leaves it out (repeatable)."
        ),
    ] = None,
    objective: Annotated[
        Path | None,
        typer.Option("--objective", metavar="FILE", help="Other components and curves, by column names."),
    ] = None,
    aggregate: Annotated[str | None, typer.Option(help="geometric_mean or arithmetic_mean.")] = None,
    ranking: Annotated[str | None, typer.Option(help="score, or pareto: by fronts, without weights.")] = None,
    select: Annotated[str | None, typer.Option(help="top, clusters (one of each) or maxmin.")] = None,
    n: Annotated[int | None, typer.Option("-n", help="Molecules; default: as the run, else 100.")] = None,
    pool: Annotated[
        int | None, typer.Option(help="How many of the best clusters and maxmin choose from; default: 5 n.")
    ] = None,
    min_score: Annotated[float | None, typer.Option(help="Smallest total.")] = None,
    max_similarity: Annotated[
        float | None, typer.Option(help="No two more similar (ECFP4 Tanimoto).")
    ] = None,
    cluster_similarity: Annotated[float | None, typer.Option(help="Similarity within a cluster.")] = None,
    stereoisomers: Annotated[
        int | None, typer.Option(help="Write up to this many isomers of what leaves stereo open.")
    ] = None,
    references: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Compounds to name the nearest of on each row, and not to deliver."
        ),
    ] = None,
    no_evidence: Annotated[
        bool, typer.Option("--no-evidence", help="Do not ask the scorers for evidence.")
    ] = False,
    smiles_column: out.SmilesColumn = None,
    id_column: out.IdColumn = None,
    policy: Annotated[str | None, typer.Option(help="Standardization of a file; default: default.")] = None,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
    overwrite: out.Overwrite = False,
) -> None:
    """Rank again what was scored: other weights, curves, Pareto fronts, one of each cluster. Scores nothing."""
    result = api.rank(
        source,
        output,
        weights=_weights(weight or []),
        objective=objective,
        aggregate=aggregate,
        output={
            "n": n,
            "ranking": ranking,
            "select": select,
            "pool": pool,
            "min_score": min_score,
            "max_similarity": max_similarity,
            "cluster_similarity": cluster_similarity,
            "stereoisomers": stereoisomers,
        },
        references=references,
        smiles_column=smiles_column,
        id_column=id_column,
        policy=policy,
        evidence=not no_evidence,
        overwrite=overwrite,
        quiet=quiet,
    )
    files = {name: str(path) for name, path in result.files.items()}
    if as_json:
        out.print_json({"files": files, "candidates": result.delivery.candidates})
    else:
        names = [component["name"] for component in result.delivery.components]
        shown = ("rank", "id", "score", *names, "cluster", "front", "flags", "smiles")
        out.print_table([{key: row.get(key) for key in shown} for row in result.delivery.candidates[:10]])
        for note in result.delivery.notes:
            out.say(note, quiet)
        out.say(f"{result.caption()}; look at {files['html']}", quiet)
    if result.shortfall:
        raise ShortfallError(
            f"{result.shortfall} molecules fewer than the {result.delivery.requested} asked for; what there is was "
            "written. The report says what the others were lost to"
        )


def _weights(texts: list[str]) -> dict[str, float]:
    """``NAME=W`` texts as a table; raises ConfigError with all that are none."""
    found, problems = {}, []
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            found[name.strip()] = float(number)
        except ValueError:
            name = ""
        if not name.strip():
            problems.append(Problem("--weight", f"{text!r} is not NAME=NUMBER, for example --weight logp=2"))
    if problems:
        raise ConfigError(problems, "rank")
    return found
