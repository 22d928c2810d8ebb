"""Neighbors of a molecule in a model's latent space, and the path between two molecules."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from molgen.chem.fingerprints import morgan, tanimoto
from molgen.chem.molecule import Molecule, parse_all
from molgen.core.seeding import stream
from molgen.report.frame import MoleculeFrame
from molgen.workflows.capability import require

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Neighbors(MoleculeFrame):
    """Distinct molecules around one: how many of the ``drawn`` points gave each, and its ECFP4 similarity."""

    query: str
    radius: float
    smiles: list[str]
    points: list[int]
    similarity: list[float]
    requested: int
    drawn: int

    def __len__(self) -> int:
        return len(self.smiles)

    @property
    def shortfall(self) -> int:
        """How many fewer than asked."""
        return max(0, self.requested - len(self))

    def to_frame(self) -> pd.DataFrame:
        """Columns ``smiles``, ``similarity`` and ``points``, most similar first."""
        import pandas as pd

        return pd.DataFrame({"smiles": self.smiles, "similarity": self.similarity, "points": self.points})

    def caption(self) -> str:
        """What was asked and found."""
        text = f"{len(self)} neighbors of {self.query} from {self.drawn} points at radius {self.radius:g}"
        return text + ("; a larger radius or a temperature gives more" if self.shortfall else "")


@dataclass(frozen=True)
class Walk(MoleculeFrame):
    """Molecules on the straight line between two, in order; ``rebuilt``: whether each end came back as itself."""

    first: str
    last: str
    smiles: list[str]
    similarity: list[tuple[float, float]]
    rebuilt: tuple[bool, bool]

    shown = 50

    def __len__(self) -> int:
        return len(self.smiles)

    def to_frame(self) -> pd.DataFrame:
        """Columns ``share`` (0..1 of the way), ``smiles`` and the ECFP4 similarity to either end."""
        import pandas as pd

        near, far = zip(*self.similarity, strict=True)
        return pd.DataFrame(
            {
                "share": np.linspace(0, 1, len(self)),
                "smiles": self.smiles,
                "similarity_first": near,
                "similarity_last": far,
            }
        )

    def caption(self) -> str:
        """How many different molecules, and whether the ends came back."""
        names = [n for n, same in zip(("first", "last"), self.rebuilt, strict=True) if not same]
        note = f"; the {' and the '.join(names)} molecule does not come back exactly" if names else ""
        return f"{len(set(self.smiles))} different molecules in {len(self)} steps{note}"


def neighbors(
    generator: Any,
    smiles: str,
    *,
    n: int = 20,
    radius: float = 2.0,
    temperature: float | None = None,
    seed: int = 1,
) -> Neighbors:
    """``n`` distinct molecules decoded at distance ``radius``, in standard deviations of the points of molecules.

    Directions are uniform; the likeliest molecule of each point is taken, or with a ``temperature`` a drawn one. Gives
    up after ``20 n + 200`` points. Raises MoleculeError, ModelError, and DataError where the molecule has no point.
    """
    from molgen.models.latent.moves import around, encoded, whitening

    require(generator, "encode", "decode")
    if n < 1 or radius <= 0:
        raise ValueError(f"n must be >= 1 and radius > 0, got n={n}, radius={radius}")
    query = Molecule.from_smiles(smiles)
    itself = Molecule.from_smiles(query.smiles, "flat").smiles
    center, space = encoded(generator, [query.smiles])[0], whitening(generator)
    found: Counter[Molecule] = Counter()
    drawn, most = 0, 20 * n + 200
    while len(found) < n and drawn < most:
        size = min(max(64, 2 * n), most - drawn)
        number = stream(seed, "neighbors", drawn)
        options = {} if temperature is None else {"greedy": False, "temperature": temperature, "seed": number}
        points = around(center, space, n=size, radius=radius, seed=number)
        parsed = parse_all(generator.decode(points, **options))
        found.update(m for m in parsed.ok if m.smiles not in (itself, query.smiles))
        drawn += size
    kept = list(found)[:n]
    alike = _similarity(kept, [query])[:, 0].tolist() if kept else []
    order = sorted(range(len(kept)), key=lambda k: -alike[k])
    return Neighbors(
        query.smiles,
        radius,
        [kept[k].smiles for k in order],
        [found[kept[k]] for k in order],
        [alike[k] for k in order],
        n,
        drawn,
    )


def interpolate(generator: Any, first: str, last: str, *, steps: int = 9) -> Walk:
    """The likeliest molecules at ``steps`` points on the straight line between two molecules, both ends included.

    Raises MoleculeError, ModelError, and DataError where one of them has no point.
    """
    from molgen.models.latent.moves import between, encoded

    require(generator, "encode", "decode")
    if steps < 2:
        raise ValueError(f"steps must be at least 2, the two ends; got {steps}")
    ends = [Molecule.from_smiles(first), Molecule.from_smiles(last)]
    z = encoded(generator, [m.smiles for m in ends])
    parsed = parse_all(generator.decode(between(z[0], z[1], steps)))
    rows = [Molecule("")] * steps
    for k, molecule in zip(parsed.index, parsed.ok, strict=True):
        rows[k] = molecule
    known = [m for m in rows if m.smiles]
    alike = dict(zip(known, _similarity(known, ends).tolist(), strict=True)) if known else {}
    flat = [Molecule.from_smiles(m.smiles, "flat").smiles for m in ends]
    rebuilt = (rows[0].smiles in (flat[0], ends[0].smiles), rows[-1].smiles in (flat[1], ends[1].smiles))
    pairs = [tuple(alike.get(m, (float("nan"),) * 2)) for m in rows]
    return Walk(ends[0].smiles, ends[1].smiles, [m.smiles for m in rows], [(a, b) for a, b in pairs], rebuilt)


def _similarity(mols: list[Molecule], others: list[Molecule]) -> np.ndarray:
    return tanimoto(morgan([m.mol for m in mols]), morgan([m.mol for m in others]))
