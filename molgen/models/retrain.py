"""A stored model as the start of another training, under another objective where the configuration says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from molgen.core import config as configs
from molgen.core.errors import ConfigError, Problem
from molgen.models.protocol import Family


def retrained_params(record: Family, stored: Mapping[str, Any], changes: Mapping[str, Any], base: str) -> Any:
    """The parameters ``stored`` with a model, with the ``changes`` that a training from it asks for.

    Raises ConfigError (keys below ``model.params``) for what the family does not know, and for what would need
    another network than the one whose weights are there. Repeating a value of the base changes nothing.
    """
    before = record.params(**stored)
    after = checked(record, {**stored, **changes})
    fixed = [
        name
        for name in changes
        if name not in record.objective_params and getattr(after, name) != getattr(before, name)
    ]
    may = ", ".join(sorted(record.objective_params)) or "nothing"
    if fixed:
        raise ConfigError(
            [
                Problem(
                    f"model.params.{name}",
                    f"{changes[name]!r} needs another network than that of the base {base} "
                    f"({getattr(before, name)!r}), whose weights are kept; remove this key, or train without base: "
                    f"(a training from a base may change: {may})",
                )
                for name in fixed
            ]
        )
    return after


def checked(record: Family, params: Mapping[str, Any]) -> Any:
    """The section of a family's parameters. Raises ConfigError with keys below ``model.params``."""
    try:
        return configs.load(params, record.params).config
    except ConfigError as error:
        raise ConfigError([Problem(f"model.params.{p.key}", p.message) for p in error.problems]) from None


def kept_weights(
    record: Family,
    weights: Mapping[str, Any],
    fresh: Mapping[str, Any],
    changed: frozenset[str],
) -> dict[str, Any]:
    """Stored ``weights``, and ``fresh`` ones in the place of those that belong to what has ``changed``."""
    anew = tuple(prefix for name, prefix in record.refitted.items() if name in changed)
    return {
        **{name: value for name, value in weights.items() if not name.startswith(anew)},
        **{name: value for name, value in fresh.items() if name.startswith(anew)},
    }
