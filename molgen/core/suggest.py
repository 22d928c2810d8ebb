"""Turns a mistyped name into a question: "did you mean ...?"."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def closest(word: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that was probably meant by ``word``, or None."""
    names = list(names)
    by_folded = {_fold(name): name for name in reversed(names)}
    folded = _fold(word)
    matches = difflib.get_close_matches(folded, by_folded, n=1, cutoff=0.6)
    if not matches and len(folded) > 3:  # the beginning of a long name: celecoxb for celecoxib_rediscovery
        beginnings = {name[: len(folded) + 1]: name for name in reversed(by_folded)}
        matches = [
            beginnings[match] for match in difflib.get_close_matches(folded, beginnings, n=1, cutoff=0.8)
        ]
    return by_folded[matches[0]] if matches else None


def did_you_mean(word: str, names: Iterable[str], *, what: str = "there are") -> str:
    """The tail of a message about an unknown ``word``: the likely name, else all of them if they are few."""
    names = list(names)
    match = closest(word, names)
    if match is not None:
        return f"; did you mean {match!r}?"
    if not names:
        return ""
    shown = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
    return f"; {what} {shown}"


def _fold(name: str) -> str:
    return name.lower().replace("-", "_").replace(" ", "_")
