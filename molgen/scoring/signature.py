"""Checks parameters of a configuration against the signature of a Python function, before it is called."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from molgen.core.errors import Problem
from molgen.core.suggest import did_you_mean

_SIMPLE = (int, float, str, bool, list, dict, tuple)


def check_call(
    function: Callable[..., Any], given: Mapping[str, Any], key: str, *, skip: int = 0
) -> list[Problem]:
    """Problems of calling ``function`` with ``given`` keywords; its first ``skip`` parameters are ours."""
    parameters = list(inspect.signature(function).parameters.values())[skip:]
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
    named = {
        parameter.name: parameter
        for parameter in parameters
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
    }
    problems = []
    if not anything:
        for name in given:
            if name not in named:
                cure = did_you_mean(name, named) if named else "; it takes none"
                problems.append(Problem(f"{key}.{name}", f"no such parameter{cure}"))
    for name, parameter in named.items():
        if name not in given and parameter.default is parameter.empty:
            problems.append(Problem(f"{key}.{name}", "missing: the function has no default for it"))
    hints = _hints(function)
    for name, value in given.items():
        wanted = _wanted(hints.get(name))
        if name in named and wanted and not _fits(value, wanted):
            words = " or ".join("nothing" if kind is type(None) else kind.__name__ for kind in wanted)
            problems.append(Problem(f"{key}.{name}", f"should be {words} (got {value!r})"))
    return problems


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        where = vars(function).get("__init__", function) if isinstance(function, type) else function
        return typing.get_type_hints(where)
    except (NameError, TypeError, AttributeError):  # annotations that cannot be resolved are not checked
        return {}


def _wanted(hint: Any) -> tuple[type, ...]:
    """The plain types that a hint asks for; empty for anything that is not checked."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        parts = [_wanted(part) for part in typing.get_args(hint)]
        return tuple(kind for part in parts for kind in part) if all(parts) else ()
    plain = typing.get_origin(hint) or hint
    return (plain,) if plain in _SIMPLE or plain is type(None) else ()


def _fits(value: Any, wanted: tuple[type, ...]) -> bool:
    if isinstance(value, bool):
        return bool in wanted
    if isinstance(value, int) and float in wanted:
        return True
    if isinstance(value, list) and tuple in wanted:
        return True
    return isinstance(value, wanted)
