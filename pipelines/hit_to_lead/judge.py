"""Judges what pipelines/hit_to_lead delivered, from the files alone: recomputed with RDKit, without molgen.

    MOLGEN_TEST_DATA=FOLDER python tests/pipelines/messy_series.py egfr
    python pipelines/hit_to_lead/run.py egfr/measured.csv --target pIC50 -o egfr/lead --budget 2000
    python pipelines/hit_to_lead/judge.py egfr/measured.csv egfr/lead

Exits with 1 if something that must hold does not: a measured compound or one compound twice (salt, charge, tautomer,
stereo), SA of 4 or more, a PAINS hit, an empty cell of evidence, files that differ.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
from rdkit import Chem, DataStructs, RDLogger
from rdkit.Chem import QED, FilterCatalog, rdFingerprintGenerator
from rdkit.Chem.MolStandardize import rdMolStandardize
from rdkit.Chem.Scaffolds import MurckoScaffold
from rdkit.Contrib.SA_Score import sascorer

NEVER_EMPTY = (
    "smiles inchikey score {t} {t}_low {t}_high {t}_in_domain {t}_nearest {t}_nearest_smiles {t}_nearest_similarity "
    "{t}_nearest_activity {t}_capped sa_score qed ring_frequency novelty_level filter_preset undefined_stereo"
)


def compound(mol: Chem.Mol) -> str:
    """One text for salts, charges, tautomers and stereo forms."""
    parent = rdMolStandardize.Uncharger().uncharge(rdMolStandardize.FragmentParent(mol))
    Chem.RemoveStereochemistry(parent)
    return str(Chem.MolToSmiles(rdMolStandardize.TautomerEnumerator().Canonicalize(parent)))


def main() -> int:
    """Print the figures; 1 if a rule is broken."""
    RDLogger.DisableLog("rdApp.*")
    measured, lead = Path(sys.argv[1]), Path(sys.argv[2])
    folder = lead / "search" / "results"
    table, rows = pd.read_csv(measured), pd.read_csv(folder / "candidates.csv")
    training = pd.read_csv(lead / "activity" / "training.csv")
    target = json.loads((lead / "activity" / "card.json").read_text())["target"]["name"]
    mols = [Chem.MolFromSmiles(s) for s in rows["smiles"]]
    known = [m for m in map(Chem.MolFromSmiles, table["smiles"]) if m is not None]
    names = NEVER_EMPTY.format(t=target).split()
    delivered, taken = [compound(m) for m in mols], {compound(m) for m in known}
    pains = FilterCatalog.FilterCatalog(FilterCatalog.FilterCatalogParams.FilterCatalogs.PAINS)
    sheet = list(openpyxl.load_workbook(folder / "candidates.xlsx").worksheets[0].iter_rows(values_only=True))
    header = next(k for k, row in enumerate(sheet) if row and "smiles" in row)
    place = sheet[header].index("smiles")
    in_sheet = [row[place] for row in sheet[header + 1 :] if row[place]]
    in_sdf = [Chem.MolToSmiles(m) for m in Chem.SDMolSupplier(str(folder / "candidates.sdf"))]
    page = (folder / "report.html").read_text(encoding="utf-8")
    broken = {
        "empty cells of evidence": int(rows[names].isna().to_numpy().sum()),
        "measured compounds delivered": sum(key in taken for key in delivered),
        "compounds delivered twice": len(delivered) - len(set(delivered)),
        "SA of 4 or more": sum(sascorer.calculateScore(m) >= 4 for m in mols),
        "PAINS": sum(pains.HasMatch(m) for m in mols),
        "rows that differ in XLSX": sum(a != b for a, b in zip(in_sheet, rows["smiles"], strict=True)),
        "rows that differ in SDF": sum(a != Chem.MolToSmiles(b) for a, b in zip(in_sdf, mols, strict=True)),
        "outside links in HTML": len(re.findall(r"(?:src|href)=[\"']https?:", page)),
        "beyond the training range": int((rows[target] > training["value"].max() + 1e-9).sum()),
    }
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    prints = [generator.GetFingerprint(m) for m in known]
    near = [max(DataStructs.BulkTanimotoSimilarity(generator.GetFingerprint(m), prints)) for m in mols]
    scaffolds = pd.Series([MurckoScaffold.MurckoScaffoldSmiles(mol=m) for m in mols])
    exact = training.loc[training["side"] == 0, "value"]
    figures = {
        "delivered": len(rows),
        "columns": len(rows.columns),
        f"mean predicted {target}": rows[target].mean(),
        f"mean measured {target}": exact.mean(),
        "mean half width": ((rows[f"{target}_high"] - rows[f"{target}_low"]) / 2).mean(),
        "in the domain": (rows[f"{target}_in_domain"] == "yes").mean(),
        "capped": (rows[f"{target}_capped"] == "yes").mean(),
        "near a measured compound": (rows["novelty_level"] == "near").mean(),
        "similarity, median": np.median(near),
        "similarity above 0.3": np.mean(np.array(near) > 0.3),
        "scaffolds": scaffolds.nunique(),
        "commonest scaffold": scaffolds.value_counts(normalize=True).iloc[0],
        "clusters": rows["cluster"].nunique(),
        "SA, median": rows["sa_score"].median(),
        "QED, median": np.median([QED.qed(m) for m in mols]),
        "QED of the measured, median": np.median([QED.qed(m) for m in known]),
    }
    for name, value in {**figures, **broken}.items():
        print(f"{name:32s} {value:.2f}" if isinstance(value, float) else f"{name:32s} {value}")
    return int(any(broken.values()))


if __name__ == "__main__":
    sys.exit(main())
