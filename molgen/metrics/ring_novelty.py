"""Share of molecules whose every ring system is known to ChEMBL, by the Bloom filter of the package chembl-gen-check.

A Bloom filter never forgets a member, and takes a stranger for a member about once in 30,000 times here (15 hash
functions), so the share can only err upward, by that little.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rdkit import Chem

from molgen.chem.bloom import BloomFilter as BloomFilter
from molgen.chem.fragments import ring_systems


def ring_systems_known(mols: Sequence[Chem.Mol], known: BloomFilter) -> np.ndarray:
    """Whether every ring system of each molecule is known, ``bool [n]``; a molecule without rings counts as known."""
    seen: dict[str, bool] = {}

    def is_known(ring: str) -> bool:
        if ring not in seen:
            seen[ring] = ring in known
        return seen[ring]

    return np.array([all(is_known(ring) for ring in ring_systems(mol)) for mol in mols], dtype=bool)
