"""Bias of a sample: how far properties and scaffolds have moved from a reference, as effect sizes, not as p-values.

With thousands of molecules everything is significant; what matters is how far it moved, in standard deviations of
the reference (Cohen's d with its spread) and as the probability that a sampled value is the larger (0.5: no shift).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from molgen.chem.descriptors import DESCRIPTORS
from molgen.metrics.distribution import wasserstein
from molgen.metrics.memorization import mann_whitney

#: Descriptors that the report draws and compares, and how they are called there.
PROPERTIES: dict[str, str] = {
    "mol_weight": "weight (g/mol)",
    "logp": "logP",
    "tpsa": "TPSA (\N{LATIN CAPITAL LETTER A WITH RING ABOVE}\N{SUPERSCRIPT TWO})",
    "qed": "QED",
    "sa_score": "SA score",
    "rotatable_bonds": "rotatable bonds",
    "rings": "rings",
    "aromatic_rings": "aromatic rings",
    "fraction_csp3": "fraction of sp3 carbon",
    "hbd": "hydrogen bond donors",
    "hba": "hydrogen bond acceptors",
    "stereo_centers": "stereo centers",
    "formal_charge": "net charge (e)",
}
_WORDS = ((0.2, "none"), (0.5, "small"), (0.8, "medium"))


@dataclass(frozen=True)
class Drift:
    """One property in the sample and in the reference.

    ``effect``: difference of the means in standard deviations of the reference; ``larger``: probability that a sampled
    value is above one of the reference; ``distance``: Wasserstein-1 in the property's unit; ``spread``: standard
    deviation of the sample over that of the reference.
    """

    name: str
    mean: float
    reference_mean: float
    effect: float
    larger: float
    distance: float
    spread: float

    @property
    def words(self) -> str:
        """none, small, medium or large, at the usual bars 0.2, 0.5 and 0.8."""
        return next((word for bar, word in _WORDS if abs(self.effect) < bar), "large")


def property_table(
    mols: Sequence[Chem.Mol], names: Sequence[str] = tuple(PROPERTIES)
) -> dict[str, np.ndarray]:
    """The named descriptors of all molecules, ``float64 [n]`` each."""
    table = {name: np.empty(len(mols)) for name in names}
    for i, mol in enumerate(mols):
        for name in names:
            table[name][i] = DESCRIPTORS[name](mol)
    return table


def drifts(sample: Mapping[str, np.ndarray], reference: Mapping[str, np.ndarray]) -> list[Drift]:
    """Every property that both tables have, in the order of the sample's."""
    found = []
    for name, values in sample.items():
        other = reference.get(name)
        if other is None or not len(values) or not len(other):
            continue
        deviation = float(other.std()) or float(values.std())
        shift = float(values.mean() - other.mean())
        larger, _ = mann_whitney(values, other)
        found.append(
            Drift(
                name=name,
                mean=float(values.mean()),
                reference_mean=float(other.mean()),
                effect=shift / deviation if deviation else 0.0,
                larger=larger,
                distance=wasserstein(values, other),
                spread=float(values.std() / other.std()) if other.std() else float("nan"),
            )
        )
    return found


@dataclass(frozen=True)
class ShareShift:
    """A scaffold or ring system that is more or less frequent than in the reference: shares of the molecules."""

    key: str
    share: float
    reference_share: float


def share_shifts(
    sample: Mapping[str, int], n: int, reference: Mapping[str, int], n_reference: int, top: int = 10
) -> list[ShareShift]:
    """The keys whose shares differ most, largest difference first; counts are of molecules."""
    if not n or not n_reference:
        return []
    keys = {key for key, _ in _most_frequent(sample)} | {key for key, _ in _most_frequent(reference)}
    rows = [ShareShift(key, sample.get(key, 0) / n, reference.get(key, 0) / n_reference) for key in keys]
    return sorted(rows, key=lambda row: (-abs(row.share - row.reference_share), row.key))[:top]


def _most_frequent(counts: Mapping[str, int], top: int = 200) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:top]
