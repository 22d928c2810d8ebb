"""`molgen qsar train`, `predict`, `show`: activity models on your own measurements."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from molgen import api
from molgen.commands import output as out
from molgen.core.errors import ConfigError

app = typer.Typer(no_args_is_help=True, help="Activity models on your own measured compounds.")
ModelFolder = Annotated[Path, typer.Argument(metavar="MODEL", help="Folder that `molgen qsar train` wrote.")]


@app.command("train")
def train(
    file: Annotated[
        str, typer.Argument(help="CSV, TSV, SDF (also .gz), Parquet or XLSX; '-': standard input.")
    ],
    target: Annotated[
        str, typer.Option("--target", "-t", metavar="COLUMN", help="Measured values: pIC50, Ki ...")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where the model goes.")],
    unit: Annotated[
        str | None,
        typer.Option(help="Unit of the values: M, mM, uM, nM, pM; none: take the numbers as they are."),
    ] = None,
    unit_column: Annotated[
        str | None, typer.Option(help="Column with the unit of each row; default: guessed, and said.")
    ] = None,
    qualifier_column: Annotated[
        str | None,
        typer.Option(help="Column with < = >; default: guessed, and said; also read from the cells."),
    ] = None,
    smiles_column: out.SmilesColumn = None,
    id_column: out.IdColumn = None,
    policy: out.Policy = "default",
    conflict: Annotated[
        float | None,
        typer.Option(help="Largest difference of repeated measurements; default: 1.0 for logarithms."),
    ] = None,
    on_conflict: Annotated[
        str, typer.Option(help="What to do beyond it: drop the compound, or keep the median, flagged.")
    ] = "drop",
    models: Annotated[
        str | None,
        typer.Option(
            help="Kinds to compare: gp, forest, graph (with commas); default: by number of compounds."
        ),
    ] = None,
    coverage: Annotated[float, typer.Option(help="Share of truths that the intervals hold.")] = 0.8,
    part: Annotated[
        str, typer.Option(metavar="I/K", help="Learn from this part of the compounds only: 1/2, 2/2.")
    ] = "1/1",
    control: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER", help="Also a second model, on the other half, to watch searches by the first."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same model.")] = 1,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
    overwrite: out.Overwrite = False,
) -> None:
    """Curate an assay table, choose a model by cross-validation, and say plainly what it is worth."""
    result = api.qsar_train(
        file,
        target,
        output,
        unit=unit,
        unit_column=unit_column,
        qualifier_column=qualifier_column,
        smiles_column=smiles_column,
        id_column=id_column,
        policy=policy,
        conflict=conflict,
        on_conflict=on_conflict,
        models=[name.strip() for name in models.split(",")] if models else None,
        coverage=coverage,
        part=_part(part),
        control=control,
        seed=seed,
        overwrite=overwrite,
        quiet=quiet,
    )
    for note in result.notes:
        out.say(note, quiet)
    if as_json:
        out.print_json(result.card)
    else:
        typer.echo("\n".join(result.words()))
    out.say(f"{output}: model, card, curation.csv (every row and its decision), validation.csv", quiet)


@app.command("predict")
def predict(
    model: ModelFolder,
    file: Annotated[
        str, typer.Argument(help="CSV, TSV, SMI, SDF (also .gz), Parquet or XLSX; '-': standard input.")
    ],
    output: out.OutFile = None,
    smiles_column: out.SmilesColumn = None,
    id_column: out.IdColumn = None,
    coverage: Annotated[
        float | None, typer.Option(help="Share of truths that the intervals hold; default: the model's.")
    ] = None,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
    overwrite: out.Overwrite = False,
) -> None:
    """Values with intervals, domain and the nearest measured compound; one row per row of FILE."""
    out.check_target(output, overwrite)
    result = api.qsar_predict(
        model, file, smiles_column=smiles_column, id_column=id_column, coverage=coverage, quiet=quiet
    )
    for note in result.notes:
        out.say(note, quiet)
    out.write_frame(result.to_frame(), output, as_json=as_json, quiet=quiet)
    out.say(result.caption(), quiet)


@app.command("show")
def show(model: ModelFolder, as_json: out.Json = False) -> None:
    """What a model is worth: verdict, data, figures, intervals. Verifies the folder."""
    card, words = api.qsar_show(model)
    if as_json:
        out.print_json(card)
    else:
        typer.echo("\n".join(words))


def _part(text: str) -> tuple[int, int]:
    try:
        first, last = text.split("/")
        return int(first), int(last)
    except ValueError:
        raise ConfigError(f"{text!r} is no part; write 1/2 or 2/2", "part") from None
