"""Finds all compounds above a Tanimoto similarity without comparing with every one: prefix filtering.

If two sets of features have a Tanimoto similarity of at least t, they share one of their n - ceil(t n) + 1 rarest
features, in any fixed order (Bayardo, Ma, Srikant, WWW 2007). With the rare ones first, few candidates are left.
"""

from __future__ import annotations

import numpy as np

SIMILAR = 0.85
#: Frequencies are counted in this many buckets: rarity is a matter of speed only, so collisions do no harm.
BUCKETS = 1 << 18


def prefixes(
    features: np.ndarray, offsets: np.ndarray, frequencies: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The features to look up, rarest first: uint32 ``[k]``, and the molecule of each, int64 ``[k]``.

    ``features`` are flat; those of molecule i are ``features[offsets[i]:offsets[i + 1]]``, without repeats.
    """
    sizes = np.diff(offsets)
    owner = np.repeat(np.arange(len(sizes)), sizes)
    features = np.asarray(features)
    order = np.lexsort((features, frequencies[features % BUCKETS], owner))
    place = np.arange(len(features)) - offsets[:-1][owner]
    wanted = sizes - np.ceil(SIMILAR * sizes - 1e-9).astype(np.int64) + 1
    chosen = place < wanted[owner]
    return features[order][chosen], owner[chosen]


def tanimoto(a: np.ndarray, b: np.ndarray) -> float:
    """Tanimoto similarity of two sorted sets of features; two empty ones are 0 alike."""
    both = len(np.intersect1d(a, b, assume_unique=True))
    either = len(a) + len(b) - both
    return both / either if either else 0.0
