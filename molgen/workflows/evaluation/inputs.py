"""What an evaluation compares with: references and training sets by name or file, prepared once, kept by content."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from molgen.chem.fragments import murcko_scaffold, ring_systems
from molgen.core.errors import ConfigError, DataError
from molgen.core.seeding import numpy_generator
from molgen.core.suggest import did_you_mean
from molgen.data import catalog
from molgen.data.reader import raw_rows
from molgen.metrics.distribution import Sample, read_sample
from molgen.metrics.drift import property_table
from molgen.metrics.fcd import Activations
from molgen.metrics.known import Hashed, hashed
from molgen.metrics.moses import reference_statistics
from molgen.metrics.reference import ReferenceStatistics, read_moses_statistics
from molgen.metrics.similarity import morgan_bits
from molgen.run.files import sha256_file, write_atomic
from molgen.workflows.evaluation.kept import (
    KeptChemNet,
    Say,
    Stored,
    folder,
    forget_parts,
    standardized,
    stored,
)

PART = 10_000  # molecules of a reference that are compared with, and as many that show what is possible
NEIGHBORS = 100_000  # training molecules among which neighbors are searched; copies are looked up among all
STATISTICS = 100_000  # most reference molecules for SNN, fragments and scaffolds
_DRUGLIKE = ("zinc250k", "chembl-sample")
_ONE_IN = 50  # the share that the shipped prior `druglike` has held out, by the same hash


@dataclass(frozen=True)
class Profile:
    """Random molecules of a reference in two disjoint parts: ``first`` to compare with, ``second`` as the control.

    ``activations`` (of both, in order) is None without ChemNet.
    """

    name: str
    smiles: list[str]
    split: int
    activations: np.ndarray | None
    properties: dict[str, np.ndarray]
    rings: tuple[dict[str, int], dict[str, int]]
    scaffolds: dict[str, int]

    @property
    def first(self) -> slice:
        """The part that samples are compared with."""
        return slice(0, self.split)

    @property
    def second(self) -> slice:
        """The part that shows what a perfect sample would get."""
        return slice(self.split, len(self.smiles))


@dataclass(frozen=True)
class Training:
    """A training set: all its molecules as hashes, up to 100,000 random ones with fingerprints for neighbors."""

    name: str
    known: Hashed
    scaffolds: Hashed
    smiles: list[str]
    fingerprints: np.ndarray


def resolve(name: str, role: str, workers: int, say: Say) -> Path:
    """The file behind ``moses``, ``druglike``, a name of the catalog, or a path; ``role``: reference or training.

    Raises:
        DataError: the data are not here, with the line that fetches them.
        ConfigError: neither a name nor a file.
    """
    if name == "moses":
        return catalog.locate("moses-test" if role == "reference" else "moses")
    if name == "druglike":
        return _druglike(role, workers, say)
    if Path(name).is_file():
        return Path(name)
    known = list(dict.fromkeys(["moses", "druglike", *(entry.name for entry in catalog.list_entries())]))
    if name in known:
        return catalog.locate(name)
    raise ConfigError(f"{name!r} is no file and no data set{did_you_mean(name, known)}", f"--{role}")


def _druglike(role: str, workers: int, say: Say) -> Path:
    """The mixture of the shipped prior, split as it was for its training."""
    paths = [catalog.locate(name) for name in _DRUGLIKE]
    digest = "-".join(sha256_file(path)[:8] for path in paths)
    files = {key: folder() / f"druglike-{key}-{digest}.smi" for key in ("reference", "training")}
    if not all(file.is_file() for file in files.values()):
        stage, stem = "splitting ZINC250k and the ChEMBL-like sample, once", f"druglike-{digest}"
        texts = [text for path in paths for _, text, _, _ in raw_rows(path)]
        found = standardized(texts, "none", stem=stem, stage=stage, workers=workers, say=say)
        parts: dict[str, list[str]] = {"reference": [], "training": []}
        for smiles in dict.fromkeys(text for text in found if "." not in text):
            held_out = int(hashlib.sha256(smiles.encode()).hexdigest(), 16) % _ONE_IN == 0
            parts["reference" if held_out else "training"].append(smiles)
        for key, lines in parts.items():
            write_atomic(files[key], "\n".join(lines) + "\n")
        forget_parts(stem)
    return files[role]


def moses_statistics(say: Say) -> dict[str, ReferenceStatistics]:
    """The official statistics of MOSES, converted once."""
    found = {}
    for name, entry in (("Test", "moses-test-stats"), ("TestSF", "moses-test-scaffolds-stats")):
        path = catalog.locate(entry)
        cached = folder() / f"reference-{sha256_file(path)[:16]}.npz"
        if not cached.is_file():
            say(f"converting the statistics of {name}, once", 0, 1)
            read_moses_statistics(path).save(cached)
        found[name] = ReferenceStatistics.load(cached)
    return found


def own_statistics(path: Path, digest: str, chemnet: Activations | None, say: Say) -> ReferenceStatistics:
    """Statistics of any reference file (up to 100,000 random molecules of it), computed once per content."""
    cached = _cache_file(f"reference-{digest[:16]}", chemnet)
    if not cached.is_file():
        sample = _random(path, STATISTICS, 0, say)
        stem = cached.stem
        kept = None if chemnet is None else KeptChemNet(chemnet, stem)
        reference_statistics(sample, kept, report=say).save(cached)
        forget_parts(stem)
    return ReferenceStatistics.load(cached)


def _cache_file(stem: str, chemnet: Activations | None) -> Path:
    """The file with ChemNet's part if it is there or needed; it serves those that do not need it too."""
    full = folder() / f"{stem}.npz"
    return full if chemnet is not None or full.is_file() else folder() / f"{stem}-without-chemnet.npz"


def profile(name: str, path: Path, digest: str, chemnet: Activations | None, seed: int, say: Say) -> Profile:
    """Two disjoint random parts of a reference with what is compared; computed once per content and seed."""
    cached = _cache_file(f"profile-{digest[:16]}-{seed}", chemnet)
    kept = None if chemnet is None else KeptChemNet(chemnet, cached.stem)
    found = stored(cached, partial(_make_profile, path, kept, seed, say))
    forget_parts(cached.stem)
    return _profile(name, *found)


def _make_profile(path: Path, chemnet: Activations | None, seed: int, say: Say) -> Stored:
    sample = _random(path, 2 * PART, seed, say)
    order = np.random.default_rng(seed).permutation(len(sample.smiles))
    smiles, mols = [sample.smiles[i] for i in order], [sample.mols[i] for i in order]
    split = (len(smiles) + 1) // 2
    say("properties of the reference", 0, len(mols))
    arrays = {f"property_{key}": values for key, values in property_table(mols).items()}
    if chemnet is not None:
        arrays["activations"] = chemnet.activations(
            smiles, progress=lambda done: say("ChemNet of the reference", done, len(set(smiles)))
        )
    texts = {
        "smiles": smiles,
        "split": split,
        "rings": [ring_counts(mols[:split]), ring_counts(mols[split:])],
        "scaffolds": Counter(map(murcko_scaffold, mols[:split])),
    }
    return arrays, texts


def _profile(name: str, arrays: dict[str, np.ndarray], texts: dict[str, Any]) -> Profile:
    prefix = "property_"
    return Profile(
        name=name,
        smiles=texts["smiles"],
        split=texts["split"],
        activations=arrays.get("activations"),
        properties={
            key.removeprefix(prefix): value for key, value in arrays.items() if key.startswith(prefix)
        },
        rings=(texts["rings"][0], texts["rings"][1]),
        scaffolds=texts["scaffolds"],
    )


def ring_counts(mols: Sequence[Any]) -> dict[str, int]:
    """Ring system -> molecules that have it."""
    return dict(Counter(ring for mol in mols for ring in set(ring_systems(mol))))


def training(name: str, path: Path, digest: str, workers: int, say: Say) -> Training:
    """A training set prepared for copies and neighbors, computed once per content."""
    cached = folder() / f"training-{digest[:16]}.npz"
    make = partial(_make_training, path, name == "moses", cached.stem, workers, say)
    arrays, texts = stored(cached, make)
    forget_parts(cached.stem)
    known, scaffolds = Hashed(arrays["known"]), Hashed(arrays["scaffolds"])
    return Training(name, known, scaffolds, texts["smiles"], arrays["fingerprints"])


def _make_training(path: Path, plain: bool, stem: str, workers: int, say: Say) -> Stored:
    texts = [text for _, text, _, _ in raw_rows(path)]
    if (
        not plain
    ):  # those of MOSES are neutral, without stereo and canonical: reading 1.6 million strings is enough
        stage = "standardizing the training set, once"
        texts = standardized(texts, "flat", stem=stem, stage=stage, workers=workers, say=say)
    strings = list(dict.fromkeys(texts))
    if not strings:
        raise DataError(f"{path}: no molecule in it that could be a training set")
    chosen = [strings[i] for i in _draw(len(strings), NEIGHBORS, 0)]
    smiles: list[str] = []
    scaffolds: set[str] = set()
    bits = []
    for sample in _parts(chosen, "fingerprints of the training set, once", say):
        smiles += sample.smiles  # molecules are let go part by part: 100,000 of them would take 1 GB
        bits.append(morgan_bits(sample.mols))
        scaffolds.update(map(murcko_scaffold, sample.mols))
    arrays = {
        "known": hashed(strings).hashes,
        "scaffolds": hashed(scaffolds - {""}).hashes,
        "fingerprints": np.concatenate(bits),
    }
    return arrays, {"smiles": smiles}


def _random(path: Path, most: int, seed: int, say: Say) -> Sample:
    texts = [text for _, text, _, _ in raw_rows(path)]
    chosen = [texts[i] for i in _draw(len(texts), most, seed)]
    parts = list(_parts(chosen, f"reading {path.name}, once", say))
    smiles = [text for part in parts for text in part.smiles]
    return Sample(len(chosen), smiles, [mol for part in parts for mol in part.mols])


def _draw(n: int, most: int, seed: int) -> Sequence[int]:
    if n <= most:
        return range(n)
    return [int(i) for i in numpy_generator(seed, "evaluation").permutation(n)[:most]]


def _parts(texts: list[str], stage: str, say: Say, size: int = 5000) -> Iterator[Sample]:
    """The valid molecules in parts. Raises DataError if there are none at all."""
    found = 0
    for start in range(0, len(texts), size):
        part = texts[start : start + size]
        say(stage, start + len(part), len(texts))
        try:
            sample = read_sample(part)
        except DataError:
            continue  # not one valid string among these
        found += len(sample.smiles)
        yield sample
    if not found:
        first = f"; first: {texts[0]!r}" if texts else ""
        raise DataError(f"none of its {len(texts)} rows is a molecule{first}")
