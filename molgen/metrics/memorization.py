"""Does a sample repeat its training set? Exact and scaffold copies, and neighbors closer than held-out ones have.

The test for closeness follows Meehan et al. 2020 (arXiv:2004.05675): a Mann-Whitney test of the similarities to the
nearest training molecule, sample against held-out control. Exact copies are counted apart and left out of it: a
held-out set has none by construction, so that they would decide the test alone.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Container, Sequence
from dataclasses import dataclass

import numpy as np

from molgen.metrics.distribution import lookup


@dataclass(frozen=True)
class Memorization:
    """Copies and closeness.

    Attributes:
        copies: share of the distinct molecules that are training molecules.
        scaffold_copies: share of the distinct molecules with rings whose scaffold the training set has; None unknown.
        nearest: similarity of each distinct novel molecule to its nearest training molecule.
        control: the same for held-out molecules; empty without a control.
        closer: probability that a novel molecule is closer to training than a held-out one; 0.5 is no difference.
        z: of that test; below -3 the sample is closer than chance allows (the sign is that of the C_T test).
    """

    copies: float
    n: int
    scaffold_copies: float | None
    nearest: np.ndarray
    control: np.ndarray
    closer: float | None
    z: float | None


def copy_share(distinct: Collection[str], training: Container[str]) -> float:
    """Share of the distinct strings that are in the training strings; both canonical in the same way."""
    known = lookup(training)
    return sum(text in known for text in distinct) / len(distinct) if distinct else math.nan


def memorization(
    distinct: Sequence[str],
    nearest: np.ndarray,
    training: Container[str],
    *,
    scaffolds: Sequence[str] | None = None,
    training_scaffolds: Container[str] | None = None,
    control: np.ndarray | None = None,
) -> Memorization:
    """Put the audit together.

    Args:
        distinct: canonical strings of the distinct molecules of the sample.
        nearest: similarity of each to its nearest training molecule, ``[n]``; NaN for those that were not searched.
        training: canonical training strings.
        scaffolds: Murcko scaffolds of the distinct molecules, "" without rings.
        training_scaffolds: those of the training set.
        control: similarities of held-out molecules to their nearest training molecules.
    """
    known = lookup(training)
    novel = np.array([text not in known for text in distinct], dtype=bool)
    values = np.asarray(nearest, dtype=np.float64)[novel]
    values = values[np.isfinite(values)]
    held_out = np.asarray([] if control is None else control, dtype=np.float64)
    closer, z = mann_whitney(values, held_out) if len(values) and len(held_out) else (None, None)
    share = None
    if scaffolds is not None and training_scaffolds is not None:
        ringed = [scaffold for scaffold in scaffolds if scaffold]
        known_scaffolds = lookup(training_scaffolds)
        share = sum(s in known_scaffolds for s in ringed) / len(ringed) if ringed else None
    return Memorization(
        copies=copy_share(distinct, known),
        n=len(distinct),
        scaffold_copies=share,
        nearest=values,
        control=held_out,
        closer=closer,
        z=z,
    )


def mann_whitney(sample: np.ndarray, control: np.ndarray) -> tuple[float, float]:
    """(probability that a sampled value is above a control value, ties half; z, negative if above)."""
    from scipy.stats import rankdata

    n, m = len(sample), len(control)
    ranks = rankdata(np.concatenate([sample, control]))
    above = (ranks[:n].sum() - n * (n + 1) / 2) / (n * m)
    _, ties = np.unique(ranks, return_counts=True)
    total = n + m
    spread = (total + 1) - (ties.astype(np.float64) ** 3 - ties).sum() / (total * max(total - 1, 1))
    deviation = math.sqrt(spread / (12 * n * m)) if spread > 0 else math.inf
    return float(above), float(-(above - 0.5) / deviation)
