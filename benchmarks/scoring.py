"""Scoring speed: our objective beside a plain RDKit loop over the same molecules in the same run.

    python benchmarks/scoring.py [FILE] [-n 10000] [--workers 2]

FILE has one SMILES per line (or any table that molgen reads); the default is ZINC250k from the data catalog.
Figures are molecules per CPU-second (user + system, children included) and their ratios; values are compared too.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

ALERTS = (
    "[*;r8,r9,r10,r11,r12,r13,r14,r15,r16,r17]",
    "[#8][#8]",
    "[#6;+]",
    "[#16][#16]",
    "[#7;!n][S;!$(S(=O)=O)]",
    "[#7;!n][#7;!n]",
    "C#C",
    "C(=[O,S])[O,S]",
    "[#7;!n][C;!$(C(=[O,N])[N,O])][#16;!s]",
    "[#7;!n][C;!$(C(=[O,N])[N,O])][#7;!n]",
    "[#7;!n][C;!$(C(=[O,N])[N,O])][#8;!o]",
    "[#8;!o][C;!$(C(=[O,N])[N,O])][#16;!s]",
    "[#8;!o][C;!$(C(=[O,N])[N,O])][#8;!o]",
    "[#16;!s][C;!$(C(=[O,N])[N,O])][#16;!s]",
)
REFERENCES = ("CC(=O)Oc1ccccc1C(=O)O", "CN1C=NC2=C1C(=O)N(C(=O)N2C)C", "CC(C)Cc1ccc(cc1)C(C)C(=O)O")
COMPONENTS = [
    *({"use": name} for name in ("qed", "logp", "tpsa", "mol_weight", "sa_score")),
    {"use": "custom_alerts", "params": {"smarts": list(ALERTS)}},
    {"use": "similarity", "params": {"references": list(REFERENCES)}},
]


def cpu() -> float:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def plain_loop(smiles: list[str]) -> np.ndarray:
    """What a careful user would write: parse once, compile SMARTS once, call RDKit's functions."""
    from rdkit import Chem, DataStructs, RDConfig
    from rdkit.Chem import QED, Crippen, Descriptors, MolSurf, rdFingerprintGenerator

    sys.path.append(os.path.join(RDConfig.RDContribDir, "SA_Score"))
    import sascorer

    patterns = [Chem.MolFromSmarts(text) for text in ALERTS]
    make = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    references = [make.GetFingerprint(Chem.MolFromSmiles(text)) for text in REFERENCES]
    sascorer.calculateScore(Chem.MolFromSmiles("C"))  # reads its table
    start = cpu()
    rows = []
    for text in smiles:
        mol = Chem.MolFromSmiles(text)
        rows.append(
            (
                QED.qed(mol),
                Crippen.MolLogP(mol),
                MolSurf.TPSA(mol),
                Descriptors.MolWt(mol),
                sascorer.calculateScore(mol),
                float(sum(mol.HasSubstructMatch(pattern) for pattern in patterns)),
                max(DataStructs.BulkTanimotoSimilarity(make.GetFingerprint(mol), references)),
            )
        )
    report("plain RDKit loop", len(smiles), cpu() - start)
    return np.array(rows).T


def report(what: str, n: int, seconds: float, baseline: float | None = None) -> float:
    rate = n / seconds
    ratio = "" if baseline is None else f"  {rate / baseline:5.2f} x"
    print(f"{what:<44}{seconds:8.2f} CPU-s {rate:9.0f} molecules/CPU-s{ratio}", flush=True)
    return rate


def objective(workers: int = 1):
    from molgen.core.schema import ObjectiveConfig
    from molgen.scoring.objective import build_objective

    config = ObjectiveConfig.model_validate({"components": COMPONENTS})
    return build_objective(config, workers=workers)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", nargs="?", help="molecules; default: zinc250k of the catalog")
    parser.add_argument("-n", type=int, default=10_000, help="molecules")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()

    from molgen.chem.molecule import Molecule
    from molgen.data.reader import read

    if options.file is None:
        from molgen.data.catalog import fetch

        options.file = str(fetch("zinc250k"))
    start = cpu()
    table = read(Path(options.file), limit=options.n)
    smiles = [mol.smiles for mol in table.molecules]
    n = len(smiles)
    report("reading and standardizing", n, cpu() - start)

    def fresh() -> list[Molecule]:
        return [Molecule(text) for text in smiles]

    with objective() as built:
        built([Molecule("CCO")])  # tables and patterns are loaded: start-up
        start = cpu()
        ours = built(fresh())
        ours_cpu = cpu() - start
    expected = plain_loop(smiles)
    names = list(ours.raw)
    for name, row in zip(names, expected, strict=True):
        assert np.array_equal(ours.raw[name], row), f"{name} differs from RDKit"
    print(f"values of {', '.join(names)}: identical to RDKit's")
    start = cpu()
    for text in smiles:
        _ = Molecule(text).mol
    report("parsing alone", n, cpu() - start)
    with objective() as built:
        built([Molecule("CCO")])
        start = cpu()
        plain_loop_rate = None
        built(fresh())
        report("objective, this process", n, min(ours_cpu, cpu() - start), plain_loop_rate)

    serial_wall, pool_wall = [], []
    with objective() as alone, objective(options.workers) as shared:
        warm = fresh()[: 200 * options.workers]
        alone(warm)
        shared(warm)
        for _ in range(2):
            start = time.perf_counter()
            one = alone(fresh())
            serial_wall.append(time.perf_counter() - start)
            start = time.perf_counter()
            two = shared(fresh())
            pool_wall.append(time.perf_counter() - start)
        assert np.array_equal(one.total, two.total, equal_nan=True), "workers changed a value"
    gain = min(serial_wall) / min(pool_wall)
    print(
        f"{options.workers} workers: {gain:.2f} x the speed of one process "
        f"(wall {min(serial_wall):.1f} -> {min(pool_wall):.1f} s, load {os.getloadavg()[0]:.1f} "
        f"on {os.cpu_count()} cores); same values"
    )


if __name__ == "__main__":
    main()
