"""Training and fine-tuning generators."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from molgen.api.source import Config, source

if TYPE_CHECKING:
    from molgen.workflows.prepared import Prepared
    from molgen.workflows.train import TrainResult


def train(
    config: Config,
    out: Path | str | None = None,
    *,
    overrides: Sequence[str] = (),
    overwrite: bool = False,
    quiet: bool = False,
) -> TrainResult:
    """Train a generator; the model is in ``out``/model (default: runs/NAME). The same call goes on after a stop.

    ``config`` may be a folder that :func:`train_prepare` made: then neither RDKit nor the data are needed.
    """
    from molgen.workflows.train import start

    given = source(config)
    prepared = given if isinstance(given, Path) and given.is_dir() else None
    if prepared is not None:
        from molgen.workflows.prepared import load_config

        loaded = load_config(prepared, overrides)
    else:
        from molgen.workflows.check import check_for

        loaded = check_for("train", given, overrides).loaded
    folder = Path(out) if out is not None else Path("runs") / loaded.config.name
    return start(loaded, folder, prepared=prepared, overwrite=overwrite, quiet=quiet)


def train_prepare(
    config: Config,
    out: Path | str | None = None,
    *,
    overrides: Sequence[str] = (),
    overwrite: bool = False,
    quiet: bool = False,
) -> Prepared:
    """What a training does before its first step, as arrays in a folder (default: prepared/NAME) for :func:`train`."""
    from molgen.workflows.check import check_for
    from molgen.workflows.prepared import prepare

    loaded = check_for("train", source(config), overrides).loaded
    folder = Path(out) if out is not None else Path("prepared") / loaded.config.name
    return prepare(loaded, folder, overwrite=overwrite, quiet=quiet)


def finetune(
    prior: str | Path,
    file: str | Path,
    out: Path | str,
    *,
    labels: Sequence[str] = (),
    overrides: Sequence[str] = (),
    overwrite: bool = False,
    quiet: bool = False,
) -> TrainResult:
    """Teach a model the user's compounds, with the settings of the recipe ``finetune``, into ``out``/model.

    ``labels``: columns with measured values (empty where not measured) that its property head learns too.
    """
    from molgen import recipes as starters

    values = starters.get("finetune").values
    name = "".join(c if c.isalnum() or c in "._-" else "-" for c in Path(out).name) or "model"
    values |= {"name": name, "base": str(prior), "data": [{"path": str(file), "labels": list(labels)}]}
    return train(values, out, overrides=overrides, overwrite=overwrite, quiet=quiet)
