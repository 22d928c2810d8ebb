"""A user's own score: a function in a file, nothing to import or register.

The name of its first parameter says what it gets: ``mol`` (an RDKit molecule) or ``smiles``, one at a time,
or ``mols`` or ``smiles_list``, many at once. It returns a number, or as many numbers as it got molecules;
None and NaN mean no value. What it prints goes to stderr.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from molgen.chem.molecule import Molecule
from molgen.core.errors import ScorerError
from molgen.scoring.process import START_TIMEOUT, WorkerDied, WorkerProcess, WorkerTimeout
from molgen.scoring.protocol import Scored, scored
from molgen.scoring.user_file import ONE, Answer, Function, load_function, source_files


class UserFunction:
    """The scorer of one user function. With ``timeout`` (seconds per molecule) it runs in a process of its
    own.

    That process is killed when the time is over and started again for the next molecule. A function of many
    molecules gets the sum of their times. Attribute ``files``: path -> sha256 of its file and of the
    neighboring files that it imports.
    """

    unit = ""

    def __init__(
        self,
        path: Path,
        function: str,
        params: Mapping[str, Any],
        *,
        timeout: float | None = None,
        policy: str,
    ) -> None:
        self.name = function
        self.path = path
        self.params = dict(params)
        self.timeout = timeout
        self.policy = policy
        loaded = load_function(path, function, params)
        self.kind = loaded.kind
        # What it costs is not known: one at a time is taken to be dear, so that each value is journaled.
        self.cost = 1e-2 if self.kind in ONE else 5e-3
        self.files = source_files(path)
        about = [function, sorted(self.files.values()), self.params, timeout]
        self.fingerprint = hashlib.sha256(json.dumps(about, sort_keys=True, default=str).encode()).hexdigest()
        self._function: Function | None = loaded
        self._worker: WorkerProcess | None = None

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Score a list; see :class:`molgen.scoring.protocol.Scored`."""
        return scored(len(mols), self.stream(mols, None))

    def stream(
        self, mols: Sequence[Molecule], mark: Callable[[list[int]], None] | None
    ) -> Iterator[tuple[int, float, str, str]]:
        """Yield (position, value, error, note) as they come; ``mark`` hears which are computed next."""
        size = 1 if self.kind in ONE else max(1, len(mols))
        for first in range(0, len(mols), size):
            batch = list(range(first, min(first + size, len(mols))))
            if mark is not None:
                mark(batch)
            pairs = self._call([mols[position] for position in batch])
            for position, (value, error) in zip(batch, pairs, strict=True):
                yield position, value, error, ""

    def close(self) -> None:
        """End the guarded process, if there is one."""
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (str(self.path), self.name, self.params, self.timeout, self.policy)

    def _call(self, mols: list[Molecule]) -> list[Answer]:
        if self.timeout is None:
            if self._function is None:
                self._function = load_function(self.path, self.name, self.params)
            return self._function.call(mols)
        try:
            return self._call_guarded(mols, self.timeout * len(mols))
        except WorkerTimeout:
            words = f"timed out after {self.timeout:g} s"
            if len(mols) > 1:
                words = f"timed out after {self.timeout * len(mols):g} s ({len(mols)} molecules at once)"
        except WorkerDied as error:
            words = str(error)
        except BaseException:
            self._drop()  # an answer that comes later would be taken for the next one's
            raise
        self._drop()
        return [(math.nan, words)] * len(mols)

    def _call_guarded(self, mols: list[Molecule], timeout: float) -> list[Answer]:
        if self._worker is None:
            setup = {"kind": "function", "path": str(self.path), "function": self.name, "params": self.params}
            self._worker = WorkerProcess(setup)
            self._answer(START_TIMEOUT)
        self._worker.send({"smiles": [mol.smiles for mol in mols], "policy": mols[0].policy})
        return [(float(value), error) for value, error in self._answer(timeout)["values"]]

    def _answer(self, timeout: float) -> dict[str, Any]:
        assert self._worker is not None
        message = self._worker.receive(timeout)
        if "error" in message:
            raise ScorerError(message["error"])
        return message

    def _drop(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker = None


def _rebuild(
    path: str, function: str, params: dict[str, Any], timeout: float | None, policy: str
) -> UserFunction:
    return UserFunction(Path(path), function, params, timeout=timeout, policy=policy)


def molecules(smiles: Sequence[str], policy: str) -> list[Molecule]:
    """Molecules from strings that already went through the policy."""
    return [Molecule(text, policy) for text in smiles]
