"""The scorer ``command``: a program that reads structures and writes values, run without a shell."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from molgen.core.errors import ConfigError, Problem
from molgen.scoring.external import External
from molgen.scoring.external_answer import LARGEST, Answer, CallFailed, ids, match, read_csv, read_json
from molgen.scoring.external_params import CommandParams
from molgen.scoring.protocol import Context

_SCRIPTS = frozenset({".py", ".sh", ".pl", ".R", ".r", ".jl", ".rb", ".js", ".lua", ".awk"})
_COPIED = 4 << 20  # bytes of a file that a run copies; the hash of a larger one is all that is kept


def build(name: str, params: CommandParams, context: Context) -> External:
    """Find the program and hash the files that it depends on; raises ConfigError where one is missing."""
    problems = []
    program = params.command[0]
    found = context.base_dir / program if os.sep in program else shutil.which(program)
    if found is None or not os.access(found, os.X_OK) or Path(found).is_dir():
        problems.append(
            Problem("command[0]", f"no program {program!r} " + (f"at {found}" if found else "on the PATH"))
        )
    files: dict[str, str] = {}
    large: list[str] = []
    # Other arguments may be files that the program writes: their hashes would change with every call.
    scripts = [text for text in params.command[1:] if Path(text).suffix in _SCRIPTS]
    for k, text in enumerate([*params.files, *scripts, str(found)]):
        path = context.base_dir / Path(text).expanduser()
        try:
            if path.is_file():
                with path.open("rb") as file:
                    sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                if path.stat().st_size > _COPIED or (text == str(found) and path.suffix not in _SCRIPTS):
                    large.append(sha256)
                else:
                    files[str(path)] = sha256
            elif k < len(params.files):
                problems.append(Problem(f"files[{k}]", f"there is no file {path}"))
        except OSError as error:
            if k < len(params.files):
                problems.append(Problem(f"files[{k}]", str(error)))
    if problems:
        raise ConfigError(problems, name)
    arguments = [str(found), *params.command[1:]]
    summary = f"value of the command {Path(program).name}"
    make = partial(Command, arguments, params, context.base_dir)
    return External(name, params, make, files, context.base_dir, summary, large)


class Command:
    """Runs the program once per batch, in the folder of the configuration, and reads its answer."""

    def __init__(self, arguments: Sequence[str], params: CommandParams, base_dir: Path) -> None:
        self.arguments, self.params, self.base_dir = list(arguments), params, base_dir
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def __call__(self, smiles: Sequence[str]) -> list[Answer]:
        """Ask once; raises CallFailed with the end of what the program said."""
        with tempfile.TemporaryDirectory(prefix="molgen-command-") as name:
            folder = Path(name)
            given, taken = folder / f"input.{self.params.send}", folder / f"output.{self.params.answer}"
            given.write_text(self._sent(smiles), encoding="utf-8")
            arguments = [
                text.replace("{input}", str(given)).replace("{output}", str(taken)) for text in self.arguments
            ]
            from_file = any("{output}" in text for text in self.arguments)
            said = self._run(arguments, given, folder)
            text = _read(taken if from_file else said)
        if from_file and text is None:
            raise CallFailed("it ended well but wrote no {output} file")
        read: Any = read_json if self.params.answer == "json" else read_csv
        return match(read(text or ""), smiles, self.params.column, self.params.evidence)

    def cancel(self) -> None:
        """End the programs that run."""
        with self._lock:
            for process in self._running:
                _kill(process)

    def _sent(self, smiles: Sequence[str]) -> str:
        named = list(zip(ids(len(smiles)), smiles, strict=True))
        if self.params.send == "json":
            return json.dumps([{"id": key, "smiles": text} for key, text in named])
        if self.params.send == "smi":
            return "".join(f"{text} {key}\n" for key, text in named)
        stream = io.StringIO()
        csv.writer(stream, lineterminator="\n").writerows([("id", "smiles"), *named])
        return stream.getvalue()

    def _run(self, arguments: list[str], given: Path, folder: Path) -> Path:
        """Run to the end or the time limit; the file with what it wrote to its standard output."""
        out, err = folder / "stdout", folder / "stderr"
        with given.open("rb") as source, out.open("wb") as sink, err.open("wb") as words:
            try:
                process = subprocess.Popen(
                    arguments,
                    stdin=source,
                    stdout=sink,
                    stderr=words,
                    cwd=self.base_dir,
                    start_new_session=True,  # so that what it started ends with it
                )
            except OSError as error:
                raise CallFailed(f"cannot be started: {error}") from error
            with self._lock:
                self._running.add(process)
            try:
                code = process.wait(self.params.time_limit)
            except subprocess.TimeoutExpired:
                raise CallFailed(f"timed out after {self.params.time_limit:g} s") from None
            finally:
                _kill(process)
                process.wait()
                with self._lock:
                    self._running.discard(process)
        if code:
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            last = (_read(err) or "").strip().splitlines()[-1:]
            raise CallFailed(f"{how}: {last[0][:300]}" if last else how)
        return out


def _read(path: Path) -> str | None:
    """The text of a file, None where there is none."""
    if not path.exists():
        return None
    if path.stat().st_size > LARGEST:
        raise CallFailed(f"it wrote more than {LARGEST >> 20} MB", again=False)
    return path.read_bytes().decode("utf-8", errors="replace")


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a program and whatever it has started and left behind."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:  # Windows
            process.kill()
