"""Scaffold memory: a scaffold that has been visited often enough earns nothing more, so that the search moves on."""

from __future__ import annotations

from collections import Counter


class ScaffoldMemory:
    """Counts visits per Murcko scaffold (Blaschke et al., J. Cheminf. 2020, doi:10.1186/s13321-020-00473-0).

    A visit is any proposal, repeats included, whose total is at least ``min_score``: counting repeats is what stops
    a strategy from earning for ever with one molecule. Acyclic molecules count as scaffolds of their own.
    """

    def __init__(self, bucket_size: int, min_score: float) -> None:
        self.bucket_size = bucket_size
        self.min_score = min_score
        self.visits: Counter[str] = Counter()

    def visit(self, scaffold: str, total: float) -> float:
        """Record a visit; the factor on the reward: 1 while there is room, 0 once the bucket is full."""
        if not total >= self.min_score:
            return 1.0
        self.visits[scaffold] += 1
        return 1.0 if self.visits[scaffold] <= self.bucket_size else 0.0
