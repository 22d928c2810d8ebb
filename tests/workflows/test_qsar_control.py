"""A model and its control share no compound and no algorithm, and the search is offered one."""

import csv

import pytest
from rdkit import Chem
from rdkit.Chem import Crippen

import molgen as mg
from molgen.core.errors import ConfigError
from molgen.optimize.control import offers
from molgen.workflows import qsar_control

RINGS = ("c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccsc1", "c1ccoc1")
ENDS = ("O", "N", "C", "CO", "CCN", "C(=O)N", "CC", "CCC", "F", "Cl")


@pytest.fixture
def assay(tmp_path):
    smiles = [Chem.MolToSmiles(Chem.MolFromSmiles(f"{end}{ring}")) for ring in RINGS for end in ENDS]
    with (tmp_path / "assay.csv").open("w", newline="") as file:
        rows = [(s, round(5 + Crippen.MolLogP(Chem.MolFromSmiles(s)), 3)) for s in smiles]
        csv.writer(file).writerows([("smiles", "pIC50"), *rows])
    return tmp_path / "assay.csv"


def compounds(folder):
    with (folder / "training.csv").open() as file:
        return {row["smiles"] for row in csv.DictReader(file)}


def test_halves_that_share_nothing_and_another_algorithm(assay, tmp_path, monkeypatch):
    monkeypatch.setattr(qsar_control, "FEWEST_IN_HALF", 20)
    result = mg.qsar_train(
        assay, "pIC50", tmp_path / "steer", control=tmp_path / "control", models=["gp"], quiet=True
    )
    steer, control = mg.qsar_load(tmp_path / "steer"), mg.qsar_load(tmp_path / "control")
    assert not compounds(tmp_path / "steer") & compounds(tmp_path / "control")
    assert (steer.fitted.kind, control.fitted.kind) == ("gp", "forest")
    assert any("role: control, watches: pIC50" in note for note in result.notes)


def test_too_few_for_halves_learn_from_all_by_other_algorithms(assay, tmp_path):
    result = mg.qsar_train(
        assay, "pIC50", tmp_path / "steer", control=tmp_path / "control", models=["gp"], quiet=True
    )
    assert compounds(tmp_path / "steer") == compounds(tmp_path / "control")
    assert mg.qsar_load(tmp_path / "control").fitted.kind == "forest"
    assert any("too few for halves" in note for note in result.notes)


def test_one_place_for_both_is_refused_before_any_work(assay, tmp_path):
    with pytest.raises(ConfigError, match="the place of the model itself"):
        mg.qsar_train(assay, "pIC50", tmp_path / "steer", control=tmp_path / "steer", quiet=True)
    with pytest.raises(ConfigError, match="leave --part out"):
        mg.qsar_train(assay, "pIC50", tmp_path / "a", control=tmp_path / "b", part=(1, 2), quiet=True)
    assert not (tmp_path / "steer").exists()


def test_a_search_by_one_model_is_offered_a_control():
    steer = {"name": "potency", "use": "qsar", "role": "score"}
    assert "potency has no control" in offers([steer])[0]
    assert offers([steer, {"name": "watch", "use": "qsar", "role": "control"}]) == []
    assert offers([{"name": "qed", "use": "qed", "role": "score"}]) == []
