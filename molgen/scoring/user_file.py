"""Loads a user's function from a file, checks it, and calls it so that whatever it does is an answer or an error."""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib.util
import inspect
import math
import numbers
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from molgen.chem.molecule import Molecule
from molgen.core.errors import ConfigError, Problem, ScorerError
from molgen.core.suggest import did_you_mean
from molgen.scoring.signature import check_call

ONE, MANY = ("mol", "smiles"), ("mols", "smiles_list")
Answer = tuple[float, str]  # value, and why there is none


@dataclass(frozen=True)
class Function:
    """A loaded function of the user's with its parameters bound."""

    where: str  # file.py:name, for messages
    function: Callable[..., Any]
    kind: str
    params: Mapping[str, Any]

    def call(self, mols: Sequence[Molecule]) -> list[Answer]:
        """(value, error) per molecule; raises ScorerError if it returns something that is no answer."""
        if self.kind in MANY:
            return self._call_many(mols)
        return [self._call_one(mol) for mol in mols]

    def _call_one(self, mol: Molecule) -> Answer:
        try:
            result = self._invoke(_argument(mol, self.kind))
        except Exception as error:  # whatever a user's code raises is that molecule's error, not ours
            return math.nan, _words(error)
        return _number(result, f"{self.where} returned", mol.smiles)

    def _call_many(self, mols: Sequence[Molecule]) -> list[Answer]:
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


def _number(result: Any, who: str, smiles: str) -> Answer:
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
