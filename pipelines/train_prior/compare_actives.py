"""A generator fine-tuned on a few hundred actives of EGFR: how near its draws come to actives that it never saw.

    MOLGEN_TEST_DATA=... python pipelines/train_prior/compare_actives.py [--model latent-gan] [-n 1000]

Actives (pIC50 of 7 and more) are split by their Murcko scaffold: fine-tuned on 400 of one half, compared with those of
the other half, no scaffold of which was seen. The ceiling is what the 400 themselves have.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import os
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles

import molgen as mg
from molgen.data.fetch import fetch
from molgen.metrics.fcd import ChemNet, frechet_chemnet_distance, moments

ACTIVE = 7.0
CORES = {
    "anilino-quinazoline, -pyrimidine": "c1ccccc1Nc1ccnc[n,c]1",
    "quinazoline": "c1ccc2ncncc2c1",
}
_FINGERPRINT = rdFingerprintGenerator.GetMorganGenerator(2, fpSize=2048)


def actives(path: Path) -> list[str]:
    """Distinct potent ones without stereo, one fragment each."""
    found: dict[str, None] = {}
    with gzip.open(path, "rt") as file:
        for row in csv.DictReader(file):
            mol = Chem.MolFromSmiles(row["smiles"])
            if mol is not None and float(row["pIC50"]) >= ACTIVE and "." not in row["smiles"]:
                found[Chem.MolToSmiles(mol, isomericSmiles=False)] = None
    return list(found)


def split(smiles: list[str], n: int) -> tuple[list[str], list[str]]:
    """``n`` to learn from, and all those of the scaffolds of which none is learned."""
    scaffold = {text: MurckoScaffoldSmiles(text) for text in smiles}
    names = sorted(set(scaffold.values()))
    random.Random(1).shuffle(names)
    half = set(names[: len(names) // 2])
    pool = [text for text in smiles if scaffold[text] in half]
    random.Random(2).shuffle(pool)
    return pool[:n], [text for text in smiles if scaffold[text] not in half]


def prints(smiles: list[str]) -> list[DataStructs.ExplicitBitVect]:
    """Morgan fingerprints of radius 2."""
    return [_FINGERPRINT.GetFingerprint(Chem.MolFromSmiles(text)) for text in smiles]


def figures(drawn: list[str], learned: list[str], unseen: list[str], net: ChemNet) -> dict[str, float]:
    """What ``drawn`` have in common with actives."""
    known, goal = prints(learned), prints(unseen)
    mine = prints(drawn)
    near = np.array([max(DataStructs.BulkTanimotoSimilarity(p, goal)) for p in mine])
    own = np.array([max(DataStructs.BulkTanimotoSimilarity(p, known)) for p in mine])
    mols = [Chem.MolFromSmiles(text) for text in drawn]
    scaffolds = {MurckoScaffoldSmiles(text) for text in unseen}
    return {
        "similarity to the nearest unseen active": float(near.mean()),
        "share at 0.4 and more": float((near >= 0.4).mean()),
        "share with a scaffold of unseen actives": float(
            np.mean([MurckoScaffoldSmiles(text) in scaffolds for text in drawn])
        ),
        **{
            f"share with {name}": float(
                np.mean([m.HasSubstructMatch(Chem.MolFromSmarts(core)) for m in mols])
            )
            for name, core in CORES.items()
        },
        "similarity to the nearest learned one": float(own.mean()),
        "share that is a learned one": float(np.mean([text in set(learned) for text in drawn])),
        "FCD to unseen actives": frechet_chemnet_distance(drawn, moments(net.activations(unseen)), net),
    }


def main() -> None:
    """Fine-tune, draw before and after, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="latent-gan")
    parser.add_argument("-n", type=int, default=1000)
    parser.add_argument("--actives", type=int, default=400)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", dest="changes")
    parser.add_argument(
        "-o", "--output", type=Path, help="run folder of the fine-tuning; default: a scratch one"
    )
    arguments = parser.parse_args()
    data = os.environ.get("MOLGEN_TEST_DATA")
    if not data:
        sys.exit("actives: set MOLGEN_TEST_DATA to the folder of the test data")
    torch.set_num_threads(1)
    learned, unseen = split(actives(Path(data) / "egfr_ic50.csv.gz"), arguments.actives)
    base = mg.load(arguments.model, device="cpu")
    covered = ~torch.isnan(base.generator.encode(learned)[:, 0])  # type: ignore[attr-defined]
    print(
        f"{len(learned)} actives to learn from, {int(covered.sum())} of them within the codec; {len(unseen)} unseen"
    )
    net = ChemNet.load(fetch("chemnet"))
    rows = {"learned actives": figures(learned, learned, unseen, net)}
    with tempfile.TemporaryDirectory() as scratch:
        folder = arguments.output or Path(scratch) / "run"
        table = Path(scratch) / "actives.smi"
        table.write_text("\n".join(learned) + "\n")
        before = base.sample(arguments.n, policy="flat")
        begun = time.process_time()
        mg.finetune(arguments.model, table, folder, overrides=["tracking.mlflow=false", *arguments.changes])
        spent = time.process_time() - begun
        after = mg.load(folder, device="cpu").sample(arguments.n, policy="flat")
    rows |= {"before": figures(before.smiles, learned, unseen, net)}
    rows |= {"after": figures(after.smiles, learned, unseen, net)}
    print(f"fine-tuning: {spent:.0f} CPU-seconds; before: {before.caption()}; after: {after.caption()}")
    print(f"{'':<46}" + "".join(f"{name:>18}" for name in ("before", "after", "learned actives")))
    for name in rows["before"]:
        print(
            f"{name:<46}" + "".join(f"{rows[k][name]:>18.3f}" for k in ("before", "after", "learned actives"))
        )


if __name__ == "__main__":
    main()
