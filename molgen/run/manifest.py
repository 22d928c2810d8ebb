"""The manifest of a run: what ran, where, with which versions, on which inputs; enough to repeat it.

No user name is recorded, and the home folder is written as ``~`` in the command line.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import socket
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from molgen.core.errors import DataError
from molgen.run.files import sha256_path
from molgen.run.resources import available, cpu_model

#: Version of ``manifest.json`` and of the layout of the run folder.
MANIFEST_FORMAT = 1
DISTRIBUTION = "molgen-toolkit"
_PACKAGES = (
    *(
        DISTRIBUTION,
        "torch",
        "rdkit",
        "numpy",
        "scipy",
        "pandas",
        "scikit-learn",
        "safetensors",
        "lightning-fabric",
    ),
    *("pydantic", "mlflow", "mlflow-skinny", "openpyxl", "pyarrow"),
)
_SLURM = (
    "SLURM_JOB_ID",
    "SLURM_ARRAY_JOB_ID",
    "SLURM_ARRAY_TASK_ID",
    "SLURM_RESTART_COUNT",
    "SLURM_JOB_PARTITION",
)
_GIT_SECONDS = 5.0
_MAX_DIFF = 200_000  # characters


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def collect(
    seed: int | None = None,
    inputs: Mapping[str, Path | str] | None = None,
    models: Mapping[str, Path | str] | None = None,
    *,
    device: str = "cpu",
    argv: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Everything about this process and its inputs that a manifest holds (JSON-able).

    Args:
        seed: the seed of the run.
        inputs: name -> file; each gets its sha256 (paths are kept as given).
        models: name -> model folder or file; likewise.
        device: where the model runs (``cpu``, ``cuda:0``).
        argv: default: ``sys.argv``.

    Raises:
        DataError: an input or model cannot be read.
    """
    resources = available()
    return {
        "format": MANIFEST_FORMAT,
        "uid": uuid.uuid4().hex,
        "created": now(),
        "seed": seed,
        "argv": [_without_home(item) for item in (sys.argv if argv is None else argv)],
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "packages": versions(),
        "git": git_state(),
        "cpu": cpu_model(),
        "cpus": resources.cpus,
        "threads": _threads(resources.cpus),
        "device": device,
        "device_name": _device_name(device),
        "slurm": {key: os.environ[key] for key in _SLURM if key in os.environ},
        "inputs": {name: _digest(name, path) for name, path in (inputs or {}).items()},
        "models": {name: _digest(name, path) for name, path in (models or {}).items()},
    }


def versions() -> dict[str, str]:
    """Installed versions of molgen and of the packages that can change a result."""
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def molgen_version() -> str:
    """Version of molgen; ``unknown`` where it runs from a folder without being installed."""
    return versions().get(DISTRIBUTION, "unknown")


def git_state(root: Path | None = None) -> dict[str, Any] | None:
    """Commit, whether the work tree is dirty, and the diff of tracked files, if molgen runs from a checkout.

    None for an installed package, or where git is absent or slow.
    """
    root = root or Path(__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return None
    commit = _git(root, "rev-parse", "HEAD")
    if commit is None:
        return None
    status = _git(root, "status", "--porcelain", "--untracked-files=normal", "--", ".")
    state: dict[str, Any] = {
        "commit": commit.strip(),
        "dirty": None if status is None else bool(status.strip()),
    }
    if state["dirty"]:
        diff = _git(root, "diff", "--no-ext-diff", "--no-color", "HEAD", "--", ".") or ""
        cut = len(diff) - _MAX_DIFF
        state["diff"] = diff if cut <= 0 else f"{diff[:_MAX_DIFF]}\n... {cut} more characters left out\n"
        state["untracked"] = [line[3:] for line in (status or "").splitlines() if line.startswith("??")][:100]
    return state


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},  # a manifest must not lock the user's repository
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None


def _digest(name: str, path: Path | str) -> dict[str, Any]:
    path = Path(path)
    try:
        digest = sha256_path(path)
        size = (
            path.stat().st_size
            if path.is_file()
            else sum(f.stat().st_size for f in path.rglob("*") if f.is_file())
        )
    except OSError as error:
        raise DataError(f"{name}: cannot read {path}: {error.strerror}; check the path") from error
    return {"path": str(path), "sha256": digest, "bytes": size}


def _threads(cpus: int) -> int:
    torch = sys.modules.get("torch")
    if torch is not None:
        return int(torch.get_num_threads())
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdigit() else cpus


def _device_name(device: str) -> str:
    torch = sys.modules.get("torch")
    if device.startswith("cuda") and torch is not None:
        return str(torch.cuda.get_device_name(device))
    return cpu_model()


def _without_home(text: str) -> str:
    home = os.path.expanduser("~")
    return text.replace(home, "~") if len(home) > 1 else text
