"""What can be known about a scorer without building it, torch-free and RDKit-free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from molgen.core.errors import Problem
from molgen.core.explain import explain_params
from molgen.core.schema import Section, TransformConfig
from molgen.scoring import params as p
from molgen.scoring.protocol import Context, Scorer


@dataclass(frozen=True)
class ScorerRecord:
    """What can be known about a scorer without building it.

    ``cost``: rough CPU seconds per molecule. ``transform``: the default desirability curve; None means that
    the raw value is itself a desirability in 0..1. ``builder``: "package.module:function", called with (name,
    params, context); raises ConfigError with keys relative to the parameters, or ScorerError. ``version`` is
    raised when the same molecule gets another value, so that no stale value is read from a journal.
    """

    name: str
    summary: str
    unit: str
    cost: float
    builder: str
    transform: Mapping[str, Any] | None = None
    params: type[Section] = p.NoParams
    example: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1

    def default_transform(self) -> TransformConfig:
        """The curve that is used when the configuration names none."""
        return TransformConfig(**(self.transform or {"type": "identity"}))

    def check_params(self, given: Mapping[str, Any], key: str) -> tuple[Section | None, list[Problem]]:
        """The typed parameters, or all that is wrong with them, with key paths below ``key``."""
        try:
            return self.params.model_validate(dict(given)), []
        except ValidationError as error:
            return None, explain_params(error, self.params, given, key)

    def build(self, params: Section, context: Context) -> Scorer:
        """Import the scorer's module and build it."""
        module, _, function = self.builder.partition(":")
        return getattr(import_module(module), function)(self.name, params, context)
