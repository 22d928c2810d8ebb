"""A user's own score: a function in a file, nothing to import or register.

The name of its first parameter says what it gets: ``mol`` (an RDKit molecule) or ``smiles``, one at a time,
or ``mols`` or ``smiles_list``, many at once. It returns a number, or as many numbers as it got molecules;
None and NaN mean no value. What it prints goes to stderr.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.util
import inspect
import json
import math
import numbers
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from molgen.chem.molecule import Molecule
from molgen.core.errors import ConfigError, Problem, ScorerError
from molgen.core.suggest import did_you_mean
from molgen.scoring.process import START_TIMEOUT, WorkerDied, WorkerProcess, WorkerTimeout
from molgen.scoring.protocol import Scored
from molgen.scoring.signature import check_call

ONE, MANY = ("mol", "smiles"), ("mols", "smiles_list")
_Pair = tuple[float, str]


@dataclass(frozen=True)
class Function:
    """A loaded function of the user's with its parameters bound."""

    where: str  # file.py:name, for messages
    function: Callable[..., Any]
    kind: str
    params: Mapping[str, Any]

    def call(self, mols: Sequence[Molecule]) -> list[_Pair]:
        """(value, error) per molecule; raises ScorerError if it returns something that is no answer."""
        if self.kind in MANY:
            return self._call_many(mols)
        return [self._call_one(mol) for mol in mols]

    def _call_one(self, mol: Molecule) -> _Pair:
        try:
            result = self._invoke(_argument(mol, self.kind))
        except Exception as error:  # whatever a user's code raises is that molecule's error, not ours
            return math.nan, _words(error)
        return _number(result, f"{self.where} returned", mol.smiles)

    def _call_many(self, mols: Sequence[Molecule]) -> list[_Pair]:
        one = "mol" if self.kind == "mols" else "smiles"
        try:
            result = self._invoke([_argument(mol, one) for mol in mols])
        except Exception as error:
            return [(math.nan, _words(error))] * len(mols)
        try:
            values = list(result)
        except TypeError:
            raise ScorerError(
                f"{self.where} returned {type(result).__name__} for a list of {len(mols)} molecules; "
                "it must return one number per molecule"
            ) from None
        if len(values) != len(mols):
            raise ScorerError(
                f"{self.where} returned {len(values)} values for {len(mols)} molecules; it must return one "
                "per molecule, in their order (None where there is no value)"
            )
        return [
            _number(value, f"{self.where} returned a list with", mol.smiles)
            for value, mol in zip(values, mols, strict=True)
        ]

    def _invoke(self, argument: Any) -> Any:
        with contextlib.redirect_stdout(sys.stderr):
            return self.function(argument, **self.params)


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
        values = np.full(len(mols), np.nan)
        errors: dict[int, str] = {}
        for position, value, error, _ in self.stream(mols, None):
            values[position] = value
            if error:
                errors[position] = error
        return Scored(values, errors)

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

    def _call(self, mols: list[Molecule]) -> list[_Pair]:
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

    def _call_guarded(self, mols: list[Molecule], timeout: float) -> list[_Pair]:
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


def load_function(path: Path, name: str, params: Mapping[str, Any], key: str = "") -> Function:
    """Import the user's file and check the function and its parameters.

    Raises ConfigError; the problems' keys are ``<key>.use`` and ``<key>.params.<name>``.
    """
    use, where = f"{key}.use".lstrip("."), f"{path.name}:{name}"
    if not path.is_file():
        raise _refuse(use, f"no such file: {path} (relative paths start at the configuration file)")
    module = _import(path, use)
    function = getattr(module, name, None)
    if not callable(function):
        names = [
            n for n, f in vars(module).items() if inspect.isfunction(f) and f.__module__ == module.__name__
        ]
        raise _refuse(use, f"{path.name} has no function {name!r}{did_you_mean(name, names)}")
    kinds = list(inspect.signature(function).parameters)
    if not kinds or kinds[0] not in ONE + MANY:
        got = f"is {kinds[0]!r}" if kinds else "is missing"
        raise _refuse(
            use,
            f"the first parameter of {where} must be mol, smiles, mols or smiles_list; here it {got}",
        )
    problems = check_call(function, params, f"{key}.params".lstrip("."), skip=1)
    if problems:
        raise ConfigError(problems, where)
    return Function(where, function, kinds[0], dict(params))


def source_files(path: Path) -> dict[str, str]:
    """Path -> sha256 of a Python file and of the files beside it that it imports, also indirectly."""
    found: dict[str, str] = {}
    todo = [path]
    while todo:
        file = todo.pop()
        if str(file) in found:
            continue
        source = file.read_bytes()
        found[str(file)] = hashlib.sha256(source).hexdigest()
        for node in ast.walk(ast.parse(source)):
            names = (
                [node.module] if isinstance(node, ast.ImportFrom) and node.module and not node.level else []
            )
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                neighbor = file.parent / f"{name.partition('.')[0]}.py"
                if neighbor.is_file():
                    todo.append(neighbor)
    return found


def _import(path: Path, use: str) -> Any:
    # Named after its content: an edited file is another module, the same one is not run twice.
    name = f"molgen_user_{hashlib.sha256(str(path).encode() + path.read_bytes()).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(path.parent)
    sys.path.insert(0, folder)  # so that it can import its neighbors, as when it is run as a script
    try:
        with contextlib.redirect_stdout(sys.stderr):
            spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        raise _refuse(use, f"{path} cannot be imported: {_words(error)}") from error
    finally:
        sys.path.remove(folder)
    return module


def _refuse(key: str, message: str) -> ConfigError:
    return ConfigError([Problem(key, message)], "objective")


def _argument(mol: Molecule, kind: str) -> Any:
    if kind == "smiles":
        return mol.smiles
    from rdkit import Chem

    return Chem.Mol(mol.mol)  # a copy: the function may change it, other scorers must not see that


def _number(result: Any, who: str, smiles: str) -> _Pair:
    if result is None:
        return math.nan, "returned None"
    if isinstance(result, np.ndarray) and result.ndim == 0:
        result = result.item()
    if not isinstance(result, numbers.Real | np.bool_):
        raise ScorerError(
            f"{who} {result!r:.80} ({type(result).__name__}) for {smiles}; it must be a number or None"
        )
    value = float(result)
    if math.isfinite(value):
        return value, ""
    return math.nan, "returned NaN" if math.isnan(value) else "returned an infinite value"


def _words(error: BaseException) -> str:
    """Type, message and the line of the user's file where it happened."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename != __file__]
    line = f" (line {frames[-1].lineno} of {Path(frames[-1].filename).name})" if frames else ""
    if isinstance(error, SyntaxError) and error.lineno:
        line = f" (line {error.lineno})"
    return f"{type(error).__name__}: {error}{line}"
