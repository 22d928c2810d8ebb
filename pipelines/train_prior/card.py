"""The card of a shipped prior: what is told, measured and known of its training, in one record beside its weights."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from card_words import DESCRIPTIONS, METRIC_NOTES, PROTOCOLS

from molgen.core import config as configs
from molgen.core.errors import DataError
from molgen.core.schema import TrainConfig
from molgen.learn import store
from molgen.models.registry import family, load
from molgen.run.files import read_json
from molgen.run.manifest import MANIFEST_FORMAT, git_state, now
from molgen.run.resources import cpu_model

WHOLE: dict[str, Any] = {"temperature": 1.0, "min_p": 0.0}  # how the whole distribution is sampled
BATCH_SIZE = 512  # of the sampling; a part of what makes the sample reproducible
#: What a card must say about the training.
REQUIRED = ("config", "steps", "molecules", "minutes", "hardware", "commit")


def sampling(source: store.StoredModel) -> dict[str, float]:
    """The model's own settings of sampling."""
    return {name: source.params.get(name, value) for name, value in WHOLE.items()}


def training_of(arguments: argparse.Namespace, source: store.StoredModel) -> dict[str, Any]:
    """How it was trained: card, run and options together. Raises DataError for what is missing."""
    known = {
        key: value for key, value in dict(source.card.get("training") or {}).items() if value is not None
    }
    manifest = source.path.parent / "manifest.json"
    if manifest.is_file():
        known["hardware"] = read_json(manifest, newest=MANIFEST_FORMAT)["device_name"]
    if arguments.config is not None:
        known["config"] = configs.load(arguments.config, TrainConfig).config.model_dump(mode="json")
    for key in ("steps", "molecules", "minutes", "hardware", "commit"):
        if getattr(arguments, key) is not None:
            known[key] = getattr(arguments, key)
    missing = [key for key in REQUIRED if known.get(key) is None]
    if missing:
        options = ", ".join(f"--{key}" for key in missing)
        raise DataError(f"the card of {source.path} does not say how it was trained; add {options}")
    params = family(source.family).params
    continued = known["config"].get("base") is not None  # then the network is that of its base
    if not continued and params(**known["config"]["model"]["params"]) != params(**source.params):
        raise DataError(
            f"the configuration describes another network than the one in {source.path}, "
            f"which has {source.params}"
        )
    return known | ({"notes": arguments.note} if arguments.note else {})


def metrics_of(
    arguments: argparse.Namespace, source: store.StoredModel, measured: Mapping[str, Any], raw_sha256: str
) -> dict[str, Any]:
    """The measured values with everything that is needed to compare them."""
    git = git_state() or {}
    return {
        "protocol": PROTOCOLS[arguments.kind].format(n=measured["n_raw"]),
        "notes": METRIC_NOTES[arguments.kind],
        "n": measured["n_raw"],
        "n_valid": measured["n_valid"],
        "n_reference": measured["n_reference"],
        "sampling": {
            "seed": arguments.seed,
            **sampling(source),
            "batch_size": BATCH_SIZE,
            "device": "cpu",
        },
        "raw_sha256": raw_sha256,
        "values": measured["metrics"],
        "brief": arguments.brief,
        "inputs_sha256": measured["inputs_sha256"],
        "versions": measured["versions"],
        "hardware": cpu_model(),
        "git": {key: git.get(key) for key in ("commit", "dirty")},
    }


def assemble(
    arguments: argparse.Namespace,
    source: store.StoredModel,
    size: int,
    data: Mapping[str, Any],
    training: Mapping[str, Any],
    metrics: Mapping[str, Any],
) -> dict[str, Any]:
    """The complete card, written with the model to its place."""
    card = {
        "format": store.FORMAT,
        "name": arguments.kind,
        **DESCRIPTIONS[arguments.kind],
        "created": now(),
        "family": source.family,
        "parameters": source.card.get("parameters"),
        "bytes": size,
        "lineage": source.card.get("lineage", {"base": None}),
        "data": _data(data, source.card),
        "training": training,
        "metrics": metrics,
        "files": source.card["files"],
    }
    _write(source.path, arguments.output, card)
    return card


def _data(report: Mapping[str, Any], card: Mapping[str, Any]) -> dict[str, Any]:
    """Where the data are from and what was done with them; counts of the training where the card has them."""
    told = card.get("data")
    used: Mapping[str, Any] = told if isinstance(told, Mapping) else {}
    counts = {key: used[key] for key in ("training", "validation") if key in used}
    return {
        "sources": report["sources"],
        "prepared_by": "pipelines/train_prior/prepare.py",
        "counts": report["counts"],
        "tokens_left_out": report["rare_tokens"],
        "files": report["files"],
        **({"used": counts} if counts else {}),
    }


def _write(source: Path, destination: Path, card: Mapping[str, Any]) -> None:
    """Assemble the folder beside its place, check it, and rename it, so that half a prior never carries its name."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{destination.name}-", dir=destination.parent) as temporary:
        place = Path(temporary) / destination.name
        place.mkdir()
        for name in card["files"]:
            shutil.copyfile(source / name, place / name)
        store.write_card(place, card)
        load(place, verify=True)
        if destination.exists():
            destination.rename(Path(temporary) / "replaced")
        place.rename(destination)
