"""The memory of a taught model: the best molecules so far, one line each, drawn again in proportion to their worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

#: Of the rank weighting ``1 / (RANK * size + rank)``: the smaller, the more the best ones count.
RANK = 0.01


@dataclass(frozen=True)
class Remembered:
    """A string, the molecule that it spells, its reward, and its likelihood under the prior in nats."""

    raw: str
    smiles: str
    score: float
    prior: float
    scaffold: str  # Murcko; the molecule itself where it has no ring


class Replay:
    """At most ``size`` molecules, best first; at most ``per_scaffold`` of one scaffold, unless that is 0."""

    def __init__(self, size: int, weight: Literal["score", "rank"] = "score", per_scaffold: int = 0) -> None:
        self.size = size
        self.weight = weight
        self.per_scaffold = per_scaffold
        self.items: list[Remembered] = []

    def __len__(self) -> int:
        return len(self.items)

    def could_take(self, score: float) -> bool:
        """Whether a molecule of this score would stay: spares the work of finding its scaffold."""
        if len(self.items) < self.size:
            return score > 0
        return self.size > 0 and score > self.items[-1].score

    def add(self, found: Sequence[Remembered]) -> None:
        """Take in what is new and good enough; among equals the earlier one stays."""
        known = {item.smiles for item in self.items}
        for item in found:
            if item.score > 0 and item.smiles not in known:
                self.items.append(item)
                known.add(item.smiles)
        self.items.sort(key=lambda item: -item.score)
        if self.per_scaffold:
            room: Counter[str] = Counter()
            kept = []
            for item in self.items:
                room[item.scaffold] += 1
                if room[item.scaffold] <= self.per_scaffold:
                    kept.append(item)
            self.items = kept
        del self.items[self.size :]

    def purge(self, scaffolds: set[str]) -> int:
        """Forget the molecules of these scaffolds (Guo and Schwaller 2024); how many there were."""
        before = len(self.items)
        self.items = [item for item in self.items if item.scaffold not in scaffolds]
        return before - len(self.items)

    def revise(self, scores: Mapping[str, float]) -> None:
        """Other scores, by molecule; what has none (or 0) is forgotten."""
        worth = [replace(item, score=scores.get(item.smiles, 0.0)) for item in self.items]
        self.items = sorted((item for item in worth if item.score > 0), key=lambda item: -item.score)

    def draw(self, k: int, seed: int) -> list[Remembered]:
        """``k`` different molecules, or as many as there are."""
        k = min(k, len(self.items))
        if k == 0:
            return []
        if self.weight == "rank":  # as in weighted retraining (Tripp et al., NeurIPS 2020)
            weights = 1 / (RANK * len(self.items) + np.arange(len(self.items)))
        else:
            weights = np.array([item.score for item in self.items]) + 1e-6
        rng = np.random.default_rng(seed)
        return [
            self.items[i] for i in rng.choice(len(self.items), k, replace=False, p=weights / weights.sum())
        ]

    def state(self) -> list[list[Any]]:
        """JSON-able rows."""
        return [[i.raw, i.smiles, i.score, i.prior, i.scaffold] for i in self.items]

    def load_state(self, rows: Sequence[Sequence[Any]]) -> None:
        """Inverse of :meth:`state`."""
        self.items = [Remembered(*row) for row in rows]
