"""Key paths such as ``objective.components[0].weight``: read, written, and followed to set a value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from molgen.core.suggest import did_you_mean

Step = str | int


def split_key(key: str) -> list[Step]:
    """``"a.b[1].c"`` -> ``["a", "b", 1, "c"]``; raises ValueError for anything else."""
    if not re.fullmatch(r"[^.\[\]]+(\[\d+\])*(\.[^.\[\]]+(\[\d+\])*)*", key):
        raise ValueError(
            f"{key!r} is not a key path such as budget.molecules, stages[0].until or objective.components.qed.weight"
        )
    return [int(i) if i else word for i, word in re.findall(r"\[(\d+)\]|([^.\[\]]+)", key)]


def join_key(parts: Sequence[Step]) -> str:
    """``["a", "b", 1, "c"]`` -> ``"a.b[1].c"``."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts).removeprefix(".")


def assign(data: dict[str, Any], key: str, value: Any) -> str:
    """Set the value at ``key`` in ``data``; the key path as :func:`join_key` writes it.

    An entry of a list is found by its number (``stages[0]`` or ``stages.0``), its ``name`` or its ``use``
    (``objective.components.qed.weight``). Sections that are not there yet are made. Raises ValueError, and changes
    nothing, where the path leads nowhere.
    """
    parts = split_key(key)
    here: Any = data
    done: list[Step] = []
    for at, part in enumerate(parts):
        step, rest = _step(here, part, done), parts[at + 1 :]
        done.append(step)
        below = here[step] if isinstance(step, int) else here.get(step)
        if rest and below is not None:
            here = below
            continue
        if rest and (isinstance(rest[0], int) or rest[0].isdigit()):
            name = join_key(done)
            raise ValueError(f"there are no {name} here to choose from; give the whole list: {name}=[...]")
        for word in reversed(rest):
            value = {word: value}
        here[step] = value
        return join_key([*done, *rest])
    raise AssertionError("a key path has at least one part")


def _step(here: Any, part: Step, done: Sequence[Step]) -> Step:
    """``part`` as a key or a number that ``here`` takes."""
    where = join_key(done)
    if isinstance(here, dict):
        if isinstance(part, int):
            raise ValueError(f"{where or 'the configuration'} is no list, so it has no entry {part}")
        return part
    if not isinstance(here, list):
        raise ValueError(f"{where} has no keys below it")
    if isinstance(part, int) or part.isdigit():
        if int(part) < len(here):
            return int(part)
        raise ValueError(f"{where} has no entry {part}; {_listed(here)}")
    names = [_called(entry) for entry in here]
    found = [k for k, name in enumerate(names) if name == part] or [
        k for k, entry in enumerate(here) if isinstance(entry, dict) and entry.get("use") == part
    ]
    if len(found) == 1:
        return found[0]
    if found:
        numbers = " or ".join(f"{where}[{k}]" for k in found)
        raise ValueError(f"{part!r} is the name of {len(found)} entries; say which: {numbers}")
    known = [name for name in names if name]
    raise ValueError(f"{where} has no entry {part!r}{did_you_mean(part, known, what='it has')}")


def _called(entry: Any) -> str:
    given = [entry.get("name"), entry.get("use")] if isinstance(entry, dict) else []
    return next((str(name) for name in given if name), "")


def _listed(entries: Sequence[Any]) -> str:
    if not entries:
        return "it is empty"
    return "it has " + ", ".join(f"[{k}] {_called(entry)}".strip() for k, entry in enumerate(entries))
