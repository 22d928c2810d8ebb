"""Collects what is wrong with one configuration, each problem with its key path and line."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from molgen.chem.standardize import POLICIES
from molgen.core import config as configs
from molgen.core.errors import ConfigError, DataError, MolgenError, Problem
from molgen.core.schema import DataConfig
from molgen.core.suggest import closest, did_you_mean
from molgen.data.reader import read


class Look:
    """Problems and notes of a look at one configuration."""

    def __init__(self, loaded: configs.Loaded[Any]) -> None:
        self.loaded = loaded
        self.problems: list[Problem] = []
        self.notes: list[str] = []

    def problem(self, key: str, message: str) -> None:
        """Note a problem under its key path."""
        self.problems.append(self.loaded.problem(key, message))

    def attempt(self, key: str, action: Callable[[], Any]) -> Any:
        """The result of ``action``, or None with what it complained about noted under ``key``."""
        try:
            return action()
        except ConfigError as error:
            for problem in error.problems:
                self.problem(problem.key or key, problem.message)
        except (MolgenError, OSError) as error:
            self.problem(key, str(error))
        return None

    def policy(self, key: str, name: str) -> None:
        """The standardization policy exists."""
        if name not in POLICIES:
            self.problem(key, f"unknown standardization policy {name!r}{did_you_mean(name, POLICIES)}")

    def data(self, key: str, section: DataConfig | None, names: Iterable[str] = ()) -> None:
        """The file is there and its first rows hold molecules."""
        if section is None or section.path in names:
            return
        path = self.loaded.base_dir / Path(section.path).expanduser()
        if not path.is_file():
            near = _neighbor(path)
            self.problem(f"{key}.path", f"no such file: {path}{near}")
            return
        if section.policy not in POLICIES:
            self.policy(f"{key}.policy", section.policy)
            return
        try:
            table = read(
                path,
                smiles_column=section.smiles_column,
                id_column=section.id_column,
                policy=section.policy,
                limit=100,
            )
        except DataError as error:
            self.problem(key, str(error))
            return
        if not table.molecules:
            self.problem(f"{key}.path", f"no molecule in the first rows: {table.summary()}")
        self.notes.append(
            f"{key}: first rows of {table.summary()}; structures from column {table.smiles_column!r}"
        )


def _neighbor(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return f"; there is no folder {folder}"
    match = closest(path.name, sorted(os.listdir(folder))[:500])
    return f"; did you mean {match!r}?" if match is not None else ""
