"""What simply looking through a data set reaches on the 20 tasks of GuacaMol: the baseline that a search must beat.

    OMP_NUM_THREADS=1 python benchmarks/best_of_data.py [-n 5000] [--seed 1] [--markdown]

Scores random molecules of the ChEMBL-like sample (`molgen data fetch chembl-sample`; ``-n 0``: all 300,819) and judges
them as a run is judged, beside the published values for GuacaMol's own training set of 1.6 million. GuacaMol removed
from that what is similar to ten drugs (Tanimoto above 0.323, ECFP4), and so does this; the sets still differ, so the
columns do not compare: the sample is lead-like (26 heavy atoms, logP 3.5 at most). The more molecules, the
better the best of them.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from rdkit.DataStructs import BulkTanimotoSimilarity

from molgen.benchmark import guacamol
from molgen.benchmark.features import Features
from molgen.benchmark.league import League
from molgen.benchmark.oracle import Suite
from molgen.benchmark.parts import TARGETS
from molgen.benchmark.result import judge
from molgen.core.errors import MoleculeError
from molgen.core.seeding import numpy_generator
from molgen.data.fetch import fetch
from molgen.data.reader import raw_rows
from molgen.run.progress import Progress

#: The drugs whose analogues GuacaMol took out of its data (`holdout_set_gcm_v1`), besides cobimetinib.
HELD_OUT = (
    "albuterol", "aripiprazole", "celecoxib", "fexofenadine", "mestranol", "osimertinib", "ranolazine", "thiothixene",
    "troglitazone",
)  # fmt: skip
COBIMETINIB = "OC1(CN(C1)C(=O)C1=C(NC2=C(F)C=C(I)C=C2)C(F)=C(F)C=C1)[C@@H]1CCCCN1"
SIMILAR = 0.323
CHUNK = 1000


def main() -> int:
    """Score, judge, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-n", type=int, default=5000, help="random molecules; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--markdown", action="store_true")
    arguments = parser.parse_args()
    texts = [text for _, text, _, _ in raw_rows(fetch("chembl-sample"))]
    if 0 < arguments.n < len(texts):
        drawn = numpy_generator(arguments.seed, "best_of_data").choice(len(texts), arguments.n, replace=False)
        texts = [texts[i] for i in np.sort(drawn)]
    start = time.process_time()
    smiles, scores, left_out = score(texts)
    seconds = time.process_time() - start
    report(smiles, scores, arguments.markdown)
    print(
        f"\n{len(smiles):,} molecules ({left_out:,} left out as analogues of the ten drugs), {seconds:.0f} CPU-seconds"
    )
    return 0


def score(texts: list[str]) -> tuple[list[str], dict[str, list[float]], int]:
    """The molecules that are kept, their value in each task, and how many were left out."""
    suite = Suite("guacamol")
    oracles = {task: suite.oracle(task) for task in suite.tasks()}
    fingerprints = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=1024)
    drugs = [Chem.MolFromSmiles(text) for text in [*(TARGETS[name] for name in HELD_OUT), COBIMETINIB]]
    aims = [fingerprints.GetFingerprint(mol) for mol in drugs]
    smiles: list[str] = []
    scores: dict[str, list[float]] = {task: [] for task in oracles}
    left_out = 0
    with Progress(len(texts), "molecules", "20 tasks") as bar:
        for first in range(0, len(texts), CHUNK):
            kept = []
            for text in texts[first : first + CHUNK]:
                try:
                    molecule = Features.parse(text)
                except MoleculeError:
                    continue
                if max(BulkTanimotoSimilarity(fingerprints.GetFingerprint(molecule.mol), aims)) > SIMILAR:
                    left_out += 1
                else:
                    kept.append(molecule)
            smiles += [molecule.smiles for molecule in kept]
            for task, oracle in oracles.items():
                scores[task] += oracle(kept).tolist()
            bar.advance(len(texts[first : first + CHUNK]))
    return smiles, scores, left_out


def report(smiles: list[str], scores: dict[str, list[float]], markdown: bool) -> None:
    """One row per task, and the sums."""
    suite = Suite("guacamol")
    rows = []
    for task, values in scores.items():
        scored = list(zip(smiles, values, strict=True))
        found = judge(suite, task, scored, budget=len(scored), league=League("A"))
        rows.append((task, found.score, guacamol.TASKS[task].best_of_data, found.best))
    ours, published = sum(row[1] for row in rows), sum(row[2] for row in rows)
    heads = (f"best of {len(smiles):,}", "published, 1.6 million")
    if markdown:
        print(f"| task | {heads[0]} | {heads[1]} |\n|---|---|---|")
        for task, value, other, _ in rows:
            print(f"| {task} | {value:.3f} | {other:.3f} |")
        print(f"| **sum** | **{ours:.3f}** | **{published:.3f}** |")
        return
    print(f"{'task':26} {heads[0]:>15} {heads[1]:>23}   best molecule")
    for task, value, other, best in rows:
        print(f"{task:26} {value:15.3f} {other:23.3f}   {best}")
    print(f"{'sum':26} {ours:15.3f} {published:23.3f}")


if __name__ == "__main__":
    sys.exit(main())
