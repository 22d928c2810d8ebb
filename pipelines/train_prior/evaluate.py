"""Measure a prior for its card: the MOSES metrics and known ring systems of raw samples, as one JSON file.

    python pipelines/train_prior/evaluate.py raw.smi --prior moses -o metrics.json
    python pipelines/train_prior/evaluate.py raw.smi --prior druglike --training train.smi --held-out held_out.smi \\
        -o metrics.json

``raw.smi`` holds the raw sampled strings, one per line (an empty line is an invalid sample), best 30,000. ``moses``
follows the official protocol; its data come through `molgen data fetch` on first use. The others are
compared with a held-out file, beside the floor: as many molecules drawn from the training file, against the same
held-out file.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rdkit import Chem

from molgen.core.errors import DataError, MolgenError
from molgen.core.seeding import numpy_generator
from molgen.data import catalog
from molgen.data.fetch import fetch
from molgen.data.reader import raw_rows
from molgen.metrics.distribution import Sample, read_sample
from molgen.metrics.fcd import ChemNet, frechet_distance, moments
from molgen.metrics.filters import MosesFilters
from molgen.metrics.moses import MosesInputs, moses_metrics, reference_statistics
from molgen.metrics.reference import ReferenceStatistics, read_moses_statistics
from molgen.metrics.ring_novelty import BloomFilter, ring_systems_known
from molgen.run.files import sha256_file, write_json
from molgen.run.manifest import git_state, versions
from molgen.run.progress import Progress, say

FORMAT = 1
FLOOR = {"qm9": 10_000}  # training molecules of the floor, where not 30,000: as many as are held out
Reader = Callable[[Path], ReferenceStatistics]


def main(argv: list[str] | None = None) -> int:
    """Read the arguments, evaluate, write; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("samples", type=Path, help="raw sampled strings, one per line")
    parser.add_argument("--prior", choices=("moses", "druglike", "zinc250k", "qm9"), required=True)
    parser.add_argument("-o", "--output", type=Path, required=True, help="where the JSON goes")
    parser.add_argument("--training", type=Path, help="training file (default for moses: the catalog's)")
    parser.add_argument("--held-out", type=Path, help="held-out file (all but moses)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the floor's draw; default 0")
    parser.add_argument(
        "--brief", action="store_true", help="validity, uniqueness, novelty, FCD and rings only"
    )
    parser.add_argument(
        "--flat", action="store_true", help="take the stereo off samples and data (graph VAEs)"
    )
    parser.add_argument("--overwrite", action="store_true")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(1)
    try:
        if arguments.output.exists() and not arguments.overwrite:
            raise DataError(f"{arguments.output} exists; choose another name or add --overwrite")
        if arguments.prior != "moses" and not (arguments.training and arguments.held_out):
            raise DataError(f"--prior {arguments.prior} needs --training FILE and --held-out FILE")
        card = evaluate(arguments)
        write_json(arguments.output, card)
    except MolgenError as error:
        say(str(error))
        return error.exit_code
    width = max(map(len, card["metrics"]))
    for name, value in card["metrics"].items():
        print(f"{name:<{width}}  {'too few molecules' if value is None else f'{value:.6g}'}")
    say(f"{arguments.output}: {card['n_raw']} raw strings, {card['cpu_seconds']:.0f} CPU-seconds")
    return 0


def evaluate(arguments: argparse.Namespace) -> dict[str, Any]:
    """Everything that the JSON file holds."""
    start = time.process_time()
    flatten(arguments)
    chemnet = ChemNet.load(_fetch("chemnet"))
    references, files = reference_sets(arguments, chemnet)
    files |= {
        "samples": arguments.samples,
        "chemnet": _fetch("chemnet"),
        "rings": _fetch("chembl-ring-systems"),
    }
    files["training"] = arguments.training or _fetch("moses")
    sample = read_sample(read_raw(arguments.samples))
    training = _smiles_column(files["training"])
    filters = None
    if arguments.prior == "moses":
        files |= {"mcf": _fetch("moses-mcf"), "pains": _fetch("moses-pains")}
        filters = MosesFilters.read(files["mcf"], files["pains"])
    inputs = MosesInputs(chemnet, references, set(training), filters)
    metrics = moses_metrics(sample, inputs, brief=arguments.brief, report=Stages())
    known = ring_systems_known(sample.mols, BloomFilter.read(files["rings"]))
    metrics["ring systems known to ChEMBL"] = float(known.mean())
    digests = {name: sha256_file(path) for name, path in files.items()}
    if arguments.prior != "moses":
        metrics["FCD/held-out floor"] = floor(
            training,
            sample,
            chemnet,
            references["held-out"],
            arguments.seed,
            digests["training"],
            arguments.prior,
        )
    git = git_state() or {}
    return {
        "format": FORMAT,
        "kind": "prior_metrics",
        "prior": arguments.prior,
        "flat": arguments.flat,
        "n_raw": sample.n_raw,
        "n_valid": len(sample.smiles),
        "n_reference": {name: reference.n for name, reference in references.items()},
        "seed": arguments.seed,
        "metrics": metrics,
        "inputs_sha256": digests,
        "versions": versions(),
        "commit": git.get("commit"),
        "dirty": git.get("dirty"),
        "cpu_seconds": round(time.process_time() - start, 1),
    }


def flatten(arguments: argparse.Namespace) -> None:
    """With ``--flat``: data without stereo, so that a model that writes none is compared with its like."""
    for name in ("training", "held_out") if arguments.flat else ():
        if (path := getattr(arguments, name)) is not None:
            setattr(arguments, name, _flattened(path))


def reference_sets(
    arguments: argparse.Namespace, chemnet: ChemNet
) -> tuple[dict[str, ReferenceStatistics], dict[str, Path]]:
    """What samples are compared with, the main reference first, and the files it was read from."""
    if arguments.prior == "moses":
        files = {"Test": _fetch("moses-test-stats"), "TestSF": _fetch("moses-test-scaffolds-stats")}
        found = {name: _cached_reference(path, read_moses_statistics) for name, path in files.items()}
        return found, {"test": files["Test"], "test scaffolds": files["TestSF"]}

    def compute(path: Path) -> ReferenceStatistics:
        return reference_statistics(read_sample(_smiles_column(path)), chemnet, report=Stages())

    held_out: Path = arguments.held_out
    return {"held-out": _cached_reference(held_out, compute)}, {"held-out": held_out}


def distance(arguments: argparse.Namespace) -> Callable[[list[str]], float]:
    """The FCD of a list of SMILES to the main reference."""
    flatten(arguments)
    chemnet = ChemNet.load(_fetch("chemnet"))
    reference = next(iter(reference_sets(arguments, chemnet)[0].values())).fcd
    assert reference is not None  # ChemNet is always there

    def measure(smiles: list[str]) -> float:
        return frechet_distance(moments(chemnet.activations(read_sample(smiles).smiles)), reference)

    return measure


def read_raw(path: Path) -> list[str]:
    """Raw strings, one per line, empty ones kept; of CSV lines the first cell, without its header."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as text ({error})") from error
    cells = [line.partition(",")[0].strip() for line in lines]
    return cells[1:] if cells and cells[0].lower() == "smiles" else cells


def floor(
    training: list[str],
    sample: Sample,
    chemnet: ChemNet,
    reference: ReferenceStatistics,
    seed: int,
    digest: str,
    prior: str = "druglike",
) -> float:
    """FCD of as many training molecules as the sample has valid ones: what a perfect model would get."""
    n = min(len(sample.smiles), len(training))
    drawn = numpy_generator(seed, "fcd_floor").permutation(len(training))[
        : max(n, min(FLOOR.get(prior, 30_000), len(training)))
    ]
    path = _evaluation_cache() / f"floor-{digest[:16]}-{seed}-{len(drawn)}.npy"
    if path.is_file():
        activations = np.load(path, allow_pickle=False)
    else:
        molecules = read_sample([training[i] for i in drawn]).smiles
        stages = Stages()
        activations = chemnet.activations(
            molecules, progress=lambda done: stages("floor", done, len(molecules))
        )
        part = path.with_suffix(".part.npy")
        np.save(part, activations, allow_pickle=False)
        part.replace(path)
    assert reference.fcd is not None  # ChemNet is always there: main() fetches it
    return frechet_distance(moments(activations[:n]), reference.fcd)


class Stages:
    """One progress line per stage of the evaluation."""

    def __init__(self) -> None:
        self._stage = ""
        self._bar: Progress | None = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        """``done`` of ``total`` in ``stage``."""
        if stage != self._stage:
            self._stage, self._bar = stage, None
            if total > done == 0:
                say(stage)
        if done:
            if self._bar is None:
                self._bar = Progress(total, "molecules", stage)
                self._bar.__enter__()
            self._bar.advance(done - self._bar.count)
            if done >= total:
                self._bar.close()


def _flattened(path: Path) -> Path:
    """The molecules of a file without stereo, each once, written once per content."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    flat = _evaluation_cache() / f"flat-{sha256_file(path)[:16]}.smi"
    if not flat.is_file():
        rows = _smiles_column(path)
        with Progress(len(rows), "molecules", f"{path.name} without stereo") as bar:
            distinct: dict[str, None] = {}
            for text in rows:
                distinct[flat_smiles(text)] = None
                bar.advance()
        part = flat.with_suffix(".part")
        part.write_text("".join(f"{text}\n" for text in distinct), encoding="utf-8")
        part.replace(flat)
    return flat


def flat_smiles(smiles: str) -> str:
    """Canonical SMILES without stereo; the text itself where it does not parse."""
    mol = Chem.MolFromSmiles(smiles)
    return smiles if mol is None else str(Chem.MolToSmiles(mol, isomericSmiles=False))


def _fetch(name: str) -> Path:
    return fetch(name, progress=say)


def _smiles_column(path: Path) -> list[str]:
    return [text for _, text, _, _ in raw_rows(path)]


def _evaluation_cache() -> Path:
    folder = catalog.cache_dir() / "evaluation"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _cached_reference(path: Path, compute: Reader) -> ReferenceStatistics:
    """The statistics of a reference file, computed once per content."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    cached = _evaluation_cache() / f"reference-{sha256_file(path)[:16]}.npz"
    if not cached.is_file():
        say(f"{path.name}: computing the reference statistics, once")
        compute(path).save(cached)
    return ReferenceStatistics.load(cached)


if __name__ == "__main__":
    sys.exit(main())
