"""Likes and dislikes as people write them into a table: one word list, used by the scorer and by the feedback."""

from __future__ import annotations

from typing import Any

LIKE_COLUMN = "like"
_YES = frozenset({"1", "1.0", "+1", "+", "yes", "y", "true", "like", "liked", "up", "good", "keep"})
_NO = frozenset(
    {"0", "0.0", "-1", "-1.0", "-", "no", "n", "false", "dislike", "disliked", "down", "bad", "drop"}
)
_NONE = frozenset({"", "nan", "none", "na", "n/a", "?"})
WORDS = "1 / 0, yes / no, like / dislike, +1 / -1"


def parse_verdict(cell: Any) -> bool | None:
    """True for a like, False for a dislike, None for an empty cell. Raises ValueError that says what can be written."""
    text = "" if cell is None else str(cell).strip().lower()
    if text in _NONE:
        return None
    if text in _YES or text in _NO:
        return text in _YES
    raise ValueError(f"{str(cell)!r} is no verdict; write {WORDS}, or leave the cell empty")
