"""What can be read off a configuration that the schema has refused, so that one report names everything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from molgen.core import config as configs
from molgen.core import yamltext
from molgen.core.errors import ConfigError
from molgen.scoring.registry import known_names, unknown_name


def with_unknown_scorers(
    error: ConfigError, source: Path | str | Mapping[str, Any], more: Iterable[str]
) -> ConfigError:
    """Add the misspelled scorers of a configuration that the schema refused, so that one report names both."""
    data, lines = parsed(source)
    holders: dict[str, Any] = {"": data} if "components" in data else {"objective.": data.get("objective")}
    stages = data.get("stages")
    for k, stage in enumerate(stages if isinstance(stages, list) else []):
        holders[f"stages[{k}].objective."] = stage.get("objective") if isinstance(stage, dict) else None
    found = []
    for prefix, holder in holders.items():
        components = holder.get("components") if isinstance(holder, dict) else None
        for i, component in enumerate(components if isinstance(components, list) else []):
            use = component.get("use") if isinstance(component, dict) else None
            if isinstance(use, str) and ":" not in use and use not in known_names(more):
                found.append(configs.locate(f"{prefix}components[{i}].use", unknown_name(use, more), lines))
    problems = sorted([*error.problems, *found], key=lambda p: p.line or 0)
    return ConfigError(problems, error.source)


def parsed(source: Path | str | Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, int]]:
    """Raw data and lines; nothing where it cannot be read, which configs.load explains."""
    if isinstance(source, (Path, str)):
        try:
            text = source.read_text(encoding="utf-8-sig") if isinstance(source, Path) else source
        except (OSError, UnicodeDecodeError):
            return {}, {}
        read = yamltext.parse(text)
        return (read.data, read.lines) if isinstance(read.data, dict) else ({}, {})
    return source, {}
