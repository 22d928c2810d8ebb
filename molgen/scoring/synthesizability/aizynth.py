"""Asks AiZynthFinder, installed in an environment of its own, for routes: a few molecules per call, never required.

Its command line `aizynthcli` is run without a shell; what it writes is read as JSON. Whatever goes wrong is a reason
for the molecules of that call and ends nothing. Genheden et al., J. Cheminf. 12 (2020) 70.
"""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any

from molgen.core.errors import ConfigError

#: Variables of our own Python that would lead another one astray.
_OURS = frozenset({"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__"})
_TAIL = 300  # characters of its last words that are worth showing


@dataclass(frozen=True)
class Plan:
    """What the program says of one molecule. ``solved`` None: it said nothing, and ``why`` says why."""

    solved: bool | None
    steps: int | None = None
    score: float | None = None
    route: str = ""
    why: str = ""


@dataclass(frozen=True)
class AiZynth:
    """How the program is called: its path, its configuration file, seconds per molecule, molecules per call."""

    command: str
    config: Path
    seconds: float = 120.0
    batch: int = 10

    def __post_init__(self) -> None:
        if which(self.command) is None:
            raise ConfigError(
                f"no program {self.command!r}; install AiZynthFinder in an environment of its own (it does not go "
                "together with molgen's packages) and give the full path of its aizynthcli"
            )
        if not self.config.is_file():
            raise ConfigError(
                f"{self.config}: no such file; download_public_data of AiZynthFinder writes one"
            )

    def plan(self, smiles: Sequence[str], progress: Callable[[int], Any] = lambda n: None) -> list[Plan]:
        """One plan per molecule, in their order."""
        plans: list[Plan] = []
        for start in range(0, len(smiles), self.batch):
            part = list(smiles[start : start + self.batch])
            plans += self._call(part)
            progress(len(part))
        return plans

    def _call(self, smiles: list[str]) -> list[Plan]:
        with tempfile.TemporaryDirectory(prefix="molgen-aizynth-") as name:
            folder = Path(name)
            (folder / "targets.txt").write_text("\n".join(smiles) + "\n", encoding="utf-8")
            answer = folder / "routes.json.gz"
            arguments = [
                self.command,
                *("--config", str(self.config.resolve()), "--smiles", "targets.txt", "--output", answer.name),
            ]
            why = _run(arguments, folder, self.seconds * len(smiles))
            if why:
                return [Plan(None, why=why)] * len(smiles)
            try:
                rows = read_answer(answer)
            except (OSError, ValueError) as error:
                return [Plan(None, why=f"its answer cannot be read: {error}")] * len(smiles)
        if len(rows) != len(smiles):
            return [Plan(None, why=f"it answered {len(rows)} rows for {len(smiles)} molecules")] * len(smiles)
        return [_plan(row) for row in rows]


def _run(arguments: list[str], folder: Path, seconds: float) -> str:
    """Run it in a process group of its own, so that a late one can be ended whole; the reason it failed, or ""."""
    try:
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env={key: value for key, value in os.environ.items() if key not in _OURS},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return f"cannot be started: {error.strerror}"
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return f"no answer within {seconds:g} s"
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    if process.returncode:
        words = said.decode(errors="replace").strip()[-_TAIL:]
        return f"ended with code {process.returncode}: {words or 'no words'}"
    return ""


def read_answer(path: Path) -> list[dict[str, Any]]:
    """The rows of its output file, a pandas table as JSON, compressed or not. Raises OSError, ValueError."""
    if not path.is_file():
        raise ValueError("it wrote no JSON file; version 4 or newer of AiZynthFinder is needed")
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    table = json.loads(content)
    rows = table.get("data") if isinstance(table, dict) else table
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("not a table of rows")
    return rows


def _plan(row: dict[str, Any]) -> Plan:
    if not isinstance(row.get("is_solved"), bool):
        return Plan(None, why="its answer does not say whether the molecule was solved")
    solved, steps, score = row["is_solved"], row.get("number_of_steps"), row.get("top_score")
    trees = row.get("trees")
    best = trees[0] if isinstance(trees, list) and trees and isinstance(trees[0], dict) else {}
    leaves = list(dict.fromkeys(_leaves(best)))
    return Plan(
        solved,
        int(steps) if isinstance(steps, (int, float)) else None,
        float(score) if isinstance(score, (int, float)) else None,
        " + ".join(leaves),
        "" if solved else "no route to its stock found",
    )


def _leaves(tree: dict[str, Any]) -> list[str]:
    """What a route starts from: the molecules of the tree that nothing is under."""
    children = tree.get("children") or []
    if not children:
        return [str(tree["smiles"])] if tree.get("type") == "mol" and "smiles" in tree else []
    return [leaf for child in children if isinstance(child, dict) for leaf in _leaves(child)]
