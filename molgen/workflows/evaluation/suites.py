"""The suites of an evaluation that compare distributions: MOSES, GuacaMol, and the general metrics."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from molgen.core.errors import DataError
from molgen.data import catalog
from molgen.metrics.classes import GAMEABLE, class_score, fit_classes
from molgen.metrics.fcd import Moments, frechet_distance, moments
from molgen.metrics.filters import MosesFilters
from molgen.metrics.guacamol import GuacamolReference, describe_set, flat_smiles, guacamol_metrics
from molgen.metrics.intervals import fold_deviation, mean_interval, share_interval
from molgen.metrics.kernel import kernel_distance
from molgen.metrics.manifold import euclidean, manifold, tanimoto_distance
from molgen.metrics.memorization import copy_share
from molgen.metrics.moses import MosesInputs, moses_metrics
from molgen.metrics.reference import ReferenceStatistics
from molgen.metrics.similarity import morgan_bits
from molgen.workflows.evaluation.context import Context
from molgen.workflows.evaluation.inputs import PART
from molgen.workflows.evaluation.kept import folder, stored

NOT_COMPARABLE = "not comparable with published values: another reference"
_ALONE = ("valid", "unique@", "IntDiv", "Filters")  # need no reference
_MANIFOLD = 5_000
_CLASSES = 200
#: FCD of perfect samples, fitted to random MOSES training molecules, n from 1,000 to 30,000 (floor + slope / n).
_MOSES_FLOOR = {"FCD/Test": (0.008, 1190.0), "FCD/TestSF": (0.475, 1175.0)}


def moses_suite(context: Context, references: dict[str, ReferenceStatistics]) -> None:
    """Every metric of MOSES; named and computed as there also against other references, then marked."""
    sample, n = context.sample, len(context.sample.smiles)
    filters = None
    if all(map(catalog.is_fetched, ("moses-mcf", "moses-pains"))):
        filters = MosesFilters.read(catalog.locate("moses-mcf"), catalog.locate("moses-pains"))
    else:
        context.result.warnings.append(
            "Filters left out; get its lists with: molgen data fetch moses-mcf moses-pains"
        )
    official, training = context.official, context.training
    inputs = MosesInputs(
        context.chemnet, references, training.known if official and training else None, filters
    )
    vectors: dict[str, np.ndarray] = {}
    found = moses_metrics(sample, inputs, report=context.say, per_molecule=vectors)
    if training is not None and not official:
        found["Novelty"] = 1.0 - copy_share(context.flat, training.known)
    activations = context.chemnet.activations(sample.smiles) if context.chemnet and n > 1 else None
    for name, value in found.items():
        more: dict[str, Any] = {} if official or name.startswith(_ALONE) else {"note": NOT_COMPARABLE}
        size = sample.n_raw if name == "valid" else n
        if name == "valid":
            more["low"], more["high"] = share_interval(n, sample.n_raw)
        elif name in vectors:
            more["low"], more["high"] = mean_interval(vectors[name], seed=context.seed)
        elif name.startswith("FCD/") and value is not None and activations is not None and n >= 1000:
            reference = references[name.partition("/")[2]].fcd
            assert reference is not None
            spread = 2 * _fcd_deviation(activations, reference)
            more["low"], more["high"] = value - spread, value + spread
        if official and name in _MOSES_FLOOR and n >= 1000:
            base, slope = _MOSES_FLOOR[name]
            more["floor"] = base + slope / n
        if value is None and name.startswith("unique@"):
            more["note"] = f"{int(name.partition('@')[2]):,} valid molecules would be needed"
        context.add("moses", name, value, size, **more)


def _fcd_deviation(activations: np.ndarray, reference: Moments) -> float:
    return fold_deviation(
        lambda rows: frechet_distance(moments(activations[rows]), reference), len(activations)
    )


def guacamol_suite(context: Context, digest: str) -> None:
    """GuacaMol's distribution-learning metrics against the comparison part of the reference."""
    sample, profile = context.sample, context.profile
    context.say("GuacaMol descriptors", 0, len(sample.smiles))
    known = set(sample.index)
    valid = [i in known for i in range(sample.n_raw)]
    flat = [flat_smiles(mol) for mol in sample.mols]
    reference = None
    if profile is not None:
        path = folder() / f"guacamol-{digest[:16]}-{context.seed}.npz"
        arrays, _ = stored(path, partial(_describe, profile.smiles[profile.first]))
        fcd = None if profile.activations is None else moments(profile.activations[profile.first])
        similarity = arrays.pop("similarity")
        reference = GuacamolReference(arrays, similarity, fcd, len(similarity))
    note = NOT_COMPARABLE + " than GuacaMol's ChEMBL 24 split"
    training = context.training.known if context.training is not None else None
    found = guacamol_metrics(valid, flat, sample.smiles, reference, training, context.chemnet)
    for name, value in found.items():
        n = min(10_000, sample.n_raw if name == "validity" else len(flat))
        more: dict[str, Any] = {"note": "" if name in ("validity", "uniqueness") else note}
        if name == "uniqueness" and value is None:
            more["note"] = "10,000 valid molecules would be needed"
        if name == "validity" and value is not None:
            more["low"], more["high"] = share_interval(round(value * n), n)
        context.add("guacamol", name, value, n, **more)


def _describe(smiles: list[str]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    from rdkit import Chem

    flat = dict.fromkeys(flat_smiles(Chem.MolFromSmiles(text)) for text in smiles)
    values, similarity = describe_set(list(flat))
    return {**values, "similarity": similarity}, {}


def general_suite(context: Context) -> None:
    """Frechet and kernel distance, precision to coverage, class score; each beside what reference molecules get."""
    profile = context.profile
    if profile is None:
        return
    from rdkit import Chem

    smiles = context.sample.smiles[:PART]
    n = len(smiles)
    size = min(n, profile.split, len(profile.smiles) - profile.split)
    note = "" if size == n else f"floor from {size:,} molecules, for the reference has no more"
    if context.chemnet is not None and profile.activations is not None and size > 1:
        context.say("Frechet and kernel distance", 0, n)
        ours = context.chemnet.activations(smiles)
        first, second = profile.activations[profile.first], profile.activations[profile.second][:size]
        reference = moments(first)
        value = frechet_distance(moments(ours), reference)
        floor = frechet_distance(moments(second), reference)
        spread = 2 * _fcd_deviation(ours, reference) if n >= 1000 else None
        context.add(
            "general",
            "FCD (equal size)",
            value,
            n,
            low=None if spread is None else value - spread,
            high=None if spread is None else value + spread,
            floor=floor,
            note=note,
        )
        kernel, other = kernel_distance(ours, first), kernel_distance(second, first)
        low, high = kernel.value - 2 * kernel.deviation, kernel.value + 2 * kernel.deviation
        context.add("general", "KCD", kernel.value, n, low=low, high=high, floor=other.value)
        _manifold(context, "ChemNet", ours, first, second)
    context.say("neighbors and classes", 0, n)
    bits = morgan_bits(context.sample.mols[:PART])
    theirs = morgan_bits([Chem.MolFromSmiles(text) for text in profile.smiles])
    first, second = theirs[profile.first], theirs[profile.second][:size]
    _manifold(context, "Tanimoto", bits, first, second)
    try:
        classes = fit_classes(first, min(_CLASSES, max(2, len(first) // 10)), seed=context.seed)
    except DataError as error:
        context.result.warnings.append(f"class score left out: {error}")
        return
    best = class_score(classes.membership(second)) if len(second) else None
    context.add("general", "class score", class_score(classes.membership(bits)), n, floor=best, note=GAMEABLE)


def _manifold(
    context: Context, space: str, sample: np.ndarray, first: np.ndarray, second: np.ndarray
) -> None:
    distances = euclidean if space == "ChemNet" else tanimoto_distance
    sample, first, second = sample[:_MANIFOLD], first[:_MANIFOLD], second[:_MANIFOLD]
    try:
        found = manifold(sample, first, distances)
        floor = manifold(second[: len(sample)], first, distances)
    except DataError as error:
        context.result.warnings.append(f"precision and coverage ({space}) left out: {error}")
        return
    for name in ("precision", "recall", "density", "coverage"):
        value, best = getattr(found, name), getattr(floor, name)
        note = f"expected of a perfect sample: {found.coverage_ceiling:.3f}" if name == "coverage" else ""
        context.add("general", f"{name} ({space})", value, found.n, floor=best, note=note)
