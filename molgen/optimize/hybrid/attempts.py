"""When a search begins anew, and what it knows then."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from molgen.optimize.hybrid.surrogate import choose_points

_TEN = 10  # molecules whose mean has to rise
_LEAST = 0.01  # by this share of itself


def together(attempt: int) -> bool:
    """Whether an attempt (counted from 0) goes on with what all before it found: every other one from the third on."""
    return attempt > 1 and attempt % 2 == 0


def begins_with(
    attempt: int, known: Mapping[str, float], seeds: Collection[str], most: int, rng: np.random.Generator
) -> dict[str, float]:
    """The molecules that an attempt knows when it begins, with their scores: the seed compounds, or all.

    More than ``most`` only cost time: then the best, the latest and some of the rest.
    """
    if not together(attempt):
        return {text: known[text] for text in seeds if text in known}
    texts = list(known)
    chosen = choose_points(np.array([known[text] for text in texts]), most, rng)
    return {texts[i]: known[texts[i]] for i in chosen}


class Patience:
    """Whether a search stands still: the mean of its ten best rose by less than ``_LEAST`` in ``patience`` molecules.

    ``patience`` 0: it never does.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.paid = 0
        self.course: list[tuple[int, float]] = []  # (paid, mean of the ten best), the first before the window

    @property
    def exhausted(self) -> bool:
        """Whether it stands still."""
        if not self.patience or not self.course:
            return False
        (first, then), (last, now) = self.course[0], self.course[-1]
        return last - first >= self.patience and now <= then + _LEAST * abs(then)

    def tell(self, scores: Sequence[float], new: int) -> None:
        """All scores of the search, as the surrogate sees them; the last ``new`` are new."""
        self.paid += new
        if not new or len(scores) < _TEN:
            return
        self.course.append((self.paid, float(np.sort(np.asarray(scores))[-_TEN:].mean())))
        while len(self.course) > 1 and self.course[1][0] <= self.paid - self.patience:
            self.course.pop(0)

    def state(self) -> dict[str, Any]:
        """JSON-able."""
        return {"paid": self.paid, "course": [list(point) for point in self.course]}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Inverse of :meth:`state`."""
        self.paid = state["paid"]
        self.course = [(paid, mean) for paid, mean in state["course"]]
