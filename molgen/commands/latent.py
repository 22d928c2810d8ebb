"""`molgen encode`, `decode`, `neighbors`, `interpolate`, `steer`: molecules in a model's latent space."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from molgen import api
from molgen.commands import output as out
from molgen.commands.models import ModelName
from molgen.core.errors import ConfigError, ShortfallError

Temperature = Annotated[
    float | None, typer.Option(help="Draw choices at this temperature; default: the likeliest ones.")
]
Seed = Annotated[int, typer.Option(min=0, help="Same seed, same molecules.")]


def encode(
    model: ModelName,
    file: Annotated[
        str, typer.Argument(help="CSV, TSV, SMI, SDF (also .gz), Parquet or XLSX; '-': standard input.")
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="NPZ (arrays), or a table: CSV, Parquet ..."),
    ] = None,
    smiles_column: out.SmilesColumn = None,
    policy: out.Policy = "default",
    device: out.Device = "auto",
    as_json: out.Json = False,
    quiet: out.Quiet = False,
    overwrite: out.Overwrite = False,
) -> None:
    """Molecules to points of the model's latent space. A row without a point says why."""
    out.check_target(output, overwrite, (".npz",))
    result = api.load(model, device).encode(file, smiles_column=smiles_column, policy=policy, quiet=quiet)
    if output is not None and output.suffix.lower() == ".npz":
        result.save(output)
    else:
        out.write_frame(result.to_frame(), output, as_json=as_json, quiet=quiet)
    out.say(result.caption(), quiet)


def decode(
    model: ModelName,
    file: Annotated[Path, typer.Argument(help="What `molgen encode` wrote: NPZ, CSV, TSV, Parquet; or NPY.")],
    output: out.OutFile = None,
    temperature: Temperature = None,
    beam: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="K", help="The K likeliest molecules of each point, with log-likelihoods."
        ),
    ] = None,
    seed: Seed = 1,
    device: out.Device = "auto",
    as_json: out.Json = False,
    quiet: out.Quiet = False,
    overwrite: out.Overwrite = False,
) -> None:
    """Points of the latent space to molecules. One row per point (with --beam several), in the same order."""
    out.check_target(output, overwrite)
    positive("--temperature", temperature)
    result = api.load(model, device).decode(file, temperature=temperature, beam=beam, seed=seed)
    out.write_frame(result.to_frame(), output, as_json=as_json, quiet=quiet)
    out.say(result.caption(), quiet)


def neighbors(
    model: ModelName,
    smiles: Annotated[str, typer.Argument(help="The molecule.")],
    n: Annotated[int, typer.Option("-n", "--number", min=1, help="How many molecules.")] = 20,
    radius: Annotated[
        float, typer.Option(help="Distance, in standard deviations of the points of molecules.")
    ] = 2.0,
    output: out.OutFile = None,
    temperature: Temperature = None,
    seed: Seed = 1,
    device: out.Device = "auto",
    as_json: out.Json = False,
    quiet: out.Quiet = False,
    overwrite: out.Overwrite = False,
) -> None:
    """Distinct molecules around one in the latent space, with their similarity to it."""
    out.check_target(output, overwrite)
    positive("--temperature", temperature)
    positive("--radius", radius)
    found = api.load(model, device).neighbors(smiles, n=n, radius=radius, temperature=temperature, seed=seed)
    out.write_frame(found.to_frame(), output, as_json=as_json, quiet=quiet)
    out.say(found.caption(), quiet)
    if found.shortfall:
        raise ShortfallError(f"only {found.caption()}")


def interpolate(
    model: ModelName,
    first: Annotated[str, typer.Argument(help="The molecule to start from.")],
    last: Annotated[str, typer.Argument(help="The molecule to arrive at.")],
    steps: Annotated[int, typer.Option(min=2, help="Points on the line, both ends included.")] = 9,
    output: out.OutFile = None,
    device: out.Device = "auto",
    as_json: out.Json = False,
    quiet: out.Quiet = False,
    overwrite: out.Overwrite = False,
) -> None:
    """Molecules on the way from one to another through the latent space."""
    out.check_target(output, overwrite)
    result = api.load(model, device).interpolate(first, last, steps=steps)
    out.write_frame(result.to_frame(), output, as_json=as_json, quiet=quiet)
    out.say(result.caption(), quiet)


def steer(
    model: ModelName,
    name: Annotated[
        str, typer.Argument(metavar="PROPERTY", help="A property that the model knows: logp, qed ...")
    ],
    towards: Annotated[
        str, typer.Option(help="higher, lower, or a value in the property's unit.")
    ] = "higher",
    start: Annotated[
        str | None, typer.Option(metavar="SMILES", help="Begin around it; default: points of the prior.")
    ] = None,
    n: Annotated[int, typer.Option("-n", "--number", min=1, help="How many ways are followed.")] = 20,
    steps: Annotated[int, typer.Option(min=1, help="Steps of each way.")] = 40,
    step_size: Annotated[float, typer.Option(help="Standard deviations per step.")] = 0.1,
    caution: Annotated[
        float, typer.Option(help="Weight of staying where molecules are; 0 trusts the head everywhere.")
    ] = 1.0,
    scorer: Annotated[
        str | None,
        typer.Option(
            help="What says the real value: a scorer or FILE.py:FUNCTION; default: the property's own."
        ),
    ] = None,
    off_manifold: Annotated[
        bool,
        typer.Option("--off-manifold", help="Never go where the critic of a latent GAN sees no molecule."),
    ] = False,
    output: out.OutFile = None,
    seed: Seed = 1,
    device: out.Device = "auto",
    as_json: out.Json = False,
    quiet: out.Quiet = False,
    overwrite: out.Overwrite = False,
) -> None:
    """Search the latent space along a property's slope. Says what of the model's claims is real."""
    out.check_target(output, overwrite)
    result = api.load(model, device).steer(
        name,
        towards=_goal(towards),
        start=start,
        n=n,
        steps=steps,
        step_size=step_size,
        caution=caution,
        scorer=scorer,
        seed=seed,
        off_manifold=off_manifold,
    )
    out.write_frame(result.to_frame(), output, as_json=as_json, quiet=quiet)
    out.say(result.caption(), quiet)


def _goal(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text  # the search knows the words


def positive(option: str, value: float | None) -> None:
    """Refuse a value that is not above zero. Raises ConfigError."""
    if value is not None and value <= 0:
        raise ConfigError(f"must be more than 0, got {value:g}", option)
