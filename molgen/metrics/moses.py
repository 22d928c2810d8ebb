"""The MOSES suite: every metric of one sample against reference statistics, with the names of the published tables."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from molgen.metrics.distribution import (
    Sample,
    cosine_similarity,
    fragment_counts,
    novelty,
    properties,
    property_frechet,
    scaffold_counts,
    uniqueness,
    wasserstein,
)
from molgen.metrics.fcd import Activations, frechet_distance, moments
from molgen.metrics.filters import MosesFilters
from molgen.metrics.reference import ReferenceStatistics
from molgen.metrics.similarity import internal_diversity, morgan_bits, nearest_similarity

Report = Callable[[str, int, int], None]  # stage, done, total


@dataclass(frozen=True)
class MosesInputs:
    """What the suite compares with; ``references`` by name, ``Test`` and ``TestSF`` in the official protocol.

    ``chemnet``, ``training`` (raw strings as published) and ``filters`` may be left out, and so are their metrics then.
    """

    chemnet: Activations | None
    references: Mapping[str, ReferenceStatistics]
    training: Container[str] | None = None
    filters: MosesFilters | None = None


def moses_metrics(
    sample: Sample,
    inputs: MosesInputs,
    *,
    ks: Sequence[int] = (1000, 10000),
    brief: bool = False,
    report: Report | None = None,
    per_molecule: dict[str, np.ndarray] | None = None,
) -> dict[str, float | None]:
    """All metrics of the MOSES protocol, named as in its tables; None where there are too few molecules for one.

    Uniqueness@k is over the first k valid canonical strings, everything else over all valid molecules with their
    duplicates. The property distances (logP, SA, QED, weight) are Wasserstein-1 against the first reference; those
    named ``(Frechet)`` are what versions of MOSES before 2019 printed under the plain names.
    FCD falls about as 1/n: print the number of molecules beside it. ``brief`` is validity, uniqueness, novelty and FCD
    only, for a look during training. ``per_molecule`` receives the values behind the means of SNN and Filters.
    """
    values_of = per_molecule if per_molecule is not None else {}
    say = report or (lambda stage, done, total: None)
    n = len(sample.mols)
    result: dict[str, float | None] = {"valid": sample.validity}
    result |= {f"unique@{k}": uniqueness(sample.smiles, k) for k in ks}
    if inputs.chemnet is not None and n > 1:
        activations = inputs.chemnet.activations(sample.smiles, progress=lambda done: say("ChemNet", done, n))
        ours = moments(activations)
        for name, reference in inputs.references.items():
            if reference.fcd is not None:
                result[f"FCD/{name}"] = frechet_distance(ours, reference.fcd)
    if inputs.training is not None:
        result["Novelty"] = novelty(sample.smiles, inputs.training)
    if brief:
        return result
    say("fingerprints, fragments and scaffolds", 0, n)
    bits = morgan_bits(sample.mols)
    fragments, scaffolds = fragment_counts(sample.mols), scaffold_counts(sample.mols)
    for name, reference in inputs.references.items():
        total = len(reference.fingerprints)
        nearest = nearest_similarity(
            bits, reference.fingerprints, progress=_stage(say, f"nearest in {name}", total)
        )
        result[f"SNN/{name}"] = float(nearest.mean())
        values_of[f"SNN/{name}"] = nearest
        result[f"Frag/{name}"] = cosine_similarity(reference.fragments, fragments)
        result[f"Scaf/{name}"] = cosine_similarity(reference.scaffolds, scaffolds)
    say("internal diversity", 0, n)
    result["IntDiv"], result["IntDiv2"] = internal_diversity(bits)
    if inputs.filters is not None:
        say("filters", 0, n)
        passed = inputs.filters.passes(sample.mols)
        result["Filters"] = float(passed.mean())
        values_of["Filters"] = passed.astype(np.float64)
    if inputs.references:
        say("properties", 0, n)
        first = next(iter(inputs.references.values()))
        for name, values in properties(sample.mols).items():
            result[name] = wasserstein(values, first.properties[name])
            result[f"{name} (Frechet)"] = property_frechet(values, first.properties[name])
    return result


def _stage(say: Report, stage: str, total: int) -> Callable[[int], None]:
    return lambda done: say(stage, done, total)


def reference_statistics(
    sample: Sample, chemnet: Activations | None, *, report: Report | None = None
) -> ReferenceStatistics:
    """The statistics of any reference set, for comparing with it as MOSES compares with its test set.

    Without ``chemnet`` they lack what the Frechet distance needs.
    """
    say = report or (lambda stage, done, total: None)
    n = len(sample.mols)
    fcd = None
    if chemnet is not None:
        fcd = moments(chemnet.activations(sample.smiles, progress=_stage(say, "ChemNet of the reference", n)))
    return ReferenceStatistics(
        n=n,
        fcd=fcd,
        fingerprints=morgan_bits(sample.mols),
        fragments=fragment_counts(sample.mols),
        scaffolds=scaffold_counts(sample.mols),
        properties=properties(sample.mols),
    )
