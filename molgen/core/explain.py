"""Turns pydantic's errors into sentences about the user's file: key path, plain words, did-you-mean."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from molgen.core.errors import Problem
from molgen.core.suggest import closest, did_you_mean


def explain(
    error: ValidationError, schema: type[BaseModel], data: Mapping[str, Any], what: str = "key"
) -> list[tuple[str, str]]:
    """(key path, message) of each problem, in the order of the schema; ``what``: the word for a key.

    A mistyped key that is also reported as missing under its right name is one problem, not two, and so is a value
    that fits none of several types.
    """
    errors = _one_branch(error)
    missing = {e["loc"] for e in errors if e["type"] == "missing"}
    meant: set[tuple[int | str, ...]] = set()
    found: list[tuple[str, str]] = []
    for item in errors:
        loc = item["loc"]
        if item["type"] == "extra_forbidden":
            section = section_at(schema, loc[:-1])
            message, match = _unknown_key(str(loc[-1]), section, schema, what)
            if match is not None and (*loc[:-1], match) in missing:
                meant.add((*loc[:-1], match))
            found.append((_join(loc), message))
    for item in errors:
        if item["type"] == "extra_forbidden" or item["loc"] in meant:
            continue
        found.append((_join(item["loc"]), _message(dict(item), schema)))
    return found


def explain_params(
    error: ValidationError, schema: type[BaseModel], given: Mapping[str, Any], key: str
) -> list[Problem]:
    """The problems of the parameters that stand below ``key`` (``objective.components[2].params``)."""
    found = explain(error, schema, given, what="parameter")
    return [Problem(f"{key}.{path}" if path else key, message) for path, message in found]


def _one_branch(error: ValidationError) -> list[dict[str, Any]]:
    """Pydantic's complaints; of those about the branches of a union only the one that came furthest."""
    best: dict[tuple[Any, ...], dict[str, Any]] = {}
    for item in error.errors(include_url=False):
        loc = tuple(part for part in item["loc"] if not _is_branch(part))
        first = next((i for i, part in enumerate(item["loc"]) if _is_branch(part)), None)
        place = (*loc, item["type"]) if first is None else (*loc[:first], "one of several types")
        if place not in best or len(loc) > len(best[place]["loc"]):
            best[place] = {**item, "loc": loc}
    return list(best.values())


def _is_branch(part: int | str) -> bool:
    """Whether a part of pydantic's path is a type, not a key."""
    return isinstance(part, str) and part.startswith(("list[", "dict["))


def section_at(schema: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The section of the schema that lies at ``loc`` (``("objective", "components", 1)``), if there is one."""
    here: type[BaseModel] | None = schema
    for part in loc:
        if isinstance(part, int):
            continue  # an entry of a list has the section of the list
        if here is None or part not in here.model_fields:
            return None
        here = next(iter(sections(here.model_fields[part].annotation)), None)
    return here


def shown(value: Any) -> str:
    """A value as it looks in a message, shortened."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping (lines of 'key: value')"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _unknown_key(
    key: str, section: type[BaseModel] | None, schema: type[BaseModel], what: str
) -> tuple[str, str | None]:
    names = list(section.model_fields) if section is not None else []
    if section is not None and not names:
        return f"no such {what}; it takes none", None
    match = closest(key, names)
    if match is not None:
        return f"no such {what}; did you mean '{match}'?", match
    elsewhere = [path for path in _all_keys(schema) if path.rsplit(".", 1)[-1] == key]
    if elsewhere:
        nearest = min(path.count(".") for path in elsewhere)  # of the run, not of one of its stages
        places = [path for path in elsewhere if path.count(".") == nearest]
        return f"no such {what} here; it belongs at {' or '.join(places[:3])}", None
    return f"no such {what}{did_you_mean(key, names, what=f'the {what}s here are')}", None


def _message(item: dict[str, Any], schema: type[BaseModel]) -> str:
    """One pydantic error in plain words; pydantic's own words where we have none."""
    context, value, kind = item.get("ctx", {}), item.get("input"), str(item["type"])
    got = f", got {shown(value)}"
    if kind == "missing":
        section = section_at(schema, item["loc"][:-1])
        about = section.model_fields[str(item["loc"][-1])].description if section is not None else None
        return "required, but not there" + (f" ({about})" if about else "")
    if kind in ("literal_error", "enum"):
        choices = [
            c.strip().strip("'") for c in str(context.get("expected", "")).replace(" or ", ", ").split(",")
        ]
        match = closest(str(value), choices)
        tail = f"; did you mean {match!r}?" if match is not None else ""
        return f"must be {'one of ' if len(choices) > 1 else ''}{', '.join(choices)}{got}{tail}"
    if kind in ("model_type", "model_attributes_type", "dict_type", "mapping_type"):
        return f"must be a mapping (lines of 'key: value'){got}{_short_form(item, schema)}"
    if kind == "list_type":
        return f"must be a list (lines that start with '- '){got}"
    if kind == "too_short":
        return f"needs at least {context.get('min_length', 1)} entry"
    if kind == "string_pattern_mismatch":
        return f"may only have the characters {context.get('pattern', '').strip('^$+*')}{got}"
    words = {
        "int_parsing": "must be a whole number",
        "int_type": "must be a whole number",
        "int_from_float": "must be a whole number",
        "float_parsing": "must be a number",
        "float_type": "must be a number",
        "finite_number": "must be a finite number",
        "bool_parsing": "must be true or false",
        "bool_type": "must be true or false",
        "string_type": "must be text" + (" (put it into quotes)" if isinstance(value, (int, float)) else ""),
        "greater_than_equal": f"must be at least {context.get('ge', 0):g}",
        "greater_than": f"must be more than {context.get('gt', 0):g}",
        "less_than_equal": f"must be at most {context.get('le', 0):g}",
        "less_than": f"must be less than {context.get('lt', 0):g}",
    }
    if kind in words:
        return words[kind] + got
    return str(item["msg"]).removeprefix("Value error, ")


def _short_form(item: dict[str, Any], schema: type[BaseModel]) -> str:
    """How to write it, where the section has one required key and a bare value was given for it."""
    section = section_at(schema, item["loc"])
    if section is None or isinstance(item.get("input"), (dict, list, type(None))):
        return ""
    required = [name for name, info in section.model_fields.items() if info.is_required()]
    return f"; write {{{required[0]}: {item['input']}}}" if len(required) == 1 else ""


def sections(annotation: Any) -> Iterator[type[BaseModel]]:
    """The section types inside an annotation such as ``list[ComponentConfig]`` or ``DataConfig | None``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    elif get_origin(annotation) in (list, tuple, Union, types.UnionType):
        for argument in get_args(annotation):
            yield from sections(argument)


def _all_keys(schema: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every key path of the schema, ``[]`` for list entries."""
    for name, info in schema.model_fields.items():
        yield prefix + name
        listed = "[]" if get_origin(info.annotation) is list else ""
        for section in sections(info.annotation):
            yield from _all_keys(section, f"{prefix}{name}{listed}.")


def _join(loc: tuple[int | str, ...]) -> str:
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in loc).removeprefix(".")
