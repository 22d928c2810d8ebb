"""Training and fine-tuning generators."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from molgen.api.source import Config, source

if TYPE_CHECKING:
    from molgen.workflows.train import TrainResult


def train(
    config: Config,
    out: Path | str | None = None,
    *,
    overrides: Sequence[str] = (),
    overwrite: bool = False,
    quiet: bool = False,
) -> TrainResult:
    """Train a generator; the model is in ``out``/model (default: runs/NAME). The same call goes on after a stop."""
    from molgen.workflows.check import check_for
    from molgen.workflows.train import start

    loaded = check_for("train", source(config), overrides).loaded
    folder = Path(out) if out is not None else Path("runs") / loaded.config.name
    return start(loaded, folder, overwrite=overwrite, quiet=quiet)


def finetune(
    prior: str | Path,
    file: str | Path,
    out: Path | str,
    *,
    overrides: Sequence[str] = (),
    overwrite: bool = False,
    quiet: bool = False,
) -> TrainResult:
    """Teach a model the user's compounds, with the settings of the recipe ``finetune``, into ``out``/model."""
    from molgen import recipes as starters

    values = starters.get("finetune").values
    name = "".join(c if c.isalnum() or c in "._-" else "-" for c in Path(out).name) or "model"
    values |= {"name": name, "base": str(prior), "data": [{"path": str(file)}]}
    return train(values, out, overrides=overrides, overwrite=overwrite, quiet=quiet)
