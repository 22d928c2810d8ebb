"""An activity model is a folder: arrays as safetensors, tables as CSV, card.json with the sha256 of each. No pickle."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from molgen.core.errors import ModelError

FORMAT, KIND = 1, "qsar"
CARD, WEIGHTS, TRAINING, WORDS = "card.json", "weights.safetensors", "training.csv", "card.md"


def save(
    folder: Path, arrays: Mapping[str, np.ndarray], texts: Mapping[str, str], card: Mapping[str, Any]
) -> Path:
    """Write the folder beside its place, then rename it; an older activity model there is replaced.

    Raises ModelError if something else stands there.
    """
    from safetensors.numpy import save as to_bytes

    from molgen.run.files import explained

    check_place(folder, overwrite=True)
    with explained(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
            place = Path(temporary) / folder.name
            place.mkdir()
            # not save_file, which makes files that only their owner may read
            (place / WEIGHTS).write_bytes(to_bytes({k: np.ascontiguousarray(v) for k, v in arrays.items()}))
            for name, text in texts.items():
                (place / name).write_text(text, encoding="utf-8")
            files = {p.name: _sha256(p) for p in sorted(place.iterdir())}
            full = {"format": FORMAT, "kind": KIND, **card, "files": files}
            text = json.dumps(full, indent=2, ensure_ascii=False, allow_nan=False)
            (place / CARD).write_text(text + "\n", encoding="utf-8")
            if folder.exists():
                old = Path(temporary) / "old"
                os.rename(folder, old)
                os.rename(place, folder)
                shutil.rmtree(old)
            else:
                os.rename(place, folder)
    return folder


def check_place(folder: Path, *, overwrite: bool) -> None:
    """Refuse a place that a model cannot be written to. Raises ModelError."""
    if not folder.exists():
        return
    if folder.is_dir() and not any(folder.iterdir()):
        return
    if not overwrite:
        raise ModelError(f"{folder} exists; add --overwrite to replace it, or choose another name")
    try:
        ours = read_card(folder).get("kind") == KIND
    except ModelError:
        ours = False
    if not ours:
        raise ModelError(f"{folder} is no activity model and is not replaced; choose another name")


def read_card(folder: Path) -> dict[str, Any]:
    """The card of a model. Raises ModelError where there is none, or one of another kind or format."""
    if not folder.is_dir():
        raise ModelError(
            f"no model folder at {folder}; make one with: molgen qsar train FILE --target COLUMN"
        )
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{folder} is no activity model: it has no {CARD}") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{folder / CARD} is damaged ({error}); copy or train the model again") from None
    except OSError as error:
        raise ModelError(f"{folder / CARD} cannot be read: {error.strerror or error}") from None
    if not isinstance(card, dict) or card.get("kind") != KIND:
        raise ModelError(f"{folder} is no activity model; those come from: molgen qsar train")
    if card.get("format") != FORMAT:
        raise ModelError(
            f"{folder}: format {card.get('format')!r}, this version reads {FORMAT}; update molgen"
        )
    return card


def load(folder: Path) -> tuple[dict[str, np.ndarray], list[dict[str, str]], dict[str, Any]]:
    """Arrays, rows of the training set, card; every file is compared with its sha256 first. Raises ModelError."""
    import csv
    import io

    from safetensors import SafetensorError
    from safetensors.numpy import load as load_bytes

    card = read_card(folder)
    content: dict[str, bytes] = {}
    problems = []
    files = card.get("files")
    if not isinstance(files, dict) or not {WEIGHTS, TRAINING} <= files.keys():
        raise ModelError(f"{folder / CARD} is damaged: it names no files; copy or train the model again")
    for name, expected in files.items():
        try:
            content[name] = (folder / name).read_bytes()
        except OSError:
            problems.append(f"{name} is missing")
            continue
        found = hashlib.sha256(content[name]).hexdigest()
        if found != expected:
            problems.append(f"{name} has sha256 {found[:12]}..., the card says {str(expected)[:12]}...")
    if problems:
        raise ModelError(f"{folder} is damaged: {'; '.join(problems)}; copy or train the model again")
    try:
        arrays = load_bytes(content[WEIGHTS])
    except SafetensorError as error:
        raise ModelError(f"{folder / WEIGHTS} is damaged ({error}); copy or train the model again") from None
    rows = list(csv.DictReader(io.StringIO(content[TRAINING].decode())))
    return arrays, rows, card


def fingerprint(folder: Path) -> str:
    """sha256 over the card, which holds those of all other files."""
    return _sha256(folder / CARD)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
