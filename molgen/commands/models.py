"""`molgen sample`, `train`, `finetune` and `molgen models ...`: the generators."""

from __future__ import annotations

import math
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from molgen import api
from molgen.commands import output as out
from molgen.core.errors import ConfigError, ModelError, ShortfallError

if TYPE_CHECKING:
    from molgen.api import TrainResult

app = typer.Typer(no_args_is_help=True, help="The shipped models and your own.")
ModelName = Annotated[
    str, typer.Argument(metavar="MODEL", help="A shipped model (molgen models list) or a folder.")
]


def sample(
    model: ModelName,
    n: Annotated[int, typer.Option("-n", "--number", min=1, help="How many molecules.")] = 100,
    output: out.OutFile = None,
    raw: Annotated[
        bool, typer.Option("--raw", help="The strings as drawn, invalid and repeated ones included.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same molecules.")] = 1,
    temperature: Annotated[
        float | None, typer.Option(help="Below 1: safer, above 1: more varied; default: the model's.")
    ] = None,
    min_p: Annotated[
        float | None,
        typer.Option(
            "--min-p",
            help="Leave out tokens less probable than this share of the best; default: the model's.",
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Molecules drawn at a time.")] = 512,
    scaffold: Annotated[
        str | None,
        typer.Option(
            metavar="SMILES", help="All molecules contain it; [*:1] marks where it may be built on."
        ),
    ] = None,
    greedy: Annotated[
        bool, typer.Option("--greedy", help="The likeliest choices at each point of the latent space.")
    ] = False,
    beam: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="K", help="The likeliest molecule of each point that K alternatives give."
        ),
    ] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            "--condition", metavar="NAME=VALUE", help="A value to ask a conditional model for (repeatable)."
        ),
    ] = None,
    policy: out.Policy = "default",
    device: out.Device = "auto",
    shard: Annotated[
        str, typer.Option(metavar="I/N", help="This is job I (from 0) of N; each draws its own.")
    ] = "0/1",
    as_json: out.Json = False,
    quiet: out.Quiet = False,
    overwrite: out.Overwrite = False,
) -> None:
    """Draw molecules from a model. Valid, distinct and standardized, each with its likelihood."""
    out.check_target(output, overwrite)
    if temperature is not None and temperature <= 0:
        raise ConfigError(f"must be more than 0, got {temperature:g}", "--temperature")
    result = api.sample(
        model,
        n,
        seed=seed,
        temperature=temperature,
        min_p=min_p,
        batch_size=batch_size,
        device=device,
        shard=_shard(shard),
        raw=raw,
        policy=policy,
        scaffold=scaffold,
        greedy=greedy,
        beam=beam,
        conditions=_conditions(condition or []),
        quiet=quiet,
    )
    out.write_frame(result.to_frame(), output, as_json=as_json, quiet=quiet)
    out.say(result.caption(), quiet)
    if result.shortfall:
        raise ShortfallError(
            f"only {len(result)} of {n} distinct valid molecules could be drawn; {result.caption()}"
        )


def _conditions(asked: list[str]) -> dict[str, float]:
    """``logp=2.5`` as name and number. Raises ConfigError for anything else, and for a name given twice."""
    found: dict[str, float] = {}
    for text in asked:
        name, sign, value = (part.strip() for part in text.partition("="))
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not name or not sign or not math.isfinite(number):
            raise ConfigError(f"must be NAME=NUMBER, such as logp=2.5, got {text!r}", "--condition")
        if name in found:
            raise ConfigError(f"{name} is given twice", "--condition")
        found[name] = number
    return found


def train(
    config: Annotated[
        Path,
        typer.Argument(
            help="Training configuration (molgen new train writes one), or a folder of --prepare-only."
        ),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FOLDER", help="Run folder; default: runs/NAME.")
    ] = None,
    prepare_only: Annotated[
        bool,
        typer.Option(
            "--prepare-only",
            help="Read and cut the molecules into a folder of arrays, to train from where there is no RDKit.",
        ),
    ] = False,
    changes: out.Set = None,
    overwrite: out.Overwrite = False,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
) -> None:
    """Train a generator from molecules. The same command goes on after an interruption."""
    if prepare_only:
        made = api.train_prepare(config, output, overrides=changes or [], overwrite=overwrite, quiet=quiet)
        if as_json:
            out.print_json({**asdict(made), "folder": str(made.folder)})
        else:
            typer.echo(made.summary())
        return
    show_training(
        api.train(config, output, overrides=changes or [], overwrite=overwrite, quiet=quiet), as_json
    )


def finetune(
    prior: ModelName,
    file: Annotated[Path, typer.Argument(help="Your compounds.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Run folder; the model is in it.")
    ],
    labels: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN", help="Column with measured values for the property head (repeatable)."
        ),
    ] = None,
    changes: out.Set = None,
    overwrite: out.Overwrite = False,
    as_json: out.Json = False,
    quiet: out.Quiet = False,
) -> None:
    """Teach a model your own compounds. It then draws more like them."""
    result = api.finetune(
        prior,
        file,
        output,
        labels=labels or [],
        overrides=changes or [],
        overwrite=overwrite,
        quiet=quiet,
    )
    show_training(result, as_json)


@app.command("list")
def list_models(
    families: Annotated[
        bool, typer.Option("--families", help="The families that can be trained instead.")
    ] = False,
    as_json: out.Json = False,
) -> None:
    """The shipped models: data, license, size."""
    if families:
        rows: list[dict[str, Any]] = [
            {"family": name, "can": ", ".join(sorted(record.capabilities)), "summary": record.summary}
            for name, record in api.models_families().items()
        ]
    else:
        rows = [
            {
                "name": card["name"],
                "family": card.get("family"),
                "parameters": card.get("parameters"),
                "data": card.get("summary") or card.get("data"),
                "license": card.get("license") or card.get("license"),
            }
            for card in api.models_list()
        ]
    if as_json:
        out.print_json(rows)
    else:
        out.print_table([{key: _short(value) for key, value in row.items()} for row in rows])


@app.command("show")
def show_model(model: ModelName) -> None:
    """The whole card of a model, as JSON: data, license, training, measured metrics, checksums."""
    out.print_json(api.models_show(model))


@app.command("verify")
def verify_models(
    models: Annotated[
        list[str] | None, typer.Argument(metavar="[MODEL]...", help="Default: all shipped ones.")
    ] = None,
    quiet: out.Quiet = False,
) -> None:
    """Compare every file with its checksum, and load the model."""
    problems = []
    for name in models or [card["name"] for card in api.models_list()]:
        problems += [f"{name}: {what}" for what in api.models_verify(name, lambda text: out.say(text, quiet))]
    if problems:
        raise ModelError("; ".join(problems) + "; copy or install the model again")


def show_training(result: TrainResult, as_json: bool) -> None:
    """Print where the model is and how good it was at its last validation."""
    if as_json:
        out.print_json(
            {
                "model": str(result.model),
                "run": str(result.run),
                "reason": result.reason,
                "metrics": dict(result.metrics),
            }
        )
        return
    out.print_table([dict(result.metrics)])
    typer.echo(f"{result.model} ({result.reason}); next: molgen sample {result.run} -n 100")


def _shard(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None or int(match[1]) >= int(match[2]):
        raise ConfigError(f"{text!r} is not of the form I/N with I from 0 to N-1, for example 0/4", "--shard")
    return int(match[1]), int(match[2])


def _short(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= 70 else text[:67] + "..."
