"""The properties that the graph VAE's latent space is taught: computed once, for a part of the training molecules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import Crippen, Descriptors, rdMolDescriptors

from molgen.chem.qed import qed
from molgen.chem.sa_score import sa_score

PROPERTIES = ("logp", "qed", "sa", "tpsa", "mw")


def compute(smiles: Sequence[str]) -> np.ndarray:
    """Crippen logP, QED, synthetic accessibility, TPSA (square angstroms), molecular weight (Da), ``[n, 5]``."""
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
    """Mean and standard deviation of each property over a part of the molecules."""
    part = np.random.default_rng(seed).permutation(len(smiles))[:most]
    values = compute([smiles[i] for i in part])
    return {
        name: (float(np.nanmean(column)), float(np.nanstd(column)) or 1.0)
        for name, column in zip(PROPERTIES, values.T, strict=True)
    }


def labels_of(
    smiles: Sequence[str],
    scales: Mapping[str, tuple[float, float]],
    most: int,
    own: Mapping[str, Sequence[float]],
) -> np.ndarray:
    """z-scored properties ``[n, P]`` in the order of ``scales``: computed for ``most`` molecules, NaN for the others.

    ``own`` are columns of measured values, NaN where unknown.
    """
    names = list(scales)
    result = np.full((len(smiles), len(names)), np.nan, np.float32)
    part = np.sort(np.random.default_rng(0).permutation(len(smiles))[:most])
    if len(part):
        values = compute([smiles[i] for i in part])
        for k, name in enumerate(names):
            if name in PROPERTIES:
                result[part, k] = values[:, PROPERTIES.index(name)]
    for name, column in own.items():
        result[:, names.index(name)] = column
    center, scale = np.array(list(scales.values()), np.float32).reshape(-1, 2).T
    return np.asarray((result - center) / scale)
