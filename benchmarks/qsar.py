"""Activity models on public EGFR data: coverage, ranking and verdicts over several draws of 60 compounds of one series.

MOLGEN_TEST_DATA=... python benchmarks/qsar.py [DRAWS]
MOLGEN_TEST_DATA=... python benchmarks/qsar.py kinds    # the whole table: each kind of model on held-back scaffolds
"""

from __future__ import annotations

import csv
import gzip
import os
import sys
import time
from pathlib import Path

import numpy as np
from rdkit import Chem, RDLogger
from scipy.stats import spearmanr

from molgen.chem.molecule import Molecule
from molgen.data.sdf import Row
from molgen.scoring.qsar.curate import Curated, curate
from molgen.scoring.qsar.features import Features
from molgen.scoring.qsar.kernel import tanimoto_counts
from molgen.scoring.qsar.kinds import KINDS
from molgen.scoring.qsar.splits import group_holdout, scaffolds
from molgen.scoring.qsar.train import train
from molgen.scoring.qsar.values import find_scale

SERIES = "c1ccc(cc1)Nc1ncnc2ccccc12"


def read(path: Path) -> Curated:
    """The whole table, curated."""
    with gzip.open(path, "rt") as file:
        rows = [
            Row(i, r["smiles"], r["molecule_chembl_id"], {"pIC50": r["pIC50"]})
            for i, r in enumerate(csv.DictReader(file), 2)
        ]
    scale, _ = find_scale(str(path), ["pIC50"], "pIC50")
    return curate(rows, scale, source=str(path))


def subset(whole: Curated, rows: np.ndarray, y: np.ndarray | None = None) -> Curated:
    """Some of its compounds, with other values if given."""
    data = [
        Row(i, whole.molecules[k].smiles, whole.ids[k], {"pIC50": whole.y[k] if y is None else y[i]})
        for i, k in enumerate(rows.tolist())
    ]
    return curate(data, whole.scale)


def draws(whole: Curated, x: Features, n: int, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """(60 to learn from, 100 held back) of the 160 nearest neighbors of a compound of the series, ``n`` times."""
    pattern = Chem.MolFromSmarts(SERIES)
    series = np.flatnonzero([mol.mol.HasSubstructMatch(pattern) for mol in whole.molecules])
    print(f"{len(whole.y)} compounds, {len(series)} in the series")
    rng = np.random.default_rng(seed)
    found = []
    for center in rng.choice(series, n, replace=False).tolist():
        near = tanimoto_counts(x.take(np.array([center])), x.take(series))[0]
        pool = rng.permutation(series[np.argsort(-near, kind="stable")[:160]])
        found.append((pool[:60], pool[60:]))
    return found


def kinds(whole: Curated, x: Features) -> None:
    """Every kind once on the same four fifths of the table; whole scaffolds are held back."""
    held = group_holdout(scaffolds([mol.mol for mol in whole.molecules]), 0.2, np.random.default_rng(0))
    known, hidden = np.flatnonzero(~held), np.flatnonzero(held & (whole.side == 0))
    print(f"{len(known)} to learn from, {len(hidden)} held back")
    y = whole.y[hidden]
    for kind in KINDS.values():
        start = time.process_time()
        fitted = kind.fit(x.take(known), whole.y[known], whole.side[known], 0)
        learned = time.process_time()
        found = fitted.mean_of(x.take(hidden))
        seconds = time.process_time() - learned
        error = np.sqrt(np.square(found - y).mean())
        q2 = 1 - np.square(found - y).sum() / np.square(whole.y[known].mean() - y).sum()
        print(
            f"{kind.name:6s} Spearman {spearmanr(found, y).statistic:.2f}, RMSE {error:.2f}, q2 {q2:.2f}, "
            f"{learned - start:.1f} CPU-s to learn, {1000 * seconds / len(y):.2f} ms a prediction",
            flush=True,
        )


def main() -> None:
    """Print one line a draw, then the means."""
    RDLogger.DisableLog("rdApp.*")
    path = Path(os.environ.get("MOLGEN_TEST_DATA", "")) / "egfr_ic50.csv.gz"
    if not path.is_file():
        print("skipped: needs egfr_ic50.csv.gz where MOLGEN_TEST_DATA points to")
        return
    whole = read(path)
    x = Features.of([mol.mol for mol in whole.molecules])
    if sys.argv[1:] == ["kinds"]:
        return kinds(whole, x)
    table = []
    for number, (known, hidden) in enumerate(draws(whole, x, int(sys.argv[1]) if sys.argv[1:] else 5)):
        start = time.process_time()
        model = train(subset(whole, known), seed=number).model
        seconds = time.process_time() - start
        mols: list[Molecule] = [whole.molecules[k] for k in hidden]
        p, y = model.predict(mols), whole.y[hidden]
        top = y[np.argsort(-p.value, kind="stable")[:20]].mean() - y.mean()
        row = [
            float(((p.low <= y) & (y <= p.high)).mean()),
            float(((p.high - p.low) / 2).mean()),
            float(spearmanr(p.value, y).statistic),
            float(top),
            seconds,
        ]
        mixed = np.random.default_rng(number).permutation(whole.y[known])
        nonsense = train(subset(whole, known, mixed), seed=number).model
        table.append([*row, float(model.useful), float(nonsense.useful)])
        print(
            f"{number}: {model.fitted.kind:6s} coverage {row[0]:.2f}, half width {row[1]:.2f}, Spearman {row[2]:.2f}, "
            f"top 20 {row[3]:+.2f}, {seconds:.1f} CPU-s, useful {model.useful}, scrambled useful {nonsense.useful}; "
            f"a {model.intervals.on_spread:.2f} b {model.intervals.on_distance:.2f}",
            flush=True,
        )
    names = ("coverage", "half width", "Spearman", "top 20", "CPU-s", "useful", "scrambled useful")
    print("mean:", ", ".join(f"{n} {v:.2f}" for n, v in zip(names, np.mean(table, axis=0), strict=True)))


if __name__ == "__main__":
    main()
