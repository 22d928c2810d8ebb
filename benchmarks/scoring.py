"""Scoring speed: our objective beside a plain RDKit loop over the same molecules in the same run.

    python benchmarks/scoring.py [FILE] [-n 10000] [--workers 2]

FILE has one SMILES per line (or any table that molgen reads); the default is ZINC250k from the data catalog.
Figures are molecules per CPU-second (user + system, children included) and their ratios; values are compared too.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule
    from molgen.scoring.objective import Objective

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
WARM = 300  # molecules that load tables and compile patterns before the clock starts
COMPONENTS = [
    *({"use": name} for name in ("qed", "logp", "tpsa", "mol_weight", "sa_score")),
    {"use": "custom_alerts", "params": {"smarts": list(ALERTS)}},
    {"use": "similarity", "params": {"references": list(REFERENCES)}},
]


def cpu() -> float:
    own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def plain_loop(smiles: list[str]) -> tuple[float, np.ndarray]:
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
    return cpu() - start, np.array(rows).T


def report(what: str, n: int, seconds: float, baseline: float | None = None) -> float:
    rate = n / seconds
    ratio = "" if baseline is None else f"  {rate / baseline:5.2f} x"
    print(f"{what:<44}{seconds:8.2f} CPU-s {rate:9.0f} molecules/CPU-s{ratio}", flush=True)
    return rate


def objective(workers: int = 1) -> Objective:
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

    from molgen.data.reader import read

    if options.file is None:
        from molgen.data.fetch import fetch

        options.file = str(fetch("zinc250k"))
    start = cpu()
    table = read(Path(options.file), limit=options.n)
    smiles = [mol.smiles for mol in table.molecules]
    n = len(smiles)
    report("reading and standardizing", n, cpu() - start)

    # Twice, alternating, because other jobs on a shared machine slow both: the better of each counts.
    ours_cpu, plain_cpu = [], []
    with objective() as built:
        built(table.molecules[:WARM])  # tables and patterns are loaded: start-up is not counted
        for _ in range(2):
            mols = [fresh(mol) for mol in table.molecules]
            start = cpu()
            ours = built(mols)
            ours_cpu.append(cpu() - start)
            seconds, expected = plain_loop(smiles)
            plain_cpu.append(seconds)
    for name, row in zip(ours.raw, expected, strict=True):
        assert np.array_equal(ours.raw[name], row), f"{name} differs from RDKit"
    print(f"values of {', '.join(ours.raw)}: identical to RDKit's")
    baseline = report("plain RDKit loop", n, min(plain_cpu))
    report("objective, one process", n, min(ours_cpu), baseline)
    workers(options.workers, table.molecules, ours.total)


def workers(count: int, mols: list[Molecule], expected: np.ndarray) -> None:
    """Time worker processes beside as many independent ones that share the molecules and never talk.

    The independent ones are what the machine itself can do (two virtual cores may be one); what is left is ours.
    """
    with objective() as alone:
        alone(mols[:WARM])
        start, wall = cpu(), time.perf_counter()
        alone([fresh(mol) for mol in mols])
        serial_wall, serial_cpu = time.perf_counter() - wall, cpu() - start
    before = cpu()
    with objective(count) as shared:
        shared(mols[: WARM * count])  # workers are started
    starting = cpu() - before  # children count once they have ended
    before = cpu()
    with objective(count) as shared:
        shared(mols[: WARM * count])
        own, wall = time.process_time(), time.perf_counter()
        table = shared(mols)
        pool_wall, own = time.perf_counter() - wall, time.process_time() - own
    pool_cpu = cpu() - before - starting
    assert np.array_equal(table.total, expected, equal_nan=True), "workers changed a value"
    free_wall, free_cpu = independent(count, mols)
    print(f"{count} processes (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores), one alone = 1:")
    print(
        f"  workers:     {serial_wall / pool_wall:.2f} x by the clock, {pool_cpu / serial_cpu:.2f} x CPU-seconds"
    )
    print(
        f"  independent: {serial_wall / free_wall:.2f} x by the clock, {free_cpu / serial_cpu:.2f} x CPU-seconds"
    )
    print(
        f"  so ours costs {pool_cpu / free_cpu - 1:+.1%} CPU-seconds ({own:.2f} of {pool_cpu:.1f} in the parent), and "
        f"starting {starting:.1f} once; on cores that are really {count}, {serial_cpu * count / pool_cpu:.2f} x or more"
    )


def fresh(mol: Molecule) -> Molecule:
    """The same molecule, not parsed yet: parsing is part of what is timed."""
    return type(mol)(mol.smiles, mol.policy)


def independent(count: int, mols: list[Molecule]) -> tuple[float, float]:
    """Seconds by the clock and CPU-seconds of separate processes that each score their share, start-up left out."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import scoring; scoring.share()"
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(count)
    ]
    for i, process in enumerate(running):
        assert process.stdin is not None
        process.stdin.write(json.dumps([mol.smiles for mol in mols[i::count]]) + "\n")
        process.stdin.flush()
    for process in running:
        assert process.stdout is not None
        process.stdout.readline()  # warm
    wall = time.perf_counter()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    seconds = [float(process.communicate()[0]) for process in running]
    return time.perf_counter() - wall, sum(seconds)


def share() -> None:
    """One of :func:`independent`: warm up, wait, score, print the CPU-seconds."""
    from molgen.chem.molecule import Molecule

    mols = [Molecule(text) for text in json.loads(sys.stdin.readline())]
    with objective() as alone:
        alone(mols[:WARM])
        print("ready", flush=True)
        sys.stdin.readline()
        start = cpu()
        alone([fresh(mol) for mol in mols])
        print(cpu() - start, flush=True)
        os._exit(0)  # ending is not part of it


if __name__ == "__main__":
    main()
