"""The distribution-learning metrics of GuacaMol (Brown et al. 2019, J. Chem. Inf. Model. 59, 1096), on any list.

Validity over the first 10,000 raw strings, uniqueness and FCD score over the first 10,000 valid molecules, novelty and
KL divergence over 10,000 distinct ones; stereo is ignored except in FCD. A model can be asked again for what is
missing, a list cannot: where it is too short the value is None, or from fewer.

Comparable with published values only where the reference is GuacaMol's own ChEMBL 24 split.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import Descriptors, rdMolDescriptors

from molgen.core.errors import DataError
from molgen.metrics.distribution import lookup
from molgen.metrics.fcd import Activations, Moments, frechet_distance, moments
from molgen.metrics.similarity import morgan_bits, nearest_others

N = 10_000
_BITS = 4096
_POINTS = 1000  # where the kernel densities are compared
_BINS = 10
_TINY = 1e-10

_CONTINUOUS: dict[str, Callable[[Chem.Mol], float]] = {
    "BertzCT": Descriptors.BertzCT,
    "MolLogP": Descriptors.MolLogP,
    "MolWt": Descriptors.MolWt,
    "TPSA": Descriptors.TPSA,
}
_DISCRETE: dict[str, Callable[[Chem.Mol], float]] = {
    "NumHAcceptors": Descriptors.NumHAcceptors,
    "NumHDonors": Descriptors.NumHDonors,
    "NumRotatableBonds": Descriptors.NumRotatableBonds,
    "NumAliphaticRings": rdMolDescriptors.CalcNumAliphaticRings,
    "NumAromaticRings": rdMolDescriptors.CalcNumAromaticRings,
}
DESCRIPTORS = (*_CONTINUOUS, *_DISCRETE)


def flat_smiles(mol: Chem.Mol) -> str:
    """Canonical SMILES without stereo: the identity that GuacaMol counts by."""
    return str(Chem.MolToSmiles(mol, isomericSmiles=False))


@dataclass(frozen=True)
class GuacamolReference:
    """Descriptors and internal similarities of up to 10,000 reference molecules; their ChemNet moments or None."""

    descriptors: dict[str, np.ndarray]
    similarity: np.ndarray
    fcd: Moments | None
    n: int


def describe_set(flat: Sequence[str]) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """The nine descriptors, and each molecule's similarity to its nearest other one (ECFP4, 4,096 bits).

    Raises:
        DataError: fewer than two molecules.
    """
    if len(flat) < 2:
        raise DataError(f"a KL divergence needs at least 2 distinct molecules, got {len(flat)}")
    with rdBase.BlockLogs():
        mols = [mol for mol in map(Chem.MolFromSmiles, flat) if mol is not None]
    values = {
        name: np.array([function(mol) for mol in mols], dtype=np.float64)
        for name, function in {**_CONTINUOUS, **_DISCRETE}.items()
    }
    return values, nearest_others(morgan_bits(mols, 2, _BITS))


def reference_of(smiles: Sequence[str], chemnet: Activations | None, *, seed: int = 42) -> GuacamolReference:
    """What a sample is compared with: at most 10,000 random ones of canonical strings (with stereo)."""
    chosen = list(smiles)
    if len(chosen) > N:
        order = np.random.default_rng(seed).permutation(len(chosen))[:N]
        chosen = [chosen[i] for i in order]
    with rdBase.BlockLogs():
        mols = [mol for mol in map(Chem.MolFromSmiles, chosen) if mol is not None]
    values, similarity = describe_set(list(dict.fromkeys(map(flat_smiles, mols))))
    fcd = moments(chemnet.activations(chosen)) if chemnet is not None else None
    return GuacamolReference(values, similarity, fcd, len(chosen))


def guacamol_metrics(
    raw_valid: Sequence[bool],
    flat: Sequence[str],
    smiles: Sequence[str],
    reference: GuacamolReference | None,
    training: Container[str] | None = None,
    chemnet: Activations | None = None,
) -> dict[str, float | None]:
    """All metrics of one list.

    Args:
        raw_valid: whether each raw string was valid, in order.
        flat: canonical strings without stereo of the valid ones, in order.
        smiles: canonical strings with stereo of the valid ones, which is what ChemNet reads.
        reference: from :func:`reference_of`; None leaves out what compares with it.
        training: canonical strings without stereo, for novelty.
        chemnet: for the FCD score; None leaves it out.
    """
    first_raw = list(raw_valid[:N])
    result: dict[str, float | None] = {"validity": sum(first_raw) / len(first_raw) if first_raw else None}
    first_valid = list(flat[:N])
    distinct = list(dict.fromkeys(flat))[:N]
    result["uniqueness"] = len(set(first_valid)) / len(first_valid) if len(first_valid) == N else None
    if training is not None and distinct:
        known = lookup(training)
        result["novelty"] = sum(text not in known for text in distinct) / len(distinct)
    if reference is None or len(distinct) < 2:
        return result
    values, similarity = describe_set(distinct)
    divergences = {name: continuous_kl(reference.descriptors[name], values[name]) for name in _CONTINUOUS}
    divergences |= {name: discrete_kl(reference.descriptors[name], values[name]) for name in _DISCRETE}
    divergences["internal_similarity"] = continuous_kl(reference.similarity, similarity)
    result |= {f"KL/{name}": value for name, value in divergences.items()}
    result["KL score"] = float(np.mean([math.exp(-value) for value in divergences.values()]))
    if chemnet is not None and reference.fcd is not None:
        fcd = frechet_distance(moments(chemnet.activations(list(smiles[:N]))), reference.fcd)
        result["FCD"] = fcd
        result["FCD score"] = math.exp(-0.2 * fcd)
    return result


def continuous_kl(reference: np.ndarray, sample: np.ndarray) -> float:
    """KL divergence (nats) of kernel densities on 1,000 points; infinite where a set has only one value."""
    from scipy.stats import entropy, gaussian_kde

    both = np.concatenate([reference, sample])
    if np.ptp(reference) == 0 or np.ptp(sample) == 0:
        return 0.0 if np.ptp(both) == 0 else math.inf
    points = np.linspace(both.min(), both.max(), _POINTS)
    densities = [gaussian_kde(values)(points) + _TINY for values in (reference, sample)]
    return float(entropy(*densities))


def discrete_kl(reference: np.ndarray, sample: np.ndarray) -> float:
    """KL divergence (nats) of histograms with ten bins over the range of the reference."""
    from scipy.stats import entropy

    expected, bins = np.histogram(reference, bins=_BINS, density=True)
    inside = sample[(sample >= bins[0]) & (sample <= bins[-1])]
    if len(inside) == 0:
        return math.inf
    found, _ = np.histogram(inside, bins=bins, density=True)
    return float(entropy(expected + _TINY, found + _TINY))
