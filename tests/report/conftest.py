"""A delivery as a real run would hand it over, built from approved drugs, and a hostile one."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import QED, Crippen, Descriptors, rdFingerprintGenerator, rdMolDescriptors
from rdkit.Chem.Scaffolds import MurckoScaffold

from molgen.core.schema import OptimizeConfig, TransformConfig
from molgen.optimize.protocol import Delivery
from molgen.scoring.transforms import build_transform

DRUGS = [
    "COCCOc1cc2ncnc(Nc3cccc(C#C)c3)c2cc1OCCOC",
    "CN1CCN(Cc2ccc(cc2)C(=O)Nc2ccc(C)c(Nc3nccc(n3)-c3cccnc3)c2)CC1",
    "CC(C)NCC(O)COc1cccc2ccccc12",
    "CN1C(=O)CN=C(c2ccccc2)c2cc(Cl)ccc12",
    "CCOC(=O)N1CCC(=C2c3ccc(Cl)cc3CCc3cccnc32)CC1",
    "Cc1ccc(cc1)-c1cc(nn1-c1ccc(cc1)S(N)(=O)=O)C(F)(F)F",
    "CN[C@H]1CC[C@@H](c2ccc(Cl)c(Cl)c2)c2ccccc12",
    "CN(C)CCC=C1c2ccccc2CCc2ccccc12",
    "CC(=O)Nc1ccc(O)cc1",
    "CN1CCC[C@H]1c1cccnc1",
    "OC(=O)COCCN1CCN(CC1)C(c1ccccc1)c1ccc(Cl)cc1",
    "CC(C)(C)NCC(O)c1ccc(O)c(CO)c1",
    "COc1ccc2[nH]c(nc2c1)S(=O)Cc1ncc(C)c(OC)c1C",
    "Nc1nc(N)c2nc(CN(C)c3ccc(cc3)C(=O)NC(CCC(O)=O)C(O)=O)cnc2n1",
    "CC(C)n1c(/C=C/[C@@H](O)C[C@@H](O)CC(=O)O)c(-c2ccc(F)cc2)c2ccccc12",
    "O=C(O)Cc1ccccc1Nc1c(Cl)cccc1Cl",
    "CCCc1nn(C)c2c1nc([nH]c2=O)-c1cc(ccc1OCC)S(=O)(=O)N1CCN(C)CC1",
    "CNCCC(Oc1ccc(cc1)C(F)(F)F)c1ccccc1",
    "CN(C)C(=N)NC(=N)N",
    "COc1cc(cc(OC)c1OC)Cc1cnc(N)nc1N",
    "O=C1CCc2cc(OCCCCN3CCN(CC3)c3cccc(Cl)c3Cl)ccc2N1",
    "CC1=C(C(C(=C(N1)C)C(=O)OC)c1ccccc1[N+](=O)[O-])C(=O)OC",
    "NC(=O)N1c2ccccc2C=Cc2ccccc12",
    "CC12CCC3C(CCC4=CC(=O)CCC34C)C1CCC2O",
    "OC(Cn1cncn1)(Cn1cncn1)c1ccc(F)cc1F",
    "COc1ccc(CCN(C)CCCC(C#N)(C(C)C)c2ccc(OC)c(OC)c2)cc1OC",
    "CS(=O)(=O)CCNCc1ccc(o1)-c1ccc2ncnc(Nc3ccc(OCc4cccc(F)c4)c(Cl)c3)c2c1",
    "CC(C)c1nc(CN(C)C(=O)NC(C(C)C)C(=O)NC(CC(O)C(Cc2ccccc2)NC(=O)OCc2cncs2)Cc2ccccc2)cs1",
    "Clc1ccccc1C(c1ccccc1)(c1ccccc1)n1ccnc1",
    "CCN(CC)CCNC(=O)c1ccc(N)cc1",
]

REFERENCES = [
    {"id": "gefitinib", "smiles": "COc1cc2ncnc(Nc3ccc(F)c(Cl)c3)c2cc1OCCCN1CCOCC1"},
    {"id": "ibuprofen", "smiles": "CC(C)Cc1ccc(cc1)C(C)C(=O)O"},
    {"id": "loratadine-like", "smiles": "CN1CCC(=C2c3ccccc3CCc3cccnc32)CC1"},
    {"id": "<erlotinib analogue>", "smiles": "COCCOc1cc2ncnc(Nc3cccc(Cl)c3F)c2cc1OC"},
    {"id": "atenolol", "smiles": "CC(C)NCC(O)COc1ccc(CC(N)=O)cc1"},
    {"id": "nortriptyline", "smiles": "CNCCC=C1c2ccccc2CCc2ccccc12"},
]

_SHAPES = {
    "qed": {"type": "identity"},
    "logp": {"type": "double_sigmoid", "low": 1.0, "high": 4.0},
    "mol_weight": {"type": "step", "low": 150.0, "high": 600.0},
    "tpsa": {"type": "reverse_sigmoid", "low": 90.0, "high": 140.0},
    "sa_like": {"type": "gaussian", "target": 2.0, "width": 1.0},
}
_FUNCTIONS = {
    "qed": QED.qed,
    "logp": Crippen.MolLogP,
    "mol_weight": Descriptors.MolWt,
    "tpsa": rdMolDescriptors.CalcTPSA,
    "sa_like": lambda mol: 1.5 + 0.05 * mol.GetNumHeavyAtoms(),
}
_UNITS = {"logp": "log units", "mol_weight": "Da", "tpsa": "A^2"}
_SUMMARIES = {
    "qed": "drug-likeness, QED",
    "logp": "lipophilicity, Crippen logP",
    "mol_weight": "molecular weight",
    "tpsa": "topological polar surface area",
    "sa_like": "ease of synthesis, 1 easy to 10 hard",
}


def realistic_config() -> OptimizeConfig:
    components = [
        {"use": name, "role": "filter" if name == "mol_weight" else "score", "transform": shape}
        for name, shape in _SHAPES.items()
    ]
    return OptimizeConfig.model_validate(
        {
            "name": "oral-kinase-profile",
            "objective": {"components": components},
            "output": {"n": 30, "max_similarity": 0.8},
            "budget": {"molecules": 3000},
        }
    )


def realistic_delivery(copies: int = 1) -> Delivery:
    """30 drugs, each ``copies`` times, with values computed by RDKit and a made-up history of 120 steps."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    references = [
        (str(ref["id"]), generator.GetFingerprint(Chem.MolFromSmiles(ref["smiles"]))) for ref in REFERENCES
    ]
    curves = {name: build_transform(TransformConfig.model_validate(shape)) for name, shape in _SHAPES.items()}
    rows = []
    for at, smiles in enumerate(DRUGS * copies):
        mol = Chem.MolFromSmiles(smiles)
        fingerprint = generator.GetFingerprint(mol)
        similarity, nearest = max(
            (DataStructs.TanimotoSimilarity(fingerprint, fp), name) for name, fp in references
        )
        raw = {name: float(function(mol)) for name, function in _FUNCTIONS.items()}
        good = {name: float(curves[name](np.array([value]))[0]) for name, value in raw.items()}
        total = math.prod(max(good[name], 1e-6) for name in good if name != "mol_weight") ** 0.25
        open_centers = sum(
            1
            for _, label in Chem.FindMolChiralCenters(
                mol, includeUnassigned=True, useLegacyImplementation=False
            )
            if label == "?"
        )
        flags = ["outside of the logP window"] * (good["logp"] < 0.4) + ["BRENK: nitro group"] * (
            "[N+](=O)" in smiles
        )
        row = {"id": f"oral-{at:05d}", "smiles": Chem.MolToSmiles(mol), "inchikey": Chem.MolToInchiKey(mol)}
        row["score"] = total
        for name in raw:
            row[name], row[f"{name}_desirability"] = raw[name], good[name]
        row |= {
            "flags": "; ".join(flags),
            "nearest_reference": nearest,
            "nearest_similarity": similarity,
            "undefined_stereo": open_centers,
            "scaffold": MurckoScaffold.MurckoScaffoldSmiles(mol=mol),
            "step": 20 + at * 3 % 100,
            "origin": "reinforce",
            "parents": "CMPD-7" if at % 9 == 0 else None,
            "nll": 20.0 + at % 17 + 0.123456789,
        }
        if at % 9 == 0:
            row["series"] = "quinazoline"
        rows.append(row)
    rows.sort(key=lambda row: -row["score"])
    candidates = [{"rank": place, **row} for place, row in enumerate(rows, start=1)]
    random = np.random.default_rng(7)
    history, scores, steps = [], [], []
    for step in range(120):
        level = 0.32 + 0.45 * (1 - math.exp(-step / 35))
        values = np.clip(random.normal(level, 0.17, 24), 0, 1)
        scores += values.tolist()
        steps += [step] * 24
        history.append(
            {
                "step": step,
                "calls": 24 * (step + 1),
                "mean_score": float(values.mean()),
                "best_score": float(values.max()),
                "valid": 0.95 + 0.03 * random.random(),
                "new": 0.9 - 0.002 * step,
                "passed_share": 0.8 - 0.35 * math.exp(-step / 25) - 0.05 * random.random(),
            }
        )
    losses = {
        "unparsable": 188,
        "duplicate": 240,
        "mol_weight: 612 outside 150..600": 310,
        "alerts: PAINS catechol_A(92)": 122,
        "failed: qed had no value": 3,
        "below the lowest score asked": 700,
    }
    delivered = len(candidates)
    losses["more similar than 0.8 to a better one"] = 3000 - delivered - sum(losses.values())
    scored = 3000 - 188 - 240 - 3
    passed = scored - 310 - 122
    funnel = [
        ("proposed", 3000),
        ("valid structure", 2812),
        ("not seen before", 2572),
        ("scored", scored),
        ("passed all filters", passed),
        ("score high enough", passed - 700),
        ("different enough: delivered", delivered),
    ]
    config = realistic_config()
    return Delivery(
        name=config.name,
        candidates=candidates,
        components=[
            {
                "name": name,
                "use": name,
                "role": "filter" if name == "mol_weight" else "score",
                "weight": 1.0,
                "unit": _UNITS.get(name, ""),
                "transform": shape,
                "summary": _SUMMARIES[name],
            }
            for name, shape in _SHAPES.items()
        ],
        funnel=funnel,
        losses=losses,
        history=history,
        scores=scores,
        score_steps=steps,
        settings=config.model_dump(mode="json"),
        manifest={
            "format": 1,
            "created": "2026-05-03T12:05:09Z",
            "finished": "2026-05-03T12:14:51Z",
            "seed": 1,
            "argv": ["molgen", "optimize", "run.yaml"],
            "packages": {"molgen-toolkit": "0.1.0", "rdkit": "2026.9.1", "torch": "2.13.0"},
            "git": {"commit": "0123456789abcdef0123456789abcdef01234567", "dirty": False},
            "inputs": {"references": {"path": "refs.csv", "sha256": "ab" * 32}},
            "models": {"druglike": {"path": "druglike", "sha256": "cd" * 32}},
        },
        requested=delivered,
        notes=["The mean score rose; the last 20 steps did not improve it further: the run stopped early."],
        references=REFERENCES,
    )


@pytest.fixture(scope="session")
def delivery() -> Delivery:
    return realistic_delivery()


@pytest.fixture(scope="session")
def config() -> OptimizeConfig:
    return realistic_config()


@pytest.fixture(scope="session")
def hostile(delivery: Delivery) -> Delivery:
    """Texts of users that try to break out of HTML, Excel, CSV and SDF; a row without a structure; missing values."""
    script = "<script>alert(1)</script>\"'&"
    rows = [dict(row) for row in delivery.candidates[:3]]
    rows[0] |= {
        "id": script,
        "flags": script,
        "parents": script,
        "=cmd()": "=1+1",
        "comment": "a\n\n$$$$\n> <x>\nb",
    }
    rows[1] |= {"id": "=HYPERLINK(1)", "smiles": script, "score": float("nan"), "qed": None, "comment": "@x"}
    rows[2] |= {"nearest_reference": script, "origin": "-2+3", "a <b>": "\x00bell\x07", "step": script}
    return dataclasses.replace(
        delivery,
        name=script,
        candidates=rows,
        notes=[script],
        losses={script: 3},
        funnel=[(script, 3)],
        components=[{**component, "summary": script, "unit": script} for component in delivery.components],
        settings={script: script},
        manifest={script: [script, {"x": script}]},
        references=[{"id": script, "smiles": "c1ccccc1"}],
    )


@pytest.fixture
def folder(tmp_path: Path) -> SimpleNamespace:
    return SimpleNamespace(results=tmp_path / "results", path=tmp_path)
