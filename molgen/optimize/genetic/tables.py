"""What the operators know about molecules: pieces, elements, ring sizes and atom environments of ZINC250k, counted.

The table (tables/zinc250k.json.gz) is made by ``pipelines/genetic_tables/make.py`` from the unlabeled ZINC250k set and
nothing else, so that a search with these operators stays in the league of searches that know no labels in advance.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdFingerprintGenerator

from molgen.optimize.genetic.sketch import RING_SIZES, weighted

FORMAT = 1
_ATOM = re.compile(r"\[(?!H\])[^\]]*\]|Cl|Br|[BCNOSPFIbcnosp]")


@dataclass(frozen=True)
class Tables:
    """The counts, ready to draw from.

    ``pieces[k][size]``: SMILES with k wildcards and so many heavy atoms, with running sums of the square roots of their
    counts (common ones come often, rare ones still come). ``elements``: atomic numbers, with running sums of counts.
    ``environments``: identifiers of the atom environments (Morgan, radius 1) that occur.
    """

    source: dict[str, Any]
    pieces: dict[int, dict[int, tuple[tuple[str, ...], np.ndarray]]]
    elements: tuple[int, ...]
    element_weights: np.ndarray
    ring_sizes: dict[int, float]
    environments: frozenset[int]
    allowed_rings: frozenset[int] = frozenset(RING_SIZES)

    def widened(self, smiles: Iterable[str]) -> Tables:
        """With what these molecules have as well: a search from them must not lose what is odd about them.

        Their atom environments count as known, and their large rings may stay, grow or shrink by an atom.
        """
        known, rings = set(self.environments), set(self.allowed_rings)
        with rdBase.BlockLogs():
            for text in smiles:
                mol = Chem.MolFromSmiles(text)
                if mol is not None:
                    known |= environments(mol)
                    for ring in mol.GetRingInfo().AtomRings():
                        if len(ring) not in rings:
                            rings |= {len(ring) - 1, len(ring), len(ring) + 1}
        return replace(self, environments=frozenset(known), allowed_rings=frozenset(rings))

    def strange(self, mol: Chem.Mol) -> int:
        """How many different atom environments (an atom with its bonds and neighbors) ZINC250k does not have."""
        return len(environments(mol) - self.environments)

    def draw_piece(self, wildcards: int, size: float, rng: np.random.Generator) -> str | None:
        """A piece of about this size, None where there is none with so many wildcards."""
        by_size = self.pieces.get(wildcards)
        if not by_size:
            return None
        texts, weights = by_size[min(by_size, key=lambda known: abs(known - size))]
        return texts[weighted(rng, weights)]


@cache
def _generator() -> Any:
    return rdFingerprintGenerator.GetMorganGenerator(radius=1)


def environments(mol: Chem.Mol) -> set[int]:
    """Identifiers of the atom environments of radius 0 and 1, stereo left out."""
    return set(_generator().GetSparseFingerprint(mol).GetOnBits())


def running(counts: Sequence[float]) -> np.ndarray:
    """Running sums, to draw with :func:`weighted`."""
    return np.cumsum(np.asarray(counts, dtype=np.float64))


@cache
def tables() -> Tables:
    """The shipped table, read once per process."""
    packed = files("molgen.optimize.genetic").joinpath("tables/zinc250k.json.gz").read_bytes()
    content = json.loads(gzip.decompress(packed))
    assert content["format"] == FORMAT, content["format"]
    elements = {int(z): count for z, count in content["elements"].items()}
    total = sum(content["ring_sizes"].values())
    identifiers = np.cumsum(np.array(content["environments"], dtype=np.int64))  # stored as differences
    return Tables(
        content["source"],
        {int(k): _by_size(rows) for k, rows in content["pieces"].items()},
        tuple(elements),
        running(list(elements.values())),
        {int(size): count / total for size, count in content["ring_sizes"].items()},
        frozenset(identifiers.tolist()),
    )


def _by_size(counts: dict[str, int]) -> dict[int, tuple[tuple[str, ...], np.ndarray]]:
    grouped: dict[int, dict[str, int]] = {}
    for text, count in counts.items():
        grouped.setdefault(heavy_atoms(text), {})[text] = count
    return {
        size: (tuple(rows), running([count**0.5 for count in rows.values()]))
        for size, rows in sorted(grouped.items())
    }


def heavy_atoms(smiles: str) -> int:
    """Heavy atoms that a string writes, wildcards not counted; nothing is parsed."""
    return len(_ATOM.findall(smiles))
