"""What the graph VAE's latent space is taught to tell: computed properties, and measured columns of the user's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from molgen.core.errors import ConfigError, DataError
from molgen.data.cache import content_key, kept, rdkit_version

PROPERTIES = ("logp", "qed", "sa", "tpsa", "mw")
#: A column with fewer values than this teaches nothing.
FEWEST = 5
#: Raised when a computed property changes.
_VERSION = 1

Scales = Mapping[str, tuple[float, float]]
Labels = Mapping[str, Sequence[float] | np.ndarray]


def compute(smiles: Sequence[str]) -> np.ndarray:
    """Crippen logP, QED, synthetic accessibility, TPSA (square angstroms), molecular weight (Da), ``[n, 5]``.

    Kept by content for long lists (``properties``).
    """
    if not len(smiles):
        return np.zeros((0, len(PROPERTIES)), np.float32)
    key = content_key(f"properties {_VERSION}", " ".join(PROPERTIES), rdkit_version(), texts=smiles)
    found = kept("properties", key, lambda: {"values": _compute(smiles)}, worth=len(smiles) >= 2000)
    return found["values"]


def _compute(smiles: Sequence[str]) -> np.ndarray:
    from rdkit import Chem, rdBase
    from rdkit.Chem import Crippen, Descriptors, rdMolDescriptors

    from molgen.chem.qed import qed
    from molgen.chem.sa_score import sa_score

    result = np.full((len(smiles), len(PROPERTIES)), np.nan, np.float32)
    with rdBase.BlockLogs():
        for i, text in enumerate(smiles):
            mol = Chem.MolFromSmiles(text)
            if mol is not None:
                result[i] = (
                    Crippen.MolLogP(mol),
                    qed(mol),
                    sa_score(mol),
                    rdMolDescriptors.CalcTPSA(mol),
                    Descriptors.MolWt(mol),
                )
    return result


def scales_of(smiles: Sequence[str], seed: int, most: int = 2000) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of each computed property over a part of the molecules."""
    part = np.random.default_rng(seed).permutation(len(smiles))[:most]
    values = compute([smiles[i] for i in part])
    return {
        name: (float(np.nanmean(column)), float(np.nanstd(column)) or 1.0)
        for name, column in zip(PROPERTIES, values.T, strict=True)
    }


def measured_scales(labels: Labels, weight: float = 1.0) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation of the values that each column has.

    Raises DataError for a column that teaches nothing, ConfigError where the head is not taught (``weight`` 0).
    """
    if labels and not weight:
        raise ConfigError(
            "is 0, so that labels would not be learned; remove them, or raise it",
            "model.params.property_weight",
        )
    found = {}
    for name, column in labels.items():
        values = np.asarray(column, np.float64)
        values = values[np.isfinite(values)]
        if name in PROPERTIES:
            raise DataError(
                f"label {name!r}: the model computes a property of this name itself; rename the column"
            )
        if len(values) < FEWEST:
            raise DataError(
                f"label {name!r}: {len(values)} of the training molecules have a value; at least {FEWEST} are needed"
            )
        if not values.std() > 0:
            raise DataError(
                f"label {name!r}: every value is {values[0]:g}; there is nothing to learn, leave it out"
            )
        found[name] = (float(values.mean()), float(values.std()))
    return found


def labels_of(smiles: Sequence[str], scales: Scales, most: int, measured: Labels) -> np.ndarray:
    """z-scored labels ``[n, P]`` in the order of ``scales``, NaN where unknown.

    Properties are computed for ``most`` molecules; ``measured`` columns have one value per molecule.
    """
    names = list(scales)
    result = np.full((len(smiles), len(names)), np.nan, np.float32)
    part = np.sort(np.random.default_rng(0).permutation(len(smiles))[:most])
    if len(part):
        values = compute([smiles[i] for i in part])
        for k, name in enumerate(names):
            if name in PROPERTIES:
                result[part, k] = values[:, PROPERTIES.index(name)]
    for name, column in measured.items():
        result[:, names.index(name)] = column
    center, scale = np.array(list(scales.values()), np.float32).reshape(-1, 2).T
    return np.asarray((result - center) / scale)
