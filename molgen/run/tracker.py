"""What a run tells the outside: the tracker protocol, the silent one, and the choice between them."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from molgen.core.registry import load_object
from molgen.core.schema import TrackingConfig
from molgen.run.folder import RunFolder

Status = Literal["done", "interrupted", "failed"]
#: What a remote server gets instead of a text that may be a structure.
WITHHELD = "(withheld: tracking.log_structures is false)"


class Tracker(Protocol):
    """Mirrors a run folder, which is the record, elsewhere. No method raises because of a server.

    Who inherits and leaves a method out does nothing there.
    """

    def start(self, run: RunFolder, params: Mapping[str, Any]) -> None:
        """Begin, or go on with, the mirror of ``run``; ``params`` is the (nested) configuration."""
        return None

    def log_metrics(self, values: Mapping[str, float], step: int) -> None:
        """All metrics of one step; NaN is left out."""
        return None

    def log_artifact(self, path: Path | str, *, structures: bool = True) -> None:
        """Send a file or a folder's files; ``structures``: may hold molecules (not for remote servers)."""
        return None

    def log_model(
        self, model_dir: Path | str, code: Path | str, params: Mapping[str, Any] | None = None
    ) -> None:
        """Log a model: ``code`` is a script, ``model_dir`` its data, ``params`` those of ``predict``."""
        return None

    def finish(self, status: Status) -> None:
        """Send what is left, the files of the run folder and how the run ended."""
        return None


class NullTracker(Tracker):
    """Tells nobody."""


def open_tracker(config: TrackingConfig, folder: RunFolder) -> Tracker:
    """The tracker that ``config`` asks for; without MLflow installed, none, and the log says so."""
    if not config.mlflow:
        return NullTracker()
    if importlib.util.find_spec("mlflow") is None:
        folder.log(
            "MLflow is not installed, so the run is not mirrored: pip install mlflow; molgen track RUN"
        )
        return NullTracker()
    # By name: the protocol must not depend on one of its implementations.
    tracker: Tracker = load_object("molgen.run.mlflow_tracker:MlflowTracker")(config, folder)
    return tracker


def flatten(params: Mapping[str, Any], *, share_text: bool = True) -> dict[str, str]:
    """Nested configuration -> ``{"objective.components.0.use": "qed"}``; a list of plain values is one value.

    ``share_text=False`` withholds texts below a key ``params``: there are SMILES and SMARTS among them.
    """
    flat: dict[str, str] = {}

    def visit(value: Any, path: tuple[str, ...]) -> None:
        if isinstance(value, Mapping) and (value or not path):
            for key, item in value.items():
                visit(item, (*path, str(key)))
        elif isinstance(value, list | tuple) and any(
            isinstance(item, Mapping | list | tuple) for item in value
        ):
            for index, item in enumerate(value):
                visit(item, (*path, str(index)))
        else:
            items = value if isinstance(value, list | tuple) else [value]
            if not share_text and "params" in path and any(isinstance(item, str) for item in items):
                value = WITHHELD
            flat[".".join(path)] = value if isinstance(value, str) else json.dumps(value, default=str)

    visit(params, ())
    return flat
