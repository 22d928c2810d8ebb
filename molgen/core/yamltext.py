"""Reads YAML text into plain data while remembering the line of every key path."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml

from molgen.core.errors import Problem


@dataclass(frozen=True)
class ParsedYaml:
    """Plain data, the line (1-based) of each key path such as ``objective.components[1].use``, and what is wrong."""

    data: Any
    lines: dict[str, int]
    problems: list[Problem]


class _Loader(yaml.SafeLoader):
    """SafeLoader with the scalars of YAML 1.2: ``no`` is a word, ``1e-3`` a number, ``010`` ten, dates are text."""


class _Dumper(yaml.SafeDumper):
    """Writes what :class:`_Loader` reads back unchanged; never uses anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)  # list items are indented below their key


_SCALARS = {
    "tag:yaml.org,2002:bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "tag:yaml.org,2002:null": (r"~|null|Null|NULL|", "~nN\0"),
    "tag:yaml.org,2002:int": (r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    "tag:yaml.org,2002:float": (
        r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+.0123456789",
    ),
    "tag:yaml.org,2002:merge": (r"<<", "<"),
}
for _class in (_Loader, _Dumper):
    _class.yaml_implicit_resolvers = {}
    for _tag, (_pattern, _first) in _SCALARS.items():
        _class.add_implicit_resolver(
            _tag, re.compile(rf"^(?:{_pattern})$"), [c if c != "\0" else "" for c in _first]
        )


def parse(text: str) -> ParsedYaml:
    """Read one YAML document; syntax errors and keys given twice become problems with their line."""
    problems: list[Problem] = []
    lines: dict[str, int] = {}
    loader = _Loader("")
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return ParsedYaml(None, {}, [])
        _walk(node, "", lines, problems, set())
        return ParsedYaml(loader.construct_document(node), lines, problems)
    except yaml.reader.ReaderError as error:
        before = text[: error.position] if isinstance(error.position, int) else ""
        message = f"character {error.character!r} is not allowed; is this a text file?"
        return ParsedYaml(None, lines, [Problem("", message, before.count("\n") + 1)])
    except yaml.MarkedYAMLError as error:
        return ParsedYaml(None, lines, [*problems, _syntax_problem(error, text)])
    except (ValueError, RecursionError, TypeError) as error:
        return ParsedYaml(None, lines, [*problems, Problem("", f"not valid YAML: {error}")])
    finally:
        loader.dispose()


def dump(data: Any) -> str:
    """Block-style YAML of plain data, keys in the order given; :func:`parse` reads it back unchanged."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def scalar(value: Any) -> str:
    """One value in flow style on one line, for example ``[1, 2]`` or ``'010'``."""
    text = yaml.dump(
        value, Dumper=_Dumper, default_flow_style=True, sort_keys=False, allow_unicode=True, width=1_000_000
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _walk(
    node: yaml.Node, path: str, lines: dict[str, int], problems: list[Problem], open_nodes: set[int]
) -> None:
    if id(node) in open_nodes:  # an alias of a node that contains itself
        problems.append(Problem(path, "refers to itself", node.start_mark.line + 1))
        return
    lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key_node, value in node.value:
            key, line = str(key_node.value), key_node.start_mark.line + 1
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            below = f"{path}.{key}" if path else key
            if key in seen:
                problems.append(Problem(below, f"given twice; first on line {seen[key]}", line))
            seen.setdefault(key, line)
            lines[below] = line  # of a key given twice the last one counts
            _walk(value, below, lines, problems, open_nodes | {id(node)})
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            _walk(value, f"{path}[{i}]", lines, problems, open_nodes | {id(node)})


def _syntax_problem(error: yaml.MarkedYAMLError, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark is not None else None
    what = (error.problem or error.context or "cannot be read").strip()
    source = text.splitlines()[line - 1] if line is not None and line <= len(text.splitlines()) else ""
    if "\t" in source[: len(source) - len(source.lstrip())] or "'\\t'" in what:
        what = "a tab in the indentation; YAML allows only spaces there"
    elif "another document" in what:
        what = "a second document starts here ('---'); a configuration is one document"
    elif "mapping values are not allowed" in what:
        what = "a ':' where none can be; put text that has ': ' in it into quotes, or check the indentation"
    elif "expected <block end>" in what:
        what = "the indentation does not fit the lines above"
    elif "could not determine a constructor" in what:
        what = "tags such as '!name' are not allowed"
    elif "found undefined alias" in what:
        what = f"{what}; put text that starts with '*' into quotes"
    elif "cannot start any token" in what:
        what = f"{what}; put the text into quotes"
    return Problem("", f"not valid YAML: {what}", line)
