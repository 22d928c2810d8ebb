"""Finding, loading and saving models: the families that exist, the priors that ship, and folders of the user's own."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from molgen.core.errors import ModelError
from molgen.core.registry import load_object
from molgen.core.suggest import did_you_mean
from molgen.learn import store
from molgen.models.protocol import Family, Generator
from molgen.models.retrain import kept_weights, retrained_params

PRIORS = Path(__file__).parent / "priors"
DEFAULT = "druglike"


def families() -> dict[str, Family]:
    """All model families by name: folders of this package with a ``FAMILY`` record, and installed plug-ins."""
    package = importlib.import_module("molgen.models")
    found: dict[str, Family] = {}
    for module in pkgutil.iter_modules(package.__path__):
        if module.ispkg:
            record = getattr(importlib.import_module(f"molgen.models.{module.name}"), "FAMILY", None)
            if isinstance(record, Family):
                found[record.name] = record
    for point in entry_points(group="molgen.models"):
        record = point.load()
        if not isinstance(record, Family):
            raise ModelError(f"the plug-in {point.value!r} (group molgen.models) is not a Family record")
        found[record.name] = record
    return found


def family(name: str) -> Family:
    """The family called ``name``. Raises :class:`ModelError` with the nearest name."""
    known = families()
    if name not in known:
        raise ModelError(f"unknown model family {name!r}{did_you_mean(name, known)}")
    return known[name]


def model_class(record: Family) -> Any:
    """The class behind a family, imported now."""
    return load_object(record.builder)


def shipped() -> dict[str, Path]:
    """The priors inside the package: name -> folder."""
    if not PRIORS.is_dir():
        return {}
    return {p.name: p for p in sorted(PRIORS.iterdir()) if (p / store.CARD).is_file()}


def locate(name: str | Path) -> Path:
    """The folder of a shipped prior or of the user's own model. Raises :class:`ModelError` with the nearest name.

    A string that is the name of a shipped prior means that; a :class:`~pathlib.Path` always means a folder.
    """
    priors = shipped()
    if isinstance(name, str) and name in priors:
        return priors[name]
    folder = Path(name).expanduser()
    if folder.is_dir():
        inside = folder / "model"  # where the run folders of train, finetune and optimize keep theirs
        return inside if (inside / store.CARD).is_file() and not (folder / store.CARD).exists() else folder
    raise ModelError(
        f"no model {str(name)!r}: it is neither a model folder nor a shipped prior"
        f"{did_you_mean(str(name), priors)} (molgen models list shows them)"
    )


def load(
    name: str | Path, *, device: str = "cpu", verify: bool = False, changes: Mapping[str, Any] | None = None
) -> Generator:
    """A trained generator by prior name or folder, on ``device``, in evaluation mode.

    ``changes``: parameters for another training from it, see :func:`molgen.models.retrain.retrained_params`.
    """
    stored = store.load(locate(name), verify=verify)
    record = family(stored.family)
    try:
        before = params = record.params(**stored.params)
        if changes:
            params = retrained_params(record, stored.params, changes, str(name))
        model = model_class(record).from_assets(params, stored.assets)
        changed = frozenset(key for key in record.refitted if getattr(params, key) != getattr(before, key))
        weights = (
            kept_weights(record, stored.weights, model.state_dict(), changed) if changed else stored.weights
        )
        model.load_state_dict(weights)
    except (ValidationError, KeyError, RuntimeError) as error:
        first = str(error).strip().splitlines()[0]
        raise ModelError(
            f"{stored.path} does not fit its family {stored.family!r} ({first}); install it again"
        ) from None
    model.card = stored.card
    return model.to(torch.device(device)).eval()


def save(model: Any, folder: Path, card: Mapping[str, Any]) -> Path:
    """Store a trained generator as a folder."""
    return store.save(
        folder,
        family=model.family,
        params=model.params.model_dump(),
        assets=model.assets(),
        weights=model.state_dict(),
        card=card,
    )
