"""The tables of docs/benchmarks.md: our MOSES metrics beside published ones, shipped models beside published baselines.

    MOLGEN_TEST_DATA=FOLDER python benchmarks/moses_parity.py [-n 30000] [--model NAME] [--markdown] [--floor]

1. Parity on JT-VAE's published 30,000 samples (FOLDER holds parity/jtvae_moses_sample.smi.gz); exits 1 where a
   difference is above its tolerance.
2. Every shipped model that was trained on MOSES, whatever its family, beside the published baselines of MOSES.
3. Every other shipped model beside the published baselines of GuacaMol, which had another reference: not comparable.

``-n N`` draws N strings from each model, as `molgen sample` does, and evaluates them now; without it the rows are those
of the models' cards. Reference data come through `molgen data fetch`. CPU-seconds and peak memory are printed too.
"""

from __future__ import annotations

import argparse
import gzip
import os
import resource
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

import molgen as mg
from molgen.core.seeding import numpy_generator
from molgen.data.fetch import fetch
from molgen.data.reader import raw_rows
from molgen.learn.store import read_card
from molgen.metrics.distribution import read_sample
from molgen.metrics.fcd import ChemNet, frechet_chemnet_distance
from molgen.metrics.filters import MosesFilters
from molgen.metrics.moses import MosesInputs, moses_metrics
from molgen.models.registry import locate, shipped
from molgen.workflows.evaluation.context import Stages
from molgen.workflows.evaluation.inputs import moses_statistics

Values = Mapping[str, float | None]
# (published value, tolerance), from fast_molvae/moses-h450z56/metrics.txt of wengong-jin/icml18-jtnn, which was
# written by a version of MOSES whose property distances are one-dimensional Frechet distances.
PUBLISHED = {
    "valid": (1.0, 0.0),
    "unique@1000": (1.0, 0.0),
    "unique@10000": (0.9992, 1e-12),
    "FCD/Test": (0.42235413520261034, 1e-4),
    "FCD/TestSF": (0.9962165008703465, 1e-4),
    "SNN/Test": (0.5560595345050097, 1e-6),
    "SNN/TestSF": (0.5272934146558245, 1e-6),
    "Frag/Test": (0.996223352989786, 1e-12),
    "Frag/TestSF": (0.9947901514732745, 1e-12),
    "Scaf/Test": (0.8924981494347503, 1e-12),
    "Scaf/TestSF": (0.10049873444911761, 1e-12),
    "IntDiv": (0.8511712225340441, 1e-6),
    "IntDiv2": (0.8453088593783662, 1e-6),
    "Filters": (0.9778, 1e-12),
    "logP (Frechet)": (0.0054694810121243, 1e-10),
    "SA (Frechet)": (0.015992957588069068, 1e-10),
    "QED (Frechet)": (1.15692473423544e-05, 1e-10),
    "weight (Frechet)": (0.5403194879856983, 1e-8),
}
#: Published baselines, from the README of molecularsets/moses: 30,000 samples, mean of three runs.
COLUMNS = (
    "valid", "unique@10000", "Novelty", "FCD/Test", "FCD/TestSF", "SNN/Test", "Frag/Test", "Scaf/Test", "Scaf/TestSF",
    "IntDiv", "Filters",
)  # fmt: skip
BASELINES = {
    "training set": (1.0, 1.0, 0.0, 0.008, 0.4755, 0.6419, 1.0, 0.9907, 0.0, 0.8567, 1.0),
    "HMM": (0.076, 0.5671, 0.9994, 24.466, 25.431, 0.3876, 0.5754, 0.2065, 0.049, 0.8466, 0.9024),
    "NGram": (0.2376, 0.9217, 0.9694, 5.5069, 6.2306, 0.5209, 0.9846, 0.5302, 0.0977, 0.8738, 0.9582),
    "Combinatorial": (1.0, 0.9909, 0.9878, 4.2375, 4.5113, 0.4514, 0.9912, 0.4445, 0.0865, 0.8732, 0.9557),
    "CharRNN": (0.9748, 0.9994, 0.8419, 0.0732, 0.5204, 0.6015, 0.9998, 0.9242, 0.1101, 0.8562, 0.9943),
    "AAE": (0.9368, 0.9973, 0.7931, 0.5555, 1.0572, 0.6081, 0.991, 0.9022, 0.0789, 0.8557, 0.996),
    "VAE (SMILES)": (0.9767, 0.9984, 0.6949, 0.099, 0.567, 0.6257, 0.9994, 0.9386, 0.0588, 0.8558, 0.997),
    "JTN-VAE": (1.0, 0.9996, 0.9143, 0.3954, 0.9382, 0.5477, 0.9965, 0.8964, 0.1009, 0.8551, 0.976),
    "LatentGAN": (0.8966, 0.9968, 0.9498, 0.2968, 0.8281, 0.5371, 0.9986, 0.8867, 0.1072, 0.8565, 0.9735),
}
#: Published baselines of GuacaMol's distribution learning, from Brown et al., J. Chem. Inf. Model. 59 (2019) 1096,
#: table 1: 10,000 molecules against ChEMBL 24.
GUACAMOL_COLUMNS = ("validity", "uniqueness", "novelty", "KL score", "FCD score")
GUACAMOL_BASELINES = {
    "training molecules": (1.0, 0.997, 0.0, 0.998, 0.929),
    "SMILES LSTM": (0.959, 1.0, 0.912, 0.991, 0.913),
    "Graph MCTS": (1.0, 1.0, 0.994, 0.522, 0.015),
    "AAE": (0.822, 1.0, 0.998, 0.886, 0.529),
    "ORGAN": (0.379, 0.841, 0.687, 0.267, 0.0),
    "VAE": (0.870, 0.999, 0.974, 0.982, 0.863),
}
FLOOR = {
    "Test": (0.0472, 0.005),
    "TestSF": (0.5134, 0.02),
}  # one random draw each; another draw differs by thousandths


def main() -> int:
    """Print the tables; 1 where one of our values is not the published one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "-n", type=int, default=0, help="strings drawn from each model; 0: what its card says"
    )
    parser.add_argument(
        "--model", action="append", help="only this shipped model or model folder (repeatable)"
    )
    parser.add_argument("--floor", action="store_true", help="also score 30,000 random training molecules")
    parser.add_argument(
        "--markdown", action="store_true", help="the tables as they stand in the documentation"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    places = shipped()
    if arguments.model:
        places = {Path(name).name: locate(name) for name in arguments.model}
    path = Path(os.environ.get("MOLGEN_TEST_DATA", "")) / "parity" / "jtvae_moses_sample.smi.gz"
    failed = 0
    if path.is_file():
        failed = parity(path, arguments.markdown, arguments.floor)
    else:
        print("skipped: needs parity/jtvae_moses_sample.smi.gz where MOLGEN_TEST_DATA points to")
    print()
    show_models(places, arguments.n)
    return 1 if failed else 0


def parity(path: Path, markdown: bool, floor: bool) -> int:
    """The parity table; returns how many differences are too large."""
    for name in ("moses-test-stats", "moses-test-scaffolds-stats"):
        fetch(name)
    chemnet = ChemNet.load(fetch("chemnet"))
    filters = MosesFilters.read(fetch("moses-mcf"), fetch("moses-pains"))
    with gzip.open(path, "rt") as file:
        raw = file.read().splitlines()
    with Stages(quiet=True) as stages:
        references = moses_statistics(stages)
    start = time.process_time()
    with Stages() as stages:
        stages("reading")
        inputs = MosesInputs(chemnet, references, filters=filters)
        ours = moses_metrics(read_sample(raw), inputs, report=stages)
    seconds = time.process_time() - start
    failed = show(ours, markdown)
    print()
    for stage, spent in stages.seconds.items():
        print(f"{spent:8.1f} CPU-seconds  {stage}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{seconds:8.1f} CPU-seconds  for {len(raw)} molecules on one thread, {memory:.1f} GiB at most")
    print(f"{len(set(raw)) / stages.seconds['ChemNet']:8.0f} molecules per CPU-second through ChemNet")
    if floor:
        training = [text for _, text, _, _ in raw_rows(fetch("moses"))]
        drawn = numpy_generator(0, "moses_floor").choice(len(training), 30_000, replace=False)
        sample = read_sample([training[i] for i in drawn])
        for name, (expected, allowed) in FLOOR.items():
            reference = references[name].fcd
            assert reference is not None
            value = frechet_chemnet_distance(sample.smiles, reference, chemnet)
            failed += abs(value - expected) > allowed
            print(f"30,000 training molecules: FCD/{name} {value:.4f}, expected about {expected}")
    return failed


def show(ours: dict[str, float | None], markdown: bool) -> int:
    """Print the table; returns how many differences are too large."""
    failed = 0
    heads = ("metric", "ours", "published", "difference", "allowed")
    widths = (18, 24, 24, 12, 8)
    if markdown:
        print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    else:
        print("  ".join(f"{head:<{width}}" for head, width in zip(heads, widths, strict=True)))
    for name, value in ours.items():
        published, allowed = PUBLISHED.get(name, (None, None))
        row = [name, repr(value), "", "", ""]
        if value is not None and published is not None and allowed is not None:
            wrong = abs(value - published) > allowed
            failed += wrong
            row[2:] = [
                repr(published),
                f"{value - published:.1e}",
                f"{allowed:.0e}" + (" !" if wrong else ""),
            ]
        if markdown:
            print("| " + " | ".join(row) + " |")
        else:
            print("  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip())
    return failed


def show_models(places: Mapping[str, Path], n: int) -> None:
    """Both tables of models beside published baselines; ``n``: measured now from so many strings, 0: from the cards."""
    cards = {name: read_card(place) for name, place in places.items()}
    moses = [name for name, card in cards.items() if sources(card) == ["moses"]]
    small = [name for name in cards if "qm9" in sources(cards[name])]  # no reference here has their size
    others = [name for name in cards if name not in {*moses, *small}]
    rows: list[tuple[str, Values]] = []
    for name in moses:
        rows += measured(name, places[name], n, "moses") if n else from_card(name, cards[name])
    published = {name: dict(zip(COLUMNS, row, strict=True)) for name, row in BASELINES.items()}
    table("MOSES protocol, 30,000 samples", COLUMNS, rows, published)
    print("\nPublished: README of molecularsets/moses, mean of three runs.")
    if not n:
        left_out = ", ".join(others)
        print(
            f"GuacaMol's metrics are not on the cards; measure them with -n 30000: {left_out}"
            if others
            else ""
        )
        return
    rows = [row for name in others for row in measured(name, places[name], n, "druglike")]
    published = {
        name: dict(zip(GUACAMOL_COLUMNS, row, strict=True)) for name, row in GUACAMOL_BASELINES.items()
    }
    print()
    table("GuacaMol protocol, 10,000 samples", GUACAMOL_COLUMNS, rows, published)
    print(
        "\nPublished: Brown et al. 2019, against ChEMBL 24. Ours: against the held-out part of ZINC250k and the "
        "ChEMBL-like sample; not comparable, only of one kind."
    )


def sources(card: Mapping[str, Any]) -> list[str]:
    """Names of the data sets that a model was trained on."""
    return [source["name"] for source in (card.get("data") or {}).get("sources", [])]


def from_card(name: str, card: Mapping[str, Any]) -> list[tuple[str, Values]]:
    """What the card says of the model: with its own settings of sampling, and of the whole distribution."""
    metrics = card.get("metrics") or {}
    if "FCD/TestSF" not in metrics.get("values", {}):
        return [(f"**`{name}`**, not measured: use -n", {})]
    rows = [(f"**`{name}`**, {settings(metrics['sampling'])}", metrics["values"])]
    if "whole_distribution" in metrics:
        rows.append((f"**`{name}`**, whole distribution", metrics["whole_distribution"]["values"]))
    return rows


def measured(name: str, place: Path, n: int, protocol: str) -> list[tuple[str, Values]]:
    """Draw and evaluate now, by the protocol of ``moses`` or of ``druglike``."""
    start = time.process_time()
    model = mg.load(place)
    drawn = model.sample(n, seed=1, raw=True)
    suite = "moses" if protocol == "moses" else "guacamol"
    found = mg.evaluate(drawn.smiles, reference=protocol, suites=[suite], n=n)
    values = {metric.name: metric.value for metric in found.metrics if metric.suite == suite}
    own = getattr(model.generator, "sampling_defaults", None) or {}
    print(f"{name}: {n:,} strings, {time.process_time() - start:.0f} CPU-seconds", file=sys.stderr)
    for verdict in found.verdicts:
        print(f"{name}: VERDICT: {verdict.words}", file=sys.stderr)
    return [(f"**`{name}`**, {settings(own)}, n = {n:,}", values)]


def settings(sampling: Mapping[str, Any]) -> str:
    """How a model was sampled, in words."""
    return f"T {sampling.get('temperature', 1.0):g}, min-p {sampling.get('min_p', 0.0):g}"


def table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[tuple[str, Values]],
    published: Mapping[str, Values],
) -> None:
    """A table in Markdown: our rows, then the published ones."""
    print(f"| {title} | " + " | ".join(columns) + " |\n|" + "---|" * (len(columns) + 1))
    for name, values in [*rows, *published.items()]:
        cells = ["" if (value := values.get(column)) is None else f"{value:.4g}" for column in columns]
        print(f"| {name} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    sys.exit(main())
