"""A large set of strings in 8 bytes each: what is known, for looking up whether a molecule was in the training set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Hashed:
    """Sorted 64-bit hashes; among a million strings a stranger is taken for a member once in 10^13 look-ups."""

    hashes: np.ndarray

    def __contains__(self, text: object) -> bool:
        value = np.uint64(_hash(str(text)))
        place = int(np.searchsorted(self.hashes, value))
        return place < len(self.hashes) and bool(self.hashes[place] == value)

    def __len__(self) -> int:
        return len(self.hashes)


def hashed(texts: Iterable[str]) -> Hashed:
    """The set of these strings."""
    return Hashed(np.unique(np.fromiter(map(_hash, texts), dtype=np.uint64)))


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
