"""Fragment-tree codec: exact flat round trips over whole sets, stereo and charges, what is outside, coverage, speed.

python benchmarks/graph_codec.py                   # all of ZINC250k and of the MOSES test set: about ten minutes
python benchmarks/graph_codec.py --number 5000     # a look: 5,000 molecules of each
python benchmarks/graph_codec.py --file my.smi
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rdkit import Chem, rdBase

from molgen.data.fetch import fetch
from molgen.data.reader import raw_rows
from molgen.models.graph_vae.forest import from_trees
from molgen.models.graph_vae.order import reordered
from molgen.models.graph_vae.table import FragmentTable
from molgen.models.graph_vae.trees import cut_all
from molgen.models.graph_vae.writer import SmilesWriter
from molgen.run.progress import say


def flat(smiles: str) -> str:
    """Canonical SMILES without stereo."""
    mol = Chem.MolFromSmiles(smiles)
    return "" if mol is None else Chem.MolToSmiles(mol, isomericSmiles=False)


class Stereo:
    """What a set says of stereo and charges, and what of that comes back."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.isomers: set[str] = set()
        self.flat: set[str] = set()

    def add(self, origin: Chem.Mol, back: Chem.Mol) -> None:
        """A molecule and what its tree is written as."""
        isomeric, self_flat = Chem.MolToSmiles(origin), Chem.MolToSmiles(origin, isomericSmiles=False)
        self.isomers.add(isomeric)
        self.flat.add(self_flat)
        charges = [sorted(a.GetFormalCharge() for a in mol.GetAtoms()) for mol in (origin, back)]
        self.counts["molecules"] += 1
        self.counts["exact"] += isomeric == Chem.MolToSmiles(back)
        self.counts["centers"] += "@" in isomeric
        self.counts["double bonds"] += "/" in isomeric or "\\" in isomeric
        self.counts["charged"] += any(charges[0])
        self.counts["charges lost"] += charges[0] != charges[1]

    def __str__(self) -> str:
        n = self.counts["molecules"]
        share = {key: f"{100 * value / n:.2f} %" for key, value in self.counts.items()}
        return (
            f"  isomeric round trips: {self.counts['exact']} of {n} ({share['exact']}), those without a stereo label; "
            f"labels are left out of {share['centers']} at centers, of {share['double bonds']} at double bonds; "
            f"{len(self.isomers)} isomers are {len(self.flat)} molecules without stereo\n"
            f"  charged: {share['charged']}, all charges kept but in {self.counts['charges lost']}"
        )


def measure(name: str, smiles: Sequence[str]) -> None:
    """Print what becomes of a set: cut, write, compare, in canonical and in random order."""
    began = time.process_time()
    trees = cut_all(smiles)
    cut = time.process_time() - began
    began = time.process_time()
    table, forest = from_trees(trees, FragmentTable.build([]))
    described = time.process_time() - began
    writer = SmilesWriter(table)
    rng = np.random.default_rng(0)
    wrong: list[str] = []
    written = 0.0
    stereo = Stereo()
    for rows in forest.plan(512, 0):
        canonical = forest.padded(rows)
        origins = [Chem.MolFromSmiles(smiles[forest.index[row]]) for row in rows]
        wanted = [Chem.MolToSmiles(mol, isomericSmiles=False) for mol in origins]
        for trees_of in (canonical, reordered(canonical, np.ones(len(rows), bool), rng)):
            began = time.process_time()
            fields = (trees_of.fragment, trees_of.parent, trees_of.entry, trees_of.parent_site)
            texts = [
                writer.write(*(x[k, : trees_of.n[k]].tolist() for x in fields)) for k in range(len(rows))
            ]
            written += time.process_time() - began
            for row, text, right in zip(rows, texts, wanted, strict=True):
                if flat(text) != right:
                    wrong.append(f"{smiles[forest.index[row]]} -> {text}")
            if trees_of is canonical:
                for origin, text in zip(origins, texts, strict=True):
                    stereo.add(origin, Chem.MolFromSmiles(text))
    counts = Counter(forest.fragment.tolist())
    common = [f for f, _ in counts.most_common()]
    rank = np.zeros(len(table), np.int64)
    rank[common] = np.arange(len(common))
    worst = np.maximum.reduceat(rank[forest.fragment], forest.starts)
    cover = ", ".join(f"{k}: {(worst < k).mean():.1%}" for k in (128, 512, 1000, 2000, 4000))
    print(
        f"{name}: {len(smiles)} molecules, {len(forest)} in the codec, outside: {trees.outside() or 'none'}"
    )
    print(
        f"  round trips that fail (canonical and random order): {len(wrong)} of {2 * len(forest)}", *wrong[:5]
    )
    print(stereo)
    print(
        f"  fragments per molecule {forest.lengths.mean():.2f} (max {forest.lengths.max()}), distinct {len(table)}"
    )
    print(f"  molecules covered by the most common fragments: {cover}")
    print(
        f"  CPU per molecule: cut {1e3 * cut / len(smiles):.2f} ms, write {1e3 * written / 2 / len(forest):.3f} ms; "
        f"describing {len(table)} fragments {described:.1f} s"
    )


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, default=0, help="molecules of each set; default 0: all")
    parser.add_argument("--file", type=Path, help="a file of your own instead of the public sets")
    arguments = parser.parse_args()
    rdBase.DisableLog("rdApp.*")
    sources: dict[str, Path] = {}
    if arguments.file:
        sources[arguments.file.name] = arguments.file
    else:
        for name in ("zinc250k", "moses-test"):
            sources[name] = fetch(name, progress=say)
    for name, path in sources.items():
        smiles = [text for _, text, _, _ in raw_rows(path)]
        if arguments.number and len(smiles) > arguments.number:
            smiles = random.Random(0).sample(smiles, arguments.number)
        measure(name, smiles)


if __name__ == "__main__":
    main()
