"""The starter configurations behind `molgen new`: small YAML files whose comments explain the choices made."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from pydantic import BaseModel

from molgen.core import schema, yamltext
from molgen.core.errors import ConfigError
from molgen.core.suggest import did_you_mean
from molgen.core.template import template

_SCHEMAS: dict[str, type[BaseModel]] = {"optimize": schema.OptimizeConfig, "train": schema.TrainConfig}


@dataclass(frozen=True)
class Recipe:
    """One starter: its values, and the words beside them (key path -> comment)."""

    name: str
    header: str
    values: dict[str, Any]
    comments: dict[str, str]

    @property
    def summary(self) -> str:
        """What it is for, one line."""
        return self.header.partition("\n")[0].rstrip(".")

    @property
    def schema(self) -> type[BaseModel]:
        """The schema it belongs to."""
        return _SCHEMAS[self.values["kind"]]

    def write(self, level: Literal["short", "full"] = "full") -> str:
        """The commented YAML text that `molgen new` gives."""
        return template(self.schema, self.values, level, comments=self.comments, header=self.header)


def names() -> list[str]:
    """All recipes."""
    return sorted(
        f.name.removesuffix(".yaml") for f in files(__package__).iterdir() if f.name.endswith(".yaml")
    )


def get(name: str) -> Recipe:
    """The recipe called ``name``; ConfigError with the likely name."""
    if name not in names():
        raise ConfigError(f"unknown recipe {name!r}{did_you_mean(name, names())}", "molgen new")
    text = (files(__package__) / f"{name}.yaml").read_text(encoding="utf-8")
    parsed = yamltext.parse(text)
    assert not parsed.problems, parsed.problems
    head = re.match(r"(?:#.*\n)+", text)
    header = re.sub(r"^# ?", "", head[0], flags=re.MULTILINE).strip() if head else name
    return Recipe(name, header, parsed.data, _comments(text, parsed.lines))


def _comments(text: str, lines: dict[str, int]) -> dict[str, str]:
    """The words behind the values: ``use: qed  # drug-likeness`` belongs to the key that starts on that line."""
    first_key: dict[int, str] = {}
    for key, line in lines.items():
        if key and not key.endswith("]") and (line not in first_key or len(key) < len(first_key[line])):
            first_key[line] = key
    found = {}
    for number, words in enumerate(text.splitlines(), start=1):
        comment = re.search(r"\S\s+# (.+)$", words)
        if comment and number in first_key:
            found[first_key[number]] = comment[1]
    return found
