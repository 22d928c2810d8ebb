"""What each part of the strategy `hybrid` brings: the same search with one part left out, beside the other strategies.

    OMP_NUM_THREADS=1 python benchmarks/optimizers.py [--task perindopril_mpo,median2] [--budget 200] [--seed 1]
        [--only all,-surrogate,genetic] [--model zinc250k] [--markdown]

For each task the area under the mean of the 10 best (PMO's measure, divided by this budget), then over the tasks the
mean area, the variety and SA score of the 100 best, and CPU milliseconds per paid call without the oracle. The budget
is small by default: what the parts are worth at 10,000 calls is told by `molgen benchmark pmo --queue` with
`--set optimizer.params.parts=[...]`.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from typing import Any

import torch
from rdkit import Chem, rdBase

from molgen.benchmark.board import variety
from molgen.benchmark.features import Features
from molgen.benchmark.oracle import Suite
from molgen.benchmark.protocol import auc_top
from molgen.models.registry import load
from molgen.optimize.hybrid.params import PARTS
from molgen.optimize.protocol import Result
from molgen.optimize.registry import STRATEGIES, build, strategy
from molgen.run.progress import Progress

SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "all": ("hybrid", {}),
    **{f"-{part}": ("hybrid", {"parts": [p for p in PARTS if p != part]}) for part in PARTS},
    **{name: (name, {}) for name in STRATEGIES if name not in ("hybrid", "latent")},
}
DEFAULT = ["all", *(f"-{part}" for part in PARTS if part != "latent"), "genetic", "random"]


def main() -> int:
    """Run, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", default="perindopril_mpo", help="tasks of PMO, with commas")
    parser.add_argument("--budget", type=int, default=200, help="paid calls")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default="zinc250k")
    parser.add_argument("--only", default=",".join(DEFAULT), help=f"of: {', '.join(SETTINGS)}")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    tasks, chosen = options.task.split(","), options.only.split(",")
    if unknown := [name for name in chosen if name not in SETTINGS]:
        parser.error(f"unknown settings {', '.join(unknown)}; there are: {', '.join(SETTINGS)}")
    head = ["setting", *tasks, "mean", "diversity", "SA", "CPU ms/call"]
    lines = []
    with Progress(len(tasks) * len(chosen) * options.budget, "calls", "ablation") as bar:
        for name in chosen:
            runs = [
                run(SETTINGS[name], task, options.budget, options.seed, options.model, bar) for task in tasks
            ]
            means = [sum(column) / len(runs) for column in zip(*runs, strict=True)]
            areas = [f"{row[0]:.3f}" for row in runs]
            lines.append(
                [name, *areas, f"{means[0]:.3f}", f"{means[1]:.2f}", f"{means[2]:.2f}", f"{means[3]:.0f}"]
            )
    for line in [head, *([["---"] * len(head)] if options.markdown else []), *lines]:
        print(f"| {' | '.join(line)} |" if options.markdown else "  ".join(f"{cell:>16}" for cell in line))
    return 0


def run(
    setting: tuple[str, dict[str, Any]], task: str, budget: int, seed: int, model: str, bar: Progress
) -> tuple[float, float, float, float]:
    """(area under the top 10, diversity, SA, CPU ms per call) of one search."""
    record, params = strategy(*setting)
    optimizer = build(record, prior=load(model, device="cpu"), params=params, seed=seed)
    oracle = Suite("pmo").oracle(task)
    known: dict[str, float] = {}
    spent = 0.0
    while len(known) < budget:
        began = time.process_time()
        proposals = optimizer.ask(64)
        spent += time.process_time() - began
        results, before = [], len(known)
        for proposal in proposals:
            with rdBase.BlockLogs():
                mol = Chem.MolFromSmiles(proposal.smiles)
            if mol is None:
                results.append(Result(proposal.id, "invalid", None, math.nan, math.nan))
                continue
            text = Chem.MolToSmiles(mol)
            if text not in known and len(known) >= budget:
                continue
            status = "duplicate" if text in known else "scored"
            if text not in known:
                known[text] = float(oracle([Features.parse(text)])[0])
            results.append(Result(proposal.id, status, text, known[text], known[text]))
        began = time.process_time()
        optimizer.tell(results)
        spent += time.process_time() - began
        bar.advance(len(known) - before)
    values = [0.0 if math.isnan(value) else value for value in known.values()]
    return auc_top(values, 10, budget), *variety(list(known.items())), 1000 * spent / budget


if __name__ == "__main__":
    sys.exit(main())
