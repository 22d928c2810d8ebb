"""Fine-tuning is judged by actives whose scaffolds it never saw."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

from rdkit.Chem.Scaffolds.MurckoScaffold import MurckoScaffoldSmiles


def test_no_scaffold_is_both_learned_and_judged(script: Callable[[str], ModuleType], tmp_path: Path) -> None:
    made = script("train_prior/compare_actives.py")
    cores = [f"C1{'C' * n}C1" for n in range(1, 9)]
    rows = [f"{core[:2]}({'C' * k})O{core[2:]}" if k else core for core in cores for k in range(4)]
    rows = [text for text in rows if MurckoScaffoldSmiles(text)]
    table = tmp_path / "ic50.csv.gz"
    with gzip.open(table, "wt") as file:
        file.write("smiles,pIC50\n" + "".join(f"{text},8\n" for text in rows) + "CCO,6.9\nCC.O,8\n")
    found = made.actives(table)
    assert "CCO" not in found, "not potent"
    assert not any("." in text for text in found)
    learned, unseen = made.split(found, 8)
    assert learned
    assert unseen
    assert not {MurckoScaffoldSmiles(t) for t in learned} & {MurckoScaffoldSmiles(t) for t in unseen}
