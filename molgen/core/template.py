"""Writes a starter configuration: YAML with the schema's descriptions as comments. What it writes, it can read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from molgen.core import yamltext
from molgen.core.explain import sections

WIDTH = 110
COLUMN = 40


def template(
    schema: type[BaseModel],
    values: Mapping[str, Any],
    level: Literal["short", "full"] = "full",
    *,
    comments: Mapping[str, str] | None = None,
    header: str = "",
) -> str:
    """Commented YAML of ``values``, keys in the order of the schema.

    ``level``: ``short`` writes only the keys of ``values``; ``full`` also writes every other key, commented out with
    its default. ``comments``: key path -> words instead of the schema's. Reading the text back gives the same
    configuration as ``values``.
    """
    lines = [f"# {line}".rstrip() for line in header.splitlines()]
    lines += _Writer(level, comments or {}).section(schema, values, "", "")
    return "\n".join(lines) + "\n"


class _Writer:
    def __init__(
        self, level: str, comments: Mapping[str, str], *, explains: bool = True, column: int = COLUMN
    ) -> None:
        self.level = level
        self.comments = comments
        self.explains = explains  # writes the schema's words, not only the given comments
        self.column = column

    def section(
        self, schema: type[BaseModel], values: Mapping[str, Any], path: str, indent: str
    ) -> list[str]:
        lines: list[str] = []
        for name, info in schema.model_fields.items():
            key = f"{path}.{name}" if path else name
            if name in values:
                lines += self.entry(name, info, values[name], key, indent)
            elif self.level == "full" and not info.is_required():
                default = info.get_default(call_default_factory=True)
                if isinstance(default, BaseModel):
                    default = default.model_dump(mode="json")
                # One column less for each character of the comment sign, so that all words stay aligned.
                writer = _Writer(self.level, self.comments, column=self.column - len(indent) - 2)
                written = writer.entry(name, info, default, key, "")
                lines += [f"{indent}# {line}" if line else "" for line in written]
        return lines

    def entry(self, name: str, info: FieldInfo, value: Any, key: str, indent: str) -> list[str]:
        """A key with its value; sections and lists of sections go on in the lines below."""
        section = next(sections(info.annotation), None)
        comment = self.comments.get(key, self._words(info, section) if self.explains else "")
        if section is not None and isinstance(value, Mapping):
            space = [] if "." in key else [""]
            head = self.line(f"{indent}{name}:", comment)
            return [*space, *head, *self.section(section, value, key, indent + "  ")]
        if section is not None and isinstance(value, list) and value:
            return self.line(f"{indent}{name}:", comment) + self.items(section, value, key, indent + "  ")
        flow = f"{indent}{name}: {yamltext.scalar(value)}"
        if len(flow) > WIDTH and isinstance(value, (dict, list)):
            block = [f"{indent}  {line}" for line in yamltext.dump(value).splitlines()]
            return [*self.line(f"{indent}{name}:", comment), *block]
        return self.line(flow, comment)

    def items(self, section: type[BaseModel], values: list[Any], key: str, indent: str) -> list[str]:
        """List entries: the schema's words once, on the first; the others only with what is said of them."""
        lines: list[str] = []
        for i, value in enumerate(values):
            writer = self if i == 0 else _Writer("short", self.comments, explains=False)
            block = writer.section(section, value, f"{key}[{i}]", indent + "  ")
            first = next(j for j, line in enumerate(block) if not line.lstrip().startswith("#"))
            dashed = f"{indent}- {block[first].removeprefix(indent + '  ')}"
            above = [indent + line.lstrip() for line in block[:first]]
            lines += [*above, dashed, *block[first + 1 :]]
        return lines

    @staticmethod
    def _words(info: FieldInfo, section: type[BaseModel] | None) -> str:
        if info.description:
            return info.description
        words = (section.__doc__ or "").split("\n")[0].rstrip(".") if section is not None else ""
        return words if words[1:2].isupper() else words[:1].lower() + words[1:]

    def line(self, text: str, comment: str) -> list[str]:
        """``text`` with ``comment`` beside it, or above it where both do not fit on one line."""
        comment = " ".join(comment.split())
        if not comment:
            return [text]
        beside = f"{text:<{self.column}}  # {comment}"
        if len(beside) <= WIDTH - COLUMN + self.column:
            return [beside]
        indent = text[: len(text) - len(text.lstrip())]
        return [f"{indent}# {comment}", text]
