"""Our MOSES metrics beside published ones, on JT-VAE's published 30,000 samples, and the FCD of training molecules.

    MOLGEN_TEST_DATA=FOLDER python benchmarks/moses_parity.py [--floor]

FOLDER holds parity/jtvae_moses_sample.smi.gz; reference data come through `molgen data fetch`. Prints a table and
exits 1 if a difference is above its tolerance.
"""

from __future__ import annotations

import argparse
import gzip
import os
import sys
import time
from pathlib import Path

import torch

from molgen.core.seeding import numpy_generator
from molgen.data import catalog
from molgen.data.reader import raw_rows
from molgen.metrics.distribution import read_sample
from molgen.metrics.fcd import ChemNet, frechet_chemnet_distance
from molgen.metrics.filters import MosesFilters
from molgen.metrics.moses import MosesInputs, moses_metrics
from molgen.metrics.reference import read_moses_statistics

# (published value, tolerance), from fast_molvae/moses-h450z56 of wengong-jin/icml18-jtnn
PUBLISHED = {
    "valid": (1.0, 0.0),
    "unique@10000": (0.9992, 1e-12),
    "FCD/Test": (0.42235414, 1e-4),
    "FCD/TestSF": (0.99621650, 1e-4),
    "SNN/Test": (0.5560595345050097, 1e-6),
    "Frag/Test": (0.996223352989786, 1e-12),
    "Scaf/Test": (0.8924981494347503, 1e-12),
    "Frag/TestSF": (0.9947901514732747, 1e-12),
    "Scaf/TestSF": (0.1004987344491177, 1e-12),
    "IntDiv": (0.85117122, 1e-6),
    "IntDiv2": (0.84530886, 1e-6),
    "Filters": (0.978, 5e-4),
}
FLOOR = {
    "Test": (0.0472, 0.005),
    "TestSF": (0.5134, 0.02),
}  # one random draw each; another draw differs by thousandths


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--floor", action="store_true", help="also score 30,000 random training molecules")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    path = Path(os.environ.get("MOLGEN_TEST_DATA", "")) / "parity" / "jtvae_moses_sample.smi.gz"
    if not path.is_file():
        print(f"{path} is not there: set MOLGEN_TEST_DATA", file=sys.stderr)
        return 3
    chemnet = ChemNet.load(catalog.fetch("chemnet"))
    names = {"Test": "moses-test-stats", "TestSF": "moses-test-scaffolds-stats"}
    references = {name: read_moses_statistics(catalog.fetch(entry)) for name, entry in names.items()}
    filters = MosesFilters.read(catalog.fetch("moses-mcf"), catalog.fetch("moses-pains"))
    start = time.process_time()
    with gzip.open(path, "rt") as file:
        raw = file.read().splitlines()
    ours = moses_metrics(read_sample(raw), MosesInputs(chemnet, references, filters=filters))
    seconds = time.process_time() - start
    failed = 0
    print(f"{'metric':<14}{'ours':>22}{'published':>22}{'difference':>13}{'allowed':>10}")
    for name, value in ours.items():
        published, allowed = PUBLISHED.get(name, (None, None))
        if value is None or published is None or allowed is None:
            print(f"{name:<14}{value!r:>22}")
            continue
        failed += abs(value - published) > allowed
        print(f"{name:<14}{value!r:>22}{published!r:>22}{value - published:>13.1e}{allowed:>10.0e}")
    print(f"{len(raw)} molecules in {seconds:.0f} CPU-seconds on one thread")
    if arguments.floor:
        training = [text for _, text, _, _ in raw_rows(catalog.fetch("moses"))]
        drawn = numpy_generator(0, "moses_floor").choice(len(training), 30_000, replace=False)
        sample = read_sample([training[i] for i in drawn])
        for name, (expected, allowed) in FLOOR.items():
            value = frechet_chemnet_distance(sample.smiles, references[name].fcd, chemnet)
            failed += abs(value - expected) > allowed
            print(f"30,000 training molecules: FCD/{name} {value:.4f}, expected about {expected}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
