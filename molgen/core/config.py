"""Reads a configuration: strict, all problems in one report with line, key path and did-you-mean.

First pass only: what the schema alone can tell. Whether names and files exist is the second (``molgen check``).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from molgen.core import explain, yamltext
from molgen.core.errors import ConfigError, Problem
from molgen.core.keypath import assign, join_key, split_key

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True)
class Loaded(Generic[T]):
    """A configuration that passed the schema, with what is needed to point at its lines later."""

    config: T
    lines: Mapping[str, int]  # key path -> line, 1-based
    text: str
    path: Path | None = None
    overridden: frozenset[str] = field(default_factory=frozenset)  # key paths set on the command line

    @property
    def source(self) -> str:
        """How messages name it."""
        return self.path.name if self.path is not None else "configuration"

    @property
    def base_dir(self) -> Path:
        """Relative paths inside the configuration start here: the folder of the file, else the working one."""
        return self.path.absolute().parent if self.path is not None else Path.cwd()

    def problem(self, key: str, message: str) -> Problem:
        """A problem at ``key`` with the best line known for it."""
        return locate(key, message, self.lines, self.overridden)


def load(source: Path | str | Mapping[str, Any], schema: type[T], overrides: Sequence[str] = ()) -> Loaded[T]:
    """Read and validate a configuration.

    ``source`` is a file (``Path``), YAML text (``str``) or plain data (mapping). ``overrides`` are
    ``key.path=value`` texts, the values in YAML: ``["budget.molecules=200", "objective.components.qed.weight=2"]``
    (:func:`molgen.core.keypath.assign`).
    Raises :class:`ConfigError` with every problem of the file at once.
    """
    path = source if isinstance(source, Path) else None
    name = path.name if path is not None else "configuration"
    lines: dict[str, int] = {}
    problems: list[Problem] = []
    data: Any
    if isinstance(source, Mapping):
        data, text = copy.deepcopy(dict(source)), yamltext.dump(_plain(source))
    else:
        text = _read(path) if path is not None else str(source)
        parsed = yamltext.parse(text)
        data, lines, problems = parsed.data, parsed.lines, list(parsed.problems)
        if data is None and not problems:
            problems = [Problem("", "is empty; `molgen new --list` shows what to start from")]
    if data is not None and not isinstance(data, dict):
        shown = explain.shown(data)
        problems.append(Problem("", f"must be a mapping (lines of 'key: value'), got {shown}", lines.get("")))
    if not isinstance(data, dict):
        raise ConfigError(problems, name)
    overridden = _override(data, overrides, problems)
    try:
        config = schema.model_validate(data)
    except ValidationError as error:
        found = [
            locate(key, message, lines, overridden) for key, message in explain.explain(error, schema, data)
        ]
        in_order = sorted([*problems, *found], key=lambda p: p.line or 0)
        raise ConfigError(in_order, name) from None
    if problems:
        raise ConfigError(problems, name)
    return Loaded(config, lines, text, path, overridden)


def dump(config: BaseModel) -> str:
    """The configuration as YAML with all defaults written out; :func:`load` reads it back to an equal object."""
    return yamltext.dump(config.model_dump(mode="json"))


def locate(
    key: str, message: str, lines: Mapping[str, int], overridden: frozenset[str] = frozenset()
) -> Problem:
    """A problem at ``key``, on its line or on that of the nearest key above it that has one."""
    parts = split_key(key)
    for end in range(len(parts), 0, -1):
        prefix = join_key(parts[:end])
        if prefix in overridden:
            return Problem(key, f"{message} (set on the command line)")
        if prefix in lines:
            return Problem(key, message, lines[prefix])
    return Problem(key, message)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"no such file: {path}", path.name) from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigError([Problem("", "not UTF-8 text; save the file as UTF-8", line)], path.name) from None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error} ({path})", path.name) from None


def _override(data: dict[str, Any], overrides: Sequence[str], problems: list[Problem]) -> frozenset[str]:
    """Apply ``key=value`` texts to ``data`` in place; returns the key paths that were set."""
    done: set[str] = set()
    for text in overrides:
        key, equals, value = text.partition("=")
        parsed = yamltext.parse(value)
        try:
            if not equals:
                raise ValueError(f"{text!r} is not of the form key.path=value")
            if parsed.problems:
                raise ValueError(f"the value is {parsed.problems[0].message}")
            done.add(assign(data, key.strip(), parsed.data))
        except ValueError as error:
            problems.append(Problem(key.strip() if equals else "", f"{error} (set on the command line)"))
    return frozenset(done)


def _plain(value: Any) -> Any:
    """Mappings, sequences and paths as the plain types that YAML knows."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
