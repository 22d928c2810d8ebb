"""The alarm for a gamed score: what is optimized rises, and the control that nobody optimizes stays behind."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from molgen.optimize.memory import CARRIED, Entry, Memory

#: Molecules at the start and at the end that are compared.
GROUP = 100
#: Rise of the desirability below which there is nothing to explain.
LEAST_RISE = 0.1
#: A control that rises less than this share of what it watches is left behind.
LEAST_SHARE = 1 / 3
#: Standard errors that the growing gap must exceed: fewer would cry wolf in a run of thousands of steps.
SURE = 4.0
_OTHERS = frozenset({"seed", CARRIED})  # not proposed by the search


@dataclass(frozen=True)
class Pair:
    """A control and the component that it watches; ``watched`` "": the total."""

    control: str
    watched: str = ""


@dataclass(frozen=True)
class Gap:
    """How far a control has followed, in mean desirability of the first and of the last molecules."""

    pair: Pair
    rise: float
    control_rise: float
    error: float

    @property
    def gamed(self) -> bool:
        """Whether the control stayed behind by more than chance explains."""
        grown = self.rise - self.control_rise
        return (
            self.rise >= LEAST_RISE
            and self.control_rise < LEAST_SHARE * self.rise
            and grown > SURE * self.error
        )

    def words(self) -> str:
        """The finding as a sentence, without a full stop."""
        what = self.pair.watched or "the score"
        verb = "rose" if self.control_rise >= 0 else "fell"
        return (
            f"{what} rose by {self.rise:.2f} between the first and the last {GROUP} molecules, its control "
            f"{self.pair.control}, which nobody optimizes, {verb} by {abs(self.control_rise):.2f}"
        )


def pairs_of(components: Iterable[Mapping[str, Any]]) -> list[Pair]:
    """The controls among components as :meth:`molgen.scoring.objective.Objective.describe` gives them."""
    return [Pair(str(c["name"]), str(c.get("watches") or "")) for c in components if c["role"] == "control"]


def offers(components: Sequence[Mapping[str, Any]]) -> list[str]:
    """A sentence where an activity model steers a search and nothing watches it."""
    alone = [str(c["name"]) for c in components if c["use"] == "qsar" and c["role"] == "score"]
    if not alone or pairs_of(components):
        return []
    return [
        f"{alone[0]} has no control: an optimizer finds the holes of one model. molgen qsar train ... --control FOLDER "
        "makes a second one, {use: qsar, role: control, params: {model: FOLDER}} watches it"
    ]


def gap(pair: Pair, memory: Memory) -> Gap | None:
    """Compare the first molecules of a search with its last ones; None where there are not enough of both."""
    first = list(islice(_both(pair, memory.first.values()), GROUP))
    last = list(islice(_both(pair, reversed(memory.first.values())), GROUP))
    # Three groups: with fewer, start and end would be the same molecules or neighbors in time
    if len(last) < GROUP or sum(1 for _ in islice(_both(pair, memory.first.values()), 3 * GROUP)) < 3 * GROUP:
        return None
    start, end = np.array(first), np.array(last)
    rise, control_rise = (end.mean(axis=0) - start.mean(axis=0)).tolist()
    spreads = [float((group[:, 0] - group[:, 1]).var(ddof=1)) / GROUP for group in (start, end)]
    return Gap(pair, rise, control_rise, math.sqrt(sum(spreads)))


def means(pairs: Sequence[Pair], entries: Sequence[Entry]) -> dict[str, float]:
    """Metrics of a step: the mean desirability of each control and of what it watches, over the same molecules."""
    row: dict[str, float] = {}
    for pair in pairs:
        both = list(_both(pair, (e for e in entries if e.status in ("scored", "filtered", "failed"))))
        if both:
            watched, control = np.array(both).mean(axis=0).tolist()
            row |= {f"watched/{pair.control}": watched, f"control/{pair.control}": control}
    return row


def _both(pair: Pair, entries: Iterable[Entry]) -> Iterator[tuple[float, float]]:
    """(desirability of what is watched, of the control) of the search's own molecules that have both."""
    for entry in entries:
        if entry.origin in _OTHERS:
            continue
        control = entry.desirability.get(pair.control, math.nan)
        watched = entry.desirability.get(pair.watched, math.nan) if pair.watched else entry.total
        if not (math.isnan(control) or math.isnan(watched)):
            yield watched, control
