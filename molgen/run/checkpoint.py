"""Checkpoints: a folder per step with safetensors and JSON, whole or ignored; nothing is pickled.

``step-0000000120/`` holds ``tensors.safetensors``, ``state.json`` and, written last, the marker
``complete.json`` with the format number and the sha256 of the other two. A folder without marker is an
unfinished one and ignored; one whose digests do not fit is damaged: it is named in a warning and the one
before it is used.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import re
import shutil
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from molgen.core.errors import RunError
from molgen.run.files import explained, read_json, sha256_file, sync_folder, write_atomic, write_json

#: Version of the checkpoint folder.
CHECKPOINT_FORMAT = 1
_TENSORS, _STATE, _MARKER = "tensors.safetensors", "state.json", "complete.json"
_NAME = re.compile(r"step-(\d+)")
_logger = logging.getLogger("molgen.run")


@dataclass(frozen=True)
class Checkpoint:
    """What was saved: NumPy arrays come back as NumPy arrays, torch tensors as torch tensors on the CPU."""

    step: int
    tensors: dict[str, Any]
    state: dict[str, Any]
    path: Path


def save(
    directory: Path | str,
    step: int,
    tensors: Mapping[str, Any],
    state: Mapping[str, Any],
    keep: int = 2,
) -> Path:
    """Save ``tensors`` (torch or NumPy, any device) and ``state`` (JSON-able, keys strings) as of ``step``.

    Random states go in as what they are: Python's and NumPy's ``bit_generator.state`` as (nested) values with
    integers of any size, torch's as a uint8 tensor. NaN and infinities survive; tuples come back as lists.
    The newest ``keep`` checkpoints stay; a checkpoint of a later step is a leftover of what is being
    replayed, and goes.

    Raises:
        RunError: disk full, folder unwritable; earlier checkpoints are untouched.
        TypeError: a state value that JSON cannot hold; the message names its key.
    """
    directory = Path(directory)
    text = json.dumps(_encode(state, "state"), allow_nan=False, separators=(",", ":"))
    with explained(directory, "create"):
        directory.mkdir(parents=True, exist_ok=True)
    final = directory / f"step-{step:010d}"
    temporary = directory / f".{final.name}.{uuid.uuid4().hex[:8]}.tmp"
    with explained(final):
        try:
            temporary.mkdir()
            numpy_names = _write_tensors(temporary / _TENSORS, tensors)
            write_atomic(temporary / _STATE, text)
            digests = {name: sha256_file(temporary / name) for name in (_TENSORS, _STATE)}
            if final.exists():  # the same step again, after a resume
                _remove(final)
            os.replace(temporary, final)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
    sync_folder(directory)
    write_json(
        final / _MARKER, {"format": CHECKPOINT_FORMAT, "step": step, "numpy": numpy_names, "sha256": digests}
    )
    _prune(directory, step, keep)
    return final


def latest(directory: Path | str, *, say: Callable[[str], None] | None = None) -> Checkpoint | None:
    """The newest undamaged checkpoint, or None where none was ever finished.

    Args:
        directory: the run's ``checkpoints`` folder.
        say: gets the message about each damaged checkpoint; default: a warning of the logger ``molgen.run``.

    Raises:
        RunError: there are finished checkpoints and all are damaged, or one was written by a newer molgen.
    """
    directory = Path(directory)
    say = say or _logger.warning
    damaged: list[str] = []
    for step, path in reversed(_finished(directory)):
        try:
            checkpoint = _load(step, path)
        except _DamagedError as error:
            damaged.append(f"checkpoint {path} is damaged ({error})")
            continue
        for message in damaged:
            say(f"{message}; going on from the one before it, step {step}")
        return checkpoint
    if damaged:
        raise RunError(
            "; ".join(damaged)
            + ": no undamaged checkpoint is left; restore one from a copy of the run folder, "
            "or start the run again with --overwrite"
        )
    return None


class _DamagedError(Exception):
    """A finished checkpoint that cannot be used."""


def _finished(directory: Path) -> list[tuple[int, Path]]:
    """(step, folder) of all checkpoints with a marker, oldest first."""
    if not directory.is_dir():
        return []
    with explained(directory, "read"):
        found = [(match, path) for path in directory.iterdir() if (match := _NAME.fullmatch(path.name))]
    return sorted((int(match[1]), path) for match, path in found if (path / _MARKER).exists())


def _load(step: int, path: Path) -> Checkpoint:
    try:
        raw = (path / _MARKER).read_bytes()
        marker = json.loads(raw)
        digests, numpy_names = dict(marker["sha256"]), set(marker["numpy"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _DamagedError(f"{_MARKER}: {error}") from error
    read_json(path / _MARKER, newest=CHECKPOINT_FORMAT)  # a newer format is no damage: stop and say so
    for name in (_TENSORS, _STATE):
        try:
            digest = sha256_file(path / name)
        except OSError as error:
            raise _DamagedError(f"{name}: {error.strerror}") from error
        if digest != digests.get(name):
            raise _DamagedError(f"{name}: its sha256 is not the one that was saved")
    with explained(path, "read"):
        state = json.loads((path / _STATE).read_bytes())
        return Checkpoint(step, _read_tensors(path / _TENSORS, numpy_names), _decode(state), path)


def _write_tensors(path: Path, tensors: Mapping[str, Any]) -> list[str]:
    """Write all tensors; returns the names of those that are NumPy arrays."""
    import numpy as np

    numpy_names = sorted(
        name for name, value in tensors.items() if isinstance(value, np.ndarray | np.generic)
    )
    arrays = {
        name: np.ascontiguousarray(tensors[name]).reshape(np.shape(tensors[name])) for name in numpy_names
    }
    if len(arrays) == len(tensors):
        from safetensors.numpy import save as serialize_numpy

        write_atomic(path, serialize_numpy(arrays))
        return numpy_names
    import torch
    from safetensors.torch import save as serialize_torch

    ready: dict[str, Any] = {name: torch.tensor(array) for name, array in arrays.items()}
    seen: set[int] = set()
    for name, value in tensors.items():
        if name in ready:
            continue
        if not isinstance(value, torch.Tensor):
            raise TypeError(
                f"tensor {name!r} of the checkpoint is a {type(value).__name__}; put it into the state"
            )
        value = value.detach().to("cpu").contiguous()
        address = value.untyped_storage().data_ptr()
        # safetensors refuses tensors that share memory (tied weights, views of one buffer)
        ready[name] = value.clone() if address in seen else value
        seen.add(address)
    write_atomic(path, serialize_torch(ready))
    return numpy_names


def _read_tensors(path: Path, numpy_names: set[str]) -> dict[str, Any]:
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        names = list(file.keys())
        if numpy_names.issuperset(names):
            return {name: file.get_tensor(name) for name in names}
    from safetensors.torch import load_file

    loaded = load_file(path)
    return {name: value.numpy() if name in numpy_names else value for name, value in loaded.items()}


def _encode(value: Any, where: str) -> Any:
    """``value`` for strict JSON: non-finite floats as {"$float": "nan"}, NumPy scalars as Python numbers."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else {"$float": repr(float(value))}
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(
                    f"{where} has the key {key!r}: keys must be strings to come back as they were"
                )
        return {key: _encode(item, f"{where}.{key}") for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encode(item, f"{where}[{index}]") for index, item in enumerate(value)]
    if hasattr(value, "item") and getattr(value, "ndim", None) == 0:
        return _encode(value.item(), where)
    if hasattr(value, "tolist") and type(value).__module__ == "numpy":
        return _encode(value.tolist(), where)  # the key of numpy's MT19937 state
    raise TypeError(
        f"{where} is a {type(value).__name__}, which JSON cannot hold; pass tensors in `tensors`, "
        "the rest as numbers, strings, lists and dicts"
    )


def _decode(value: Any) -> Any:
    if isinstance(value, dict):
        if value.keys() == {"$float"}:
            return float(value["$float"])
        return {key: _decode(item) for key, item in value.items()}
    return [_decode(item) for item in value] if isinstance(value, list) else value


def _remove(path: Path) -> None:
    """Delete a checkpoint, its marker first: a kill in between leaves an unfinished, not a damaged one."""
    with contextlib.suppress(FileNotFoundError):
        (path / _MARKER).unlink()
    shutil.rmtree(path)


def _prune(directory: Path, step: int, keep: int) -> None:
    """Drop temporary folders, unfinished and later checkpoints, and all but the newest ``keep``."""
    finished = _finished(directory)
    kept = {path for number, path in finished if number <= step}
    kept -= {path for path in sorted(kept)[: -max(1, keep)]}
    for path in directory.iterdir():
        if path not in kept and (_NAME.fullmatch(path.name) or path.name.endswith(".tmp")):
            # What cannot be deleted now (network file systems) is tried again at the next save.
            with contextlib.suppress(OSError):
                _remove(path)
