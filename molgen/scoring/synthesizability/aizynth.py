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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from typing import Any

from rdkit import Chem

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
    """How the program is called: its path, its configuration file, seconds per molecule, molecules per call.

    ``start``: seconds beside those of the molecules, for its imports, models and stock.
    """

    command: str
    config: Path
    seconds: float = 120.0
    batch: int = 10
    start: float = 120.0

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
            targets, answer, so_far = (
                Path(name) / x for x in ("targets.txt", "routes.json.gz", "done.jsonl")
            )
            targets.write_text("\n".join(smiles) + "\n", encoding="utf-8")
            # Started where the user is: the configuration may name its models relative to there.
            arguments = [self.command, "--config", str(self.config), "--smiles", str(targets)]
            arguments += ["--output", str(answer), "--checkpoint", str(so_far)]
            why = _run(arguments, self.start + self.seconds * len(smiles))
            try:
                rows = read_checkpoint(so_far) if why else read_answer(answer)
            except (OSError, ValueError) as error:
                rows, why = [], why or f"its answer cannot be read: {error}"
        # It leaves out what it cannot begin with, and writes SMILES in its own way.
        plans = {_written(str(row.get("target"))): _plan(row) for row in rows}
        nothing = Plan(None, why=why or "it left this molecule out: it could not begin a search with it")
        return [plans.get(_written(one), nothing) for one in smiles]


def _written(smiles: str) -> str:
    """One spelling of a molecule; the text itself where RDKit cannot read it."""
    mol = Chem.MolFromSmiles(smiles)
    return smiles if mol is None else str(Chem.MolToSmiles(mol))


def _run(arguments: list[str], seconds: float) -> str:
    """Run it in a process group of its own, so that a late one can be ended whole; the reason it failed, or ""."""
    try:
        process = subprocess.Popen(
            arguments,
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
        words = (said.decode(errors="replace").strip().splitlines() or [""])[-1][-_TAIL:]
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


def read_checkpoint(path: Path) -> list[dict[str, Any]]:
    """The rows of molecules that were done before it ended, one JSON object a line; a torn last line is left out."""
    rows: list[dict[str, Any]] = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        try:
            done = json.loads(line)
            rows.append({**done["results"], "target": done["processed_smiles"]})
        except (ValueError, KeyError, TypeError):
            continue
    return rows


def _plan(row: dict[str, Any]) -> Plan:
    """Of its best route; where it ranks by several scores it names the whole front, joined: then the first solved."""
    verdicts = [str(one) for one in _several(row.get("is_solved"))]
    if not verdicts or not set(verdicts) <= {"True", "False"}:
        return Plan(None, why="its answer does not say whether the molecule was solved")
    solved = "True" in verdicts
    place = verdicts.index("True") if solved else 0
    steps, score = (_number(_several(row.get(key)), place) for key in ("number_of_steps", "top_score"))
    trees = [tree for tree in row.get("trees") or () if isinstance(tree, dict)]
    best = next((tree for tree in trees if solved and (tree.get("metadata") or {}).get("is_solved")), None)
    leaves = list(_leaves(best or (trees[0] if trees else {})))
    lacked = [smiles for smiles, there in leaves if there is False] if steps else []  # 0: the molecule itself
    missing = " + ".join(dict.fromkeys(lacked))
    why = "" if solved else "no route to its stock found" + (f"; not in it: {missing}" if missing else "")
    route = " + ".join(dict.fromkeys(smiles for smiles, _ in leaves))
    return Plan(solved, None if steps is None else int(steps), score, route, why)


def _several(value: Any) -> list[Any]:
    if isinstance(value, str):
        return value.split("|")
    return [] if value is None else [value]


def _number(values: list[Any], place: int) -> float | None:
    try:
        return float(values[place])
    except (IndexError, TypeError, ValueError):
        return None


def _leaves(tree: dict[str, Any]) -> Iterator[tuple[str, bool | None]]:
    """What a route starts from, and whether the stock has it: molecules of the tree that nothing is under."""
    children = [child for child in tree.get("children") or () if isinstance(child, dict)]
    if not children and tree.get("type") == "mol" and "smiles" in tree:
        yield str(tree["smiles"]), tree.get("in_stock")
    for child in children:
        yield from _leaves(child)
