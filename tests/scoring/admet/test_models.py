"""The networks: our message passing against its definition, and against what ADMET-AI itself says."""

from __future__ import annotations

import csv
import itertools
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from molgen.chem.molecule import Molecule
from molgen.core.errors import ScorerError
from molgen.scoring.admet.features import N_ATOM, N_BOND, graph_of
from molgen.scoring.admet.models import Models, package_folder


def by_definition(path: Path, smiles: str, classifier: bool) -> np.ndarray:
    """One network, atom by atom and bond by bond, as the paper writes it."""
    data = torch.load(path, weights_only=False)  # made by this test
    w = {key: value.double().numpy() for key, value in data["state_dict"].items()}
    mol = Molecule(smiles).mol
    graph = graph_of(mol)
    bonds = list(zip(graph.start.tolist(), graph.end.tolist(), strict=True))
    first = {
        pair: w["message_passing.W_i.weight"] @ np.concatenate([graph.atoms[pair[0]], graph.bonds[k]])
        for k, pair in enumerate(bonds)
    }
    hidden = {pair: np.maximum(value, 0) for pair, value in first.items()}
    for _ in range(2):
        message = {
            (v, to): sum((hidden[u, x] for u, x in bonds if x == v and u != to), np.zeros(8))
            for v, to in bonds
        }
        hidden = {
            pair: np.maximum(first[pair] + w["message_passing.W_h.weight"] @ message[pair], 0)
            for pair in bonds
        }
    total = np.zeros(8)
    for v in range(mol.GetNumAtoms()):
        into = sum((hidden[u, x] for u, x in bonds if x == v), np.zeros(8))
        inner = w["message_passing.W_o.weight"] @ np.concatenate([graph.atoms[v], into])
        total += np.maximum(inner + w["message_passing.W_o.bias"], 0)
    inner = np.maximum(w["predictor.ffn.0.0.weight"] @ (total / 100) + w["predictor.ffn.0.0.bias"], 0)
    out = w["predictor.ffn.1.2.weight"] @ inner + w["predictor.ffn.1.2.bias"]
    if classifier:
        return 1 / (1 + np.exp(-out))
    return out * w["predictor.output_transform.scale"][0] + w["predictor.output_transform.mean"][0]


@pytest.mark.parametrize("smiles", ["C", "CC(=O)Oc1ccccc1C(=O)O", "C/C=C/[C@H](N)C#N", "CCO.[Na+]"])
def test_predictions_are_those_of_the_definition(package, smiles):
    models = Models(package)
    mean, spread = models.predict([Molecule(smiles)])[0]
    expected = []
    for part in ("admet_classification", "admet_regression"):
        paths = sorted((package / "resources" / "models" / part).glob("*.pt"))
        expected.append([by_definition(path, smiles, part == "admet_classification") for path in paths])
    assert mean == pytest.approx(np.concatenate([np.mean(each, axis=0) for each in expected]), abs=1e-5)
    assert spread == pytest.approx(np.concatenate([np.std(each, axis=0) for each in expected]), abs=1e-5)


def test_features_say_what_they_should():
    graph = graph_of(Molecule("C[C@H](F)C=O").mol)
    assert graph.atoms.shape == (5, N_ATOM)
    assert graph.bonds.shape == (8, N_BOND)
    groups = np.cumsum([0, 38, 7, 6, 5, 6, 8])
    assert all(graph.atoms[:, a:b].sum() == 5 for a, b in itertools.pairwise(groups)), "one of each"
    assert graph.atoms[2, 8] == 1, "fluorine is the ninth element"
    assert graph.atoms[:, 71] == pytest.approx([0.12011, 0.12011, 0.18998, 0.12011, 0.15999])
    strange = graph_of(Molecule("[Og]").mol)
    assert strange.atoms[0, 37] == 1, "an element without a place of its own"


def test_another_build_of_network_is_refused_and_not_run_as_if_it_were_known(package, write_checkpoint):
    write_checkpoint(
        package / "resources" / "models" / "admet_regression" / "model_0.pt",
        ["LD50_Zhu"],
        seed=0,
        head="RegressionFFN",
        depth=5,
    )
    with pytest.raises(ScorerError, match=r"depth is 5.*pip install"):
        Models(package)


def test_missing_models_are_said(package):
    for path in (package / "resources" / "models" / "admet_regression").glob("*.pt"):
        path.unlink()
    with pytest.raises(ScorerError, match="no models of admet_regression"):
        Models(package)


@pytest.mark.skipif(
    find_spec("admet_ai") is None, reason="ADMET-AI's models are not installed (extra `admet`)"
)
def test_the_real_models_say_what_admet_ai_says_of_approved_drugs():
    folder = package_folder()
    with (folder / "resources" / "data" / "drugbank_approved.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[::300]
    models = Models(folder)
    found = models.predict([Molecule(row["smiles"]) for row in rows])[:, 0]
    expected = np.array([[float(row[name]) for name in models.names] for row in rows])
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)
