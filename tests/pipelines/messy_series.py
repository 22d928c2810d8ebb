"""Makes a messy assay table of one series, as it lies on a chemist's disk: nine rows that are wrong in known ways.

    MOLGEN_TEST_DATA=FOLDER python tests/pipelines/messy_series.py OUT [--draw 0] [--scramble]

writes OUT/measured.csv (60 EGFR inhibitors of one series and the dirty rows) and OUT/hidden.csv (100 neighbors of
theirs, clean, to judge an activity model by). The data stay where they are: nothing of them is in the repository.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rdkit import Chem, DataStructs, RDLogger
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.EnumerateStereoisomers import EnumerateStereoisomers

#: id, SMILES, pIC50
Row = tuple[str, str, str]
SERIES = "c1ccc(cc1)Nc1ncnc2ccccc12"  # 4-anilinoquinazolines
#: What becomes of each dirty row, beside its id.
DECISIONS = {
    "dirty-salt": "merged",
    "dirty-again": "merged",
    "dirty-conflict": "conflict",
    "dirty-weak": "kept",
    "dirty-smiles": "rejected",
    "dirty-empty": "rejected",
    "dirty-micromolar": "kept",
    "dirty-defined": "kept",
    "dirty-undefined": "kept",
}


def messy(clean: Sequence[Row]) -> list[Row]:
    """The rows, the first with a basic amine as its salt too, then eight more dirty ones; structures vary theirs."""
    basic = Chem.MolFromSmarts("[NX3;H0,H1;!$(N[#6]=,:[#6,#7,#8,#16]);!$(NS)]([#6])[#6]")
    salt = next((row for row in clean if Chem.MolFromSmiles(row[1]).HasSubstructMatch(basic)), clean[0])
    others = [row for row in clean if row != salt]
    again, conflict, weak, micro = others[0], others[1], others[2], others[3]
    root = Chem.MolFromSmiles(again[1])
    other_way = Chem.MolToSmiles(root, rootedAtAtom=root.GetNumAtoms() - 1, canonical=False)
    chiral = grown(others[4][1], "C(C)OC")
    return [
        *clean,
        ("dirty-salt", salt[1] + ".Cl", salt[2]),
        ("dirty-again", other_way, f"{float(again[2]) + 0.3:.2f}"),
        ("dirty-conflict", conflict[1], f"{float(conflict[2]) + 1.8:.2f}"),
        ("dirty-weak", grown(weak[1], "C(C)(C)C"), ">10000 nM"),
        ("dirty-smiles", conflict[1][:-3] + "((", "7.1"),
        ("dirty-empty", grown(weak[1], "CC"), ""),
        ("dirty-micromolar", grown(micro[1], "CC"), "0.2 uM"),
        ("dirty-defined", defined(chiral), "6.9"),
        ("dirty-undefined", chiral, "6.8"),
    ]


def grown(smiles: str, group: str) -> str:
    """The molecule with one aromatic hydrogen exchanged for ``group``."""
    mol = Chem.MolFromSmiles(smiles)
    place = next(
        a for a in mol.GetAtoms() if a.GetIsAromatic() and a.GetSymbol() == "C" and a.GetTotalNumHs()
    )
    new = Chem.RWMol(Chem.CombineMols(mol, Chem.MolFromSmiles(group)))
    new.AddBond(place.GetIdx(), mol.GetNumAtoms(), Chem.BondType.SINGLE)
    Chem.SanitizeMol(new)
    return str(Chem.MolToSmiles(new))


def defined(smiles: str) -> str:
    """One of its stereoisomers."""
    return str(Chem.MolToSmiles(next(iter(EnumerateStereoisomers(Chem.MolFromSmiles(smiles))))))


def egfr(folder: Path, draw: int = 0) -> tuple[list[Row], list[Row]]:
    """60 measured and 100 hidden of the 160 nearest neighbors of a compound of the series drawn at random."""
    with gzip.open(folder / "egfr_ic50.csv.gz", "rt") as file:
        table = {row["smiles"]: row for row in csv.DictReader(file)}
    core = Chem.MolFromSmarts(SERIES)
    mols = {smiles: Chem.MolFromSmiles(smiles) for smiles in table}
    series = [
        table[smiles] for smiles, mol in mols.items() if mol is not None and mol.HasSubstructMatch(core)
    ]
    generator = rdFingerprintGenerator.GetMorganGenerator(2)
    prints = [generator.GetCountFingerprint(mols[row["smiles"]]) for row in series]
    rng = np.random.default_rng(draw)
    alike = DataStructs.BulkTanimotoSimilarity(prints[rng.integers(len(series))], prints)
    order = rng.permutation(np.argsort(-np.array(alike), kind="stable")[:160])
    rows = [
        (series[k]["molecule_chembl_id"], series[k]["smiles"], f"{float(series[k]['pIC50']):.2f}")
        for k in order
    ]
    return rows[:60], rows[60:]


def scrambled(rows: Sequence[Row], seed: int = 0) -> list[Row]:
    """The same structures with each other's activities."""
    values = np.random.default_rng(seed).permutation([value for _, _, value in rows])
    return [(name, smiles, str(value)) for (name, smiles, _), value in zip(rows, values, strict=True)]


def write(path: Path, rows: Sequence[Row]) -> Path:
    """As CSV with the header that an export has."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("compound_id", "smiles", "pIC50"), *rows])
    return path


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path)
    parser.add_argument("--draw", type=int, default=0, help="which compounds")
    parser.add_argument("--scramble", action="store_true", help="shuffle the activities")
    arguments = parser.parse_args()
    RDLogger.DisableLog("rdApp.*")
    arguments.out.mkdir(parents=True, exist_ok=True)
    measured, hidden = egfr(Path(os.environ["MOLGEN_TEST_DATA"]), arguments.draw)
    if arguments.scramble:
        measured = scrambled(measured)
    write(arguments.out / "measured.csv", messy(measured))
    write(arguments.out / "hidden.csv", hidden)


if __name__ == "__main__":
    main()
