"""The molecules of a training: read once and kept by content, with measured labels, and what is held out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from molgen.core.errors import ConfigError, DataError, Problem
from molgen.core.schema import DataConfig, TrainConfig, TrainingData
from molgen.core.seeding import stream
from molgen.core.suggest import did_you_mean
from molgen.data.cache import Arrays, content_key, kept, pack_texts, rdkit_version, unpack_texts
from molgen.models.registry import family
from molgen.run.files import sha256_file
from molgen.run.progress import Progress

#: Raised when reading a file gives something else than before: older kept readings are then not used.
_VERSION = 1
_WORTH = 500_000  # bytes of a file, some seconds of reading
_NOT_MEASURED = frozenset({"", "na", "n/a", "nan", "null", "none", "-"})
Say = Callable[[str], None]


@dataclass(frozen=True)
class Source:
    """A file of the configuration: what it is called, its content, and the key under which its reading is kept."""

    name: str
    path: str
    sha256: str
    bytes: int
    key: str


#: A section of the configuration as JSON -> its file.
Sources = Mapping[str, Source]


@dataclass(frozen=True)
class Molecules:
    """Distinct SMILES in a fixed order. Labels have one value per molecule, NaN where none was measured."""

    training: list[str]
    held_out: list[str]
    training_labels: dict[str, np.ndarray] = field(default_factory=dict)
    held_out_labels: dict[str, np.ndarray] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)


def locate_file(section: DataConfig, base_dir: Path) -> Path:
    """The file of a section, or the data set of that name. Raises ConfigError."""
    path = base_dir / Path(section.path).expanduser()
    if path.is_file():
        return path
    from molgen.data import catalog

    if section.path in {entry.name for entry in catalog.list_entries()}:
        return catalog.locate(section.path)
    raise ConfigError(
        [Problem("data.path", f"no such file: {path}; nor is it a name of `molgen data list`")],
        "training data",
    )


def find_sources(config: TrainConfig, base_dir: Path) -> dict[str, Source]:
    """The files of a configuration. Raises ConfigError."""
    from molgen.chem.standardize import get_policy

    found = {}
    for section in sections(config):
        path = locate_file(section, base_dir)
        digest = sha256_file(path)
        options = [get_policy(section.policy).tag, str(section.smiles_column), str(section.id_column)]
        # the endings say how the bytes are read
        parts = (f"reading {_VERSION}", rdkit_version(), digest, "".join(path.suffixes[-2:]), *options)
        key = content_key(*parts, texts=section.labels)
        found[tag(section)] = Source(path.name, str(path), digest, path.stat().st_size, key)
    return found


def sections(config: TrainConfig) -> list[TrainingData]:
    """All files that a configuration names."""
    return [*config.data, *([] if config.validation is None else [config.validation])]


def tag(section: TrainingData) -> str:
    """What a section is called among :data:`Sources`."""
    return section.model_dump_json()


def read_molecules(config: TrainConfig, sources: Sources, say: Say, *, quiet: bool = False) -> Molecules:
    """Training and held-out molecules of a configuration. Raises DataError."""
    report: dict[str, Any] = {"files": {}}
    pool = _Pool()
    for section in config.data:
        source = _source(section, sources)
        arrays = _read(section, source, say, quiet)
        pool.add(arrays, section.labels)
        reasons = dict(zip(unpack_texts(arrays["reasons"]), arrays["rejected"].tolist(), strict=True))
        report["files"][source.name] = {"kept": int(arrays["rows"]), "rejected": reasons}
    everything = list(pool.smiles)
    if config.validation is not None:
        other = _Pool()
        other.add(
            _read(config.validation, _source(config.validation, sources), say, quiet),
            config.validation.labels,
        )
        held_out = list(other.smiles)
        training = [s for s in everything if s not in other.smiles]
    else:
        other = pool
        order = np.random.default_rng(stream(config.seed, "holdout")).permutation(len(everything))
        count = min(max(1, round(config.holdout * len(everything))), 20_000)
        held_out = [everything[i] for i in sorted(order[:count])]
        training = [everything[i] for i in sorted(order[count:])]
    if not training or not held_out:
        raise DataError(
            f"{len(everything)} usable molecules are too few to train on and validate; see log.txt for the reasons"
        )
    report |= {"training": len(training), "validation": len(held_out)}
    say(f"data: {len(training)} molecules to train on, {len(held_out)} held out")
    labels = dict.fromkeys(name for section in config.data for name in section.labels)
    taught = {name: pool.labels(name, training) for name in labels}
    tested = {name: other.labels(name, held_out) for name in labels}
    if labels:
        report["labels"] = {name: _describe(name, taught[name], tested[name], say) for name in labels}
        if pool.repeated:
            say(
                f"{pool.repeated} molecules have several values of a label: their mean is taught "
                f"(largest difference {pool.widest:.3g})"
            )
    return Molecules(training, held_out, taught, tested, report)


def _source(section: TrainingData, sources: Sources) -> Source:
    try:
        return sources[tag(section)]
    except KeyError:
        raise DataError(
            f"{section.path} was not prepared like this (columns, policy or labels were changed); prepare it again "
            "with: molgen train CONFIG --prepare-only"
        ) from None


def _describe(name: str, taught: np.ndarray, tested: np.ndarray, say: Say) -> dict[str, Any]:
    known = taught[np.isfinite(taught)]
    words = "no value" if not len(known) else f"{known.min():g} to {known.max():g}, mean {known.mean():.3g}"
    held_out = int(np.isfinite(tested).sum())
    say(f"label {name!r}: {len(known)} of {len(taught)} training molecules ({words}), {held_out} held out")
    return {"training": len(known), "validation": held_out}


class _Pool:
    """Distinct molecules in the order met, and the sums of their labels."""

    def __init__(self) -> None:
        self.smiles: dict[str, None] = {}
        self.repeated = 0
        self.widest = 0.0
        self._values: dict[str, dict[str, list[float]]] = {}

    def add(self, arrays: Arrays, labels: Sequence[str]) -> None:
        """The molecules of one file."""
        smiles = unpack_texts(arrays["smiles"])
        self.smiles.update(dict.fromkeys(smiles))
        for name, column in zip(labels, arrays["labels"].T, strict=True):
            values = self._values.setdefault(name, {})
            for row in np.flatnonzero(np.isfinite(column)):
                values.setdefault(smiles[row], []).append(float(column[row]))

    def labels(self, name: str, smiles: Sequence[str]) -> np.ndarray:
        """The mean of each molecule's values, NaN where there is none."""
        values = self._values.get(name, {})
        found = [values.get(text, ()) for text in smiles]
        several = [v for v in found if len(v) > 1]
        self.repeated += len(several)
        self.widest = max([self.widest, *(max(v) - min(v) for v in several)])
        return np.array([math.nan if not v else sum(v) / len(v) for v in found])


def _read(section: TrainingData, source: Source, say: Say, quiet: bool) -> Arrays:
    fresh = False

    def make() -> Arrays:
        nonlocal fresh
        fresh = True
        return _parse(section, Path(source.path), quiet)

    arrays = kept("reading", source.key, make, worth=source.bytes >= _WORTH)
    counts = zip(unpack_texts(arrays["reasons"]), arrays["rejected"].tolist(), strict=True)
    words = ", ".join(f"{count} {why}" for why, count in counts) or "none"
    again = "" if fresh else "; kept from an earlier reading"
    rejected = int(arrays["rejected"].sum())
    say(f"{source.name}: {int(arrays['rows'])} kept, {rejected} rejected ({words}){again}")
    return arrays


def _parse(section: TrainingData, file: Path, quiet: bool) -> Arrays:
    from molgen.data.reader import read

    with Progress(None, "rows", f"reading {file.name}", quiet=quiet) as bar:
        table = read(
            file,
            smiles_column=section.smiles_column,
            id_column=section.id_column,
            policy=section.policy,
            progress=bar.advance,
        )
    columns = [check_column(section, file, name, table.columns) for name in section.labels]
    labels = np.full((len(table.molecules), len(columns)), np.nan)
    for row, molecule in enumerate(table.molecules):
        for k, name in enumerate(columns):
            value = number(molecule.data.get(name))
            if value is None:
                raise DataError(_not_a_number(section, file, columns))
            labels[row, k] = value
    reasons = dict(sorted(table.reasons.items()))
    return {
        "smiles": pack_texts([m.smiles for m in table.molecules]),
        "rows": np.array(len(table.molecules)),
        "labels": labels,
        "reasons": pack_texts(list(reasons)),
        "rejected": np.array(list(reasons.values()), np.int64),
    }


def check_column(section: TrainingData, file: Path | str, name: str, columns: Sequence[str]) -> str:
    """The column of a label. Raises DataError with the nearest name."""
    others = [c for c in columns if c not in (section.smiles_column, section.id_column)]
    if name not in others:
        raise DataError(f"{file}: has no column {name!r} for labels{did_you_mean(name, others)}")
    return name


def number(cell: Any) -> float | None:
    """A measured value; NaN for an empty cell (or NA, n/a, nan, null, none, -), None for what is no finite number."""
    if cell is None or (isinstance(cell, str) and cell.strip().lower() in _NOT_MEASURED):
        return math.nan
    if isinstance(cell, float) and math.isnan(cell):
        return math.nan
    try:
        value = float(cell)
    except (TypeError, ValueError):
        return None
    return value if math.isfinite(value) else None


def _not_a_number(section: TrainingData, file: Path, columns: Sequence[str]) -> str:
    """Where the cells are that hold no number: the reading has forgotten the lines, so it is done once more."""
    from molgen.data.reader import raw_rows

    rows = raw_rows(file, smiles_column=section.smiles_column, id_column=section.id_column)
    found = [
        f"line {line}, column {name!r}: {str(data[name])[:40]!r}"
        for line, _, _, data in rows
        for name in columns
        if number(data.get(name)) is None
    ]
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return (
        f"{file}: {'; '.join(found[:3])}{more}: not a number; give plain numbers with a decimal point, and leave the "
        "cell empty where there is none (also instead of '>10': that would teach a number that nobody measured)"
    )


def refuse_labels(config: TrainConfig, name: str) -> None:
    """Raise ConfigError where there are labels and the family ``name`` has no head that could learn them."""
    if "labels" in family(name).capabilities:
        return
    problems = [
        Problem(
            f"data[{i}].labels",
            f"a model of the family {name!r} has no property head; remove the labels, or use graph_vae",
        )
        for i, section in enumerate(config.data)
        if section.labels
    ]
    if problems:
        raise ConfigError(problems)


def sources_to_json(sources: Sources) -> dict[str, Any]:
    """For the record of a prepared folder."""
    return {name: asdict(source) for name, source in sources.items()}


def sources_from_json(data: Mapping[str, Any]) -> dict[str, Source]:
    """Inverse of :func:`sources_to_json`."""
    return {name: Source(**fields) for name, fields in data.items()}
