"""The 23 oracles of PMO: parity with the public score sheets of TDC, and CPU-seconds for 10,000 molecules.

    OMP_NUM_THREADS=1 MOLGEN_TEST_DATA=FOLDER python benchmarks/oracles.py [-n 5000] [--plain 300] [--json FILE]

FOLDER holds parity/pmo_tdc_1_1_14.parquet and pmo_tdc_0_3_6.parquet (5,000 ZINC molecules x 23 oracles, float32). The
classifiers come through `molgen data fetch drd2 gsk3b jnk3`. *Plain* is the usual way, in the same run: every oracle
parses the string and computes its own fingerprints and descriptors, pharmacophores and QED are RDKit's. Exits 1 where
a value differs from the sheet in float32.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from rdkit.Chem import QED
from rdkit.Chem.Pharm2D import Generate, Gobbi_Pharm2D

from molgen.benchmark import pmo
from molgen.benchmark.features import Features
from molgen.benchmark.oracle import Suite
from molgen.data.catalog import is_fetched

SCALE = 10_000  # molecules of one sheet, which figures are scaled to
HOPS = ("deco_hop", "scaffold_hop")


def shared(
    smiles: list[str], suite: Suite, tasks: list[str]
) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """CPU-seconds by part and values by oracle; a later oracle finds what an earlier one has computed."""
    oracles = {task: suite.oracle(task) for task in tasks}
    warm = [Features.parse(text) for text in smiles[:20]]
    for oracle in oracles.values():
        oracle(warm)
    start = time.process_time()
    molecules = [Features.parse(text) for text in smiles]
    seconds, values = {"parsing": time.process_time() - start}, {}
    for task, oracle in oracles.items():
        start = time.process_time()
        values[task] = oracle(molecules)
        seconds[task] = time.process_time() - start
    return seconds, values


def plain(smiles: list[str], suite: Suite, tasks: list[str]) -> dict[str, float]:
    """CPU-seconds by oracle where nothing is shared."""
    seconds = {}
    for task in tasks:
        oracle = suite.oracle(task)
        oracle([Features.parse(smiles[0])])
        start = time.process_time()
        for text in smiles:
            molecule = Features.parse(text)
            if task == "qed":
                QED.qed(molecule.mol)
            else:
                if task in HOPS:
                    Generate.Gen2DFingerprint(molecule.mol, Gobbi_Pharm2D.factory)
                    molecule.pharmacophore = frozenset()  # type: ignore[misc]
                oracle([molecule])
        seconds[task] = time.process_time() - start
    return seconds


def equal(ours: np.ndarray, theirs: np.ndarray) -> int:
    """Rows that agree in every bit of float32; no value (NaN) agrees with no value."""
    rounded = ours.astype(np.float32)
    return int(((rounded == theirs) | (np.isnan(rounded) & np.isnan(theirs))).sum())


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-n", type=int, default=5000)
    parser.add_argument("--plain", type=int, default=300, metavar="N", help="molecules of the plain way")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    folder = Path(os.environ.get("MOLGEN_TEST_DATA", "")) / "parity"
    if not (folder / "pmo_tdc_1_1_14.parquet").is_file():
        print("skipped: needs parity/pmo_tdc_1_1_14.parquet where MOLGEN_TEST_DATA points to")
        return 0
    tasks = [task for task in pmo.TASKS if task not in pmo.CLASSIFIERS or is_fetched(task)]
    if left_out := sorted(set(pmo.TASKS) - set(tasks)):
        print(f"left out: {', '.join(left_out)}; get them with: molgen data fetch {' '.join(left_out)}")
    agree: dict[str, dict[str, int]] = {task: {} for task in tasks}
    seconds: dict[str, float] = {}
    rows = 0
    for version in pmo.VERSIONS:
        sheet = pd.read_parquet(folder / f"pmo_tdc_{version.replace('.', '_')}.parquet").iloc[: arguments.n]
        smiles, rows = sheet["smiles"].tolist(), len(sheet)
        took, values = shared(smiles, Suite("pmo", version), tasks)
        seconds = seconds or took
        for task in tasks:
            agree[task][version] = equal(values[task], sheet[task].to_numpy())
        inverted = shared(smiles, Suite("pmo", version, inverted_deco_hop=True), ["deco_hop"])[1]
        agree["deco_hop"][f"{version} inverted"] = equal(inverted["deco_hop"], sheet["deco_hop"].to_numpy())
    few = pd.read_parquet(folder / "pmo_tdc_1_1_14.parquet")["smiles"].tolist()[: arguments.plain]
    alone = plain(few, Suite("pmo"), tasks)
    shared_scale, plain_scale = SCALE / rows, SCALE / max(1, len(few))

    print(
        f"{'oracle':26} {'1.1.14':>6} {'0.3.6':>6} {'CPU-s':>7} {'plain':>7}   (rows of {rows} equal in float32)"
    )
    print(f"{'parsing':26} {'':6} {'':6} {seconds['parsing'] * shared_scale:7.1f}")
    for task in tasks:
        counts = [agree[task][version] for version in pmo.VERSIONS]
        ours, other = seconds[task] * shared_scale, alone[task] * plain_scale
        print(f"{task:26} {counts[0]:6d} {counts[1]:6d} {ours:7.1f} {other:7.1f}")
    flagged = [agree["deco_hop"][f"{version} inverted"] for version in pmo.VERSIONS]
    print(f"{'deco_hop, inverted':26} {flagged[0]:6d} {flagged[1]:6d}")
    total, separate = sum(seconds.values()) * shared_scale, sum(alone.values()) * plain_scale
    print(f"{'sum for 10,000 molecules':40} {total:7.1f} {separate:7.1f}   x {separate / total:.1f}")
    if arguments.json:
        found = {"rows": rows, "equal": agree, "cpu_seconds": seconds, "plain": alone, "total": total}
        arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    wrong = [task for task in tasks if task != "deco_hop" and set(agree[task].values()) != {rows}]
    wrong += ["deco_hop"] if flagged != [rows, rows] else []
    if wrong:
        print(f"NOT equal to the sheet: {', '.join(wrong)}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
