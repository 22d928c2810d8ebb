"""A trained model is a folder: config.yaml, weights.safetensors, JSON assets and card.json. Nothing is unpickled."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from molgen.core.errors import ModelError

FORMAT = 1
WEIGHTS, CONFIG, CARD = "weights.safetensors", "config.yaml", "card.json"


@dataclass(frozen=True)
class StoredModel:
    """What a model folder holds. ``params`` is the architecture as written, ``assets`` the JSON files by stem."""

    path: Path
    family: str
    params: dict[str, Any]
    assets: dict[str, Any]
    card: dict[str, Any]
    weights: dict[str, torch.Tensor]


def sha256(path: Path) -> str:
    """Hex digest of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as handle:
        for block in iter(lambda: handle.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def save(
    folder: Path,
    *,
    family: str,
    params: Mapping[str, Any],
    assets: Mapping[str, Any],
    weights: Mapping[str, torch.Tensor],
    card: Mapping[str, Any],
    dtype: torch.dtype = torch.float16,
) -> Path:
    """Write a model folder; floating-point weights are stored in ``dtype``.

    The folder is assembled beside its place and renamed, so that a half-written model never carries its name.
    The card gets the format number, the sha256 of every other file and the number of parameters.
    """
    if folder.exists():
        raise ModelError(f"{folder} exists already; choose another place or remove it")
    folder.parent.mkdir(parents=True, exist_ok=True)
    stored = {k: (v.to(dtype) if v.is_floating_point() else v).contiguous().cpu() for k, v in weights.items()}
    if any(not torch.isfinite(v).all() for v in stored.values() if v.is_floating_point()):
        raise ModelError(f"the weights do not fit into {dtype}: some are infinite or not a number")
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
        place = Path(temporary) / folder.name
        place.mkdir()
        save_file(stored, place / WEIGHTS)
        (place / CONFIG).write_text(
            yaml.safe_dump({"format": FORMAT, "family": family, "params": dict(params)}, sort_keys=False)
        )
        for stem, content in assets.items():
            (place / f"{stem}.json").write_text(json.dumps(content, ensure_ascii=False) + "\n")
        files = {p.name: sha256(p) for p in sorted(place.iterdir())}
        parameters = sum(v.numel() for v in weights.values())
        full = {"format": FORMAT, **card, "family": family, "parameters": parameters, "files": files}
        write_card(place, full)
        os.rename(place, folder)
    return folder


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write ``card.json`` in one step."""
    temporary = folder / f".{CARD}.tmp"
    temporary.write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n")
    os.replace(temporary, folder / CARD)


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a model folder. Raises :class:`ModelError` where there is none."""
    return dict(_read_json(folder / CARD, folder))


def data_digests(card: Mapping[str, Any]) -> set[str]:
    """The sha256 of the files that a model learned from, as far as its card tells."""
    data = card.get("data")
    if not isinstance(data, Mapping):
        return set()
    files = [
        entry.get("sha256") for entry in (data.get("files") or {}).values() if isinstance(entry, Mapping)
    ]
    return {digest for digest in [*files, *(data.get("sha256") or {}).values()] if digest}


def ancestry(base: str, folder: Path, digests: set[str]) -> dict[str, Any]:
    """The ``lineage`` of a model that was trained on from the model in ``folder``: which it is, how it was trained.

    ``digests`` are those of the new data: ``same_data`` tells a second stage on the same molecules from fine-tuning.
    What the base says of its own lineage is kept, so a card tells the whole way back to random weights.
    """
    card = read_card(folder)
    return {
        "base": base,
        "same_data": bool(digests) and digests <= data_digests(card),
        "weights_sha256": card["files"][WEIGHTS],
        "training": card.get("training"),
        "lineage": card.get("lineage", {"base": None}),
    }


def load(folder: Path, *, verify: bool = False) -> StoredModel:
    """Read a model folder. ``verify`` compares every file with the sha256 in the card first."""
    if not folder.is_dir():
        raise ModelError(f"no model folder at {folder}; `molgen models list` shows the shipped ones")
    card = read_card(folder)
    if card.get("format") != FORMAT:
        raise ModelError(
            f"{folder}: model format {card.get('format')!r}, this version reads {FORMAT}; update molgen"
        )
    if verify:
        problems = verify_files(folder, card)
        if problems:
            raise ModelError(f"{folder} is damaged: " + "; ".join(problems) + "; copy or install it again")
    family, params = read_config(folder)
    try:
        weights = load_file(folder / WEIGHTS)
    except FileNotFoundError:
        raise ModelError(f"{folder} lacks {WEIGHTS}; copy the whole folder") from None
    except SafetensorError as error:
        raise ModelError(f"{folder} is damaged ({error}); copy or install it again") from None
    assets = {p.stem: _read_json(p, folder) for p in sorted(folder.glob("*.json")) if p.name != CARD}
    weights = {k: v.float() if v.is_floating_point() else v for k, v in weights.items()}
    return StoredModel(folder, family, params, assets, card, weights)


def read_config(folder: Path) -> tuple[str, dict[str, Any]]:
    """Family and parameters of a model folder, without its weights. Raises :class:`ModelError`."""
    try:
        config = yaml.safe_load((folder / CONFIG).read_text())
    except FileNotFoundError:
        raise ModelError(f"{folder} lacks {CONFIG}; copy the whole folder") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(f"{folder} is damaged ({error}); copy or install it again") from None
    if not isinstance(config, dict) or not {"family", "params"} <= config.keys():
        raise ModelError(f"{folder / CONFIG} is damaged: it names no family; copy or install the model again")
    return config["family"], config["params"]


def verify_files(folder: Path, card: Mapping[str, Any]) -> list[str]:
    """What differs from the card, in words; an empty list means that the model is intact."""
    problems = []
    for name, expected in card.get("files", {}).items():
        if not (folder / name).is_file():
            problems.append(f"{name} is missing")
        elif (found := sha256(folder / name)) != expected:
            problems.append(f"{name} has sha256 {found[:12]}..., the card says {expected[:12]}...")
    return problems


def _read_json(path: Path, folder: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{folder} is no model folder: it has no {path.name}") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} is damaged ({error}); copy or install the model again") from None
