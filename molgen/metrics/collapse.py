"""Mode collapse: how fast a sample repeats itself, in molecules, scaffolds and ring systems, and how wide it is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from molgen.metrics.similarity import similarity_blocks


@dataclass(frozen=True)
class Curve:
    """A quantity after the first ``at`` molecules."""

    at: list[int]
    values: list[float]


def sizes(n: int, points: int = 20) -> list[int]:
    """About ``points`` whole numbers up to ``n``, evenly spaced."""
    return sorted({max(1, round(n * i / points)) for i in range(1, points + 1)}) if n else []


def unique_curve(smiles: Sequence[str]) -> Curve:
    """Share of distinct strings among the first k, for growing k. A collapsed model bends down early."""
    at, values, seen = sizes(len(smiles)), [], set[str]()
    start = 0
    for k in at:
        seen.update(smiles[start:k])
        start = k
        values.append(len(seen) / k)
    return Curve(at, values)


def entropy_curve(keys: Sequence[str]) -> Curve:
    """Shannon entropy (nats) of the keys, say scaffolds, among the first k, for growing k. A flat end is an end."""
    at, values = sizes(len(keys)), []
    counts: Counter[str] = Counter()
    start = 0
    for k in at:
        counts.update(keys[start:k])
        start = k
        values.append(entropy(counts))
    return Curve(at, values)


def entropy(counts: Mapping[str, int]) -> float:
    """Shannon entropy of counts in nats; 0 for nothing."""
    total = sum(counts.values())
    return -sum(n / total * math.log(n / total) for n in counts.values() if n) if total else 0.0


def circles(fingerprints: np.ndarray, threshold: float = 0.4, *, block: int = 512) -> int:
    """#circles: how many molecules can be chosen, greedily in order, that are pairwise below ``threshold`` similar.

    Xie et al. 2023 (arXiv:2112.12542): unlike uniqueness it cannot be raised by near copies, and unlike internal
    diversity not by a few outliers. Grows with n; compare at equal n.
    """
    chosen = np.empty((0, fingerprints.shape[1]), dtype=np.uint8)
    for start in range(0, len(fingerprints), block):
        part = fingerprints[start : start + block]
        free = torch.ones(len(part), dtype=torch.bool)
        if len(chosen):
            for rows, _, similarity in similarity_blocks(part, chosen):
                free[rows] &= (similarity < threshold).all(dim=1)
        part = part[free.numpy()]
        if not len(part):
            continue
        inside = torch.zeros(len(part), len(part))
        for rows, columns, similarity in similarity_blocks(part, part):
            inside[rows, columns] = similarity
        taken: list[int] = []
        for i in range(len(part)):
            if not taken or bool((inside[i, taken] < threshold).all()):
                taken.append(i)
        chosen = np.concatenate([chosen, part[taken]])
    return len(chosen)


@dataclass(frozen=True)
class Recall:
    """How much of the reference's ring systems the sample has: of its kinds, and weighted by how often they occur.

    ``expected`` is the weighted recall of as many molecules of the reference itself; None where it was not computed.
    """

    kinds: float
    weighted: float
    precision: float
    n_kinds: int
    expected: float | None = None


def ring_recall(
    sample: Mapping[str, int], reference: Mapping[str, int], expected: float | None = None
) -> Recall | None:
    """Compare counts of ring systems; None where the reference has none."""
    if not reference:
        return None
    total = sum(reference.values())
    own = sum(sample.values())
    return Recall(
        kinds=sum(ring in sample for ring in reference) / len(reference),
        weighted=sum(count for ring, count in reference.items() if ring in sample) / total,
        precision=sum(count for ring, count in sample.items() if ring in reference) / own if own else 0.0,
        n_kinds=len(sample),
        expected=expected,
    )
