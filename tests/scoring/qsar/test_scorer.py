"""The scorer in objectives, its evidence, and the folder behind it."""

import json
import pickle
import shutil

import numpy as np
import pytest

from molgen.chem.molecule import Molecule
from molgen.core.errors import ConfigError, ModelError
from molgen.core.schema import OptimizeConfig
from molgen.optimize.session import create_folder, open_inputs
from molgen.scoring.protocol import Context
from molgen.scoring.qsar import model as models
from molgen.scoring.qsar import store
from molgen.scoring.qsar.scorer import build
from molgen.scoring.registry import SCORERS
from molgen.testing import SCORER_SMILES, check_scorer
from molgen.workflows.optimize import keep_code

SMILES = ["c1ccc(C(=O)N)cc1Cl", "CC(=O)Oc1ccccc1C(=O)O", "OP(=O)(O)CCCCCBr"]


def scorer(folder, **params):
    record = SCORERS["qsar"]
    typed, problems = record.check_params({"model": folder.name, **params}, "params")
    assert not problems
    return record.build(typed, Context(folder.parent))


@pytest.fixture(scope="module")
def forest(assay, tmp_path_factory):
    from molgen.workflows.qsar import qsar_train

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("molgen.scoring.qsar.validate.SCRAMBLES", 1)
        patch.setattr("molgen.scoring.qsar.forest.TREES", 12)
        return qsar_train(
            assay, "pIC50", tmp_path_factory.mktemp("forest") / "model", models=["forest"], quiet=True
        )


def test_the_scorer_keeps_the_contract(trained, forest):
    for folder in (trained.folder, forest.folder):
        check_scorer(scorer(folder))
        check_scorer(scorer(folder, lower_bound=True))


def test_values_are_the_predictions_and_the_lower_bound_is_lower(trained):
    mols = [Molecule(s) for s in SMILES]
    found = trained.model.predict(mols)
    assert np.array_equal(scorer(trained.folder)(mols).values, found.value)
    low = scorer(trained.folder, lower_bound=True)(mols).values
    assert np.array_equal(low, found.low)
    assert (low < found.value).all()
    wide = scorer(trained.folder, lower_bound=True, coverage=0.95)(mols).values
    assert (wide < low).all()


def test_evidence_says_where_a_value_comes_from(trained):
    s = scorer(trained.folder)
    known = Molecule(trained.model.smiles[4])
    columns = s.evidence([known, *[Molecule(t) for t in SMILES]])
    assert set(columns) == set(s.evidence_words)
    assert columns["nearest"][0] == trained.model.ids[4]
    assert columns["nearest_smiles"][0] == known.smiles
    assert columns["nearest_similarity"][0] == 1.0
    assert float(columns["nearest_activity"][0]) == pytest.approx(trained.model.y[4], abs=5e-3)
    assert columns["in_domain"][0] == "yes"
    assert columns["in_domain"][-1] == "no"
    width = np.array(columns["high"]) - np.array(columns["low"])
    assert width[-1] > 1.3 * width[0]  # wider away from what was measured
    assert s.evidence([]).keys() == columns.keys()


def test_outside_the_domain_is_said(trained):
    notes = scorer(trained.folder)([Molecule(SMILES[-1])]).notes
    assert "outside the domain" in notes[0]


def test_no_prediction_leaves_the_training_range(trained):
    """Generators find molecules for which a model says more than it has ever seen."""
    model = models.load(trained.folder)
    model.fitted.mean += 20.0
    found = model.predict([Molecule(s) for s in SMILES])
    assert found.capped.all()
    assert (found.value == model.high).all()
    assert model.evidence(found)["capped"] == ["yes"] * 3


def test_a_useless_model_says_so_with_each_value_and_before_all_results(trained, tmp_path):
    from molgen.workflows.score import score

    folder = tmp_path / "model"
    shutil.copytree(trained.folder, folder)
    card = json.loads((folder / "card.json").read_text())
    card["verdict"] = {"useful": False, "words": "USELESS: no better than chance"}
    (folder / "card.json").write_text(json.dumps(card))
    assert scorer(folder)([Molecule(SMILES[0])]).notes[0].startswith("the model is no better than chance")
    objective = {"components": [{"use": "qsar", "params": {"model": str(folder)}}]}
    assert (
        "qsar: the model model is USELESS: no better than chance"
        in score(SMILES, objective, quiet=True).notes
    )
    assert scorer(trained.folder).warning == ""


def test_molecules_of_another_policy_are_brought_into_the_form_that_the_model_knows(trained):
    s = scorer(trained.folder)
    salt = Molecule("NC(=O)c1cccc(Cl)c1.Cl", "none")
    assert s([salt]).values == s([Molecule("NC(=O)c1cccc(Cl)c1")]).values
    answer = s([Molecule("[Na+].[Cl-]", "none")])
    assert np.isnan(answer.values[0])
    assert "not standardized" in answer.errors[0]
    assert s.evidence([Molecule("[Na+].[Cl-]", "none"), salt])["nearest"][0] is None
    assert s.atom_weights([salt, Molecule("[Na+].[Cl-]", "none")]) == [None, None]


def test_atom_weights_are_one_per_atom(trained, forest):
    mols = [Molecule(s) for s in SMILES]
    for folder in (trained.folder, forest.folder):
        for mol, row in zip(mols, scorer(folder).atom_weights(mols), strict=True):
            assert row.shape == (mol.n_heavy,)
            assert np.isfinite(row).all()


def test_a_copy_reads_the_same_model_and_refuses_a_changed_one(trained, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(trained.folder, folder)
    packed = pickle.dumps(scorer(folder))
    assert len(packed) < 1000
    (folder / "card.json").write_text((folder / "card.json").read_text().replace('"seed": 1', '"seed": 2'))
    with pytest.raises(ModelError, match="has changed since"):
        pickle.loads(packed)


def test_the_fingerprint_follows_the_model(trained, forest):
    assert scorer(trained.folder).fingerprint != scorer(forest.folder).fingerprint
    assert scorer(trained.folder).fingerprint == scorer(trained.folder).fingerprint


def test_it_scores_in_an_objective_with_other_workers(trained):
    from molgen.core.schema import ObjectiveConfig
    from molgen.scoring.objective import build_objective

    config = ObjectiveConfig.model_validate({
        "components": [{
            "use": "qsar", "params": {"model": trained.folder.name}, "name": "activity",
            "transform": {"type": "sigmoid", "low": 5, "high": 8},
        }]
    })  # fmt: skip
    mols = [Molecule(s) for s in [*SMILES, *SCORER_SMILES]]
    with build_objective(config, base_dir=trained.folder.parent) as built:
        table = built(mols)
        told = built.evidence(mols)
    assert table.raw["activity"].tolist() == trained.model.predict(mols).value.tolist()
    assert told.columns["activity"]["activity_nearest"][0]


@pytest.mark.parametrize("name", ["weights.safetensors", "training.csv", "validation.csv"])
def test_a_damaged_folder_is_refused_with_the_file(name, trained, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(trained.folder, folder)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(bytes(content))
    with pytest.raises(ModelError, match=f"damaged: {name} has sha256"):
        models.load(folder)
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name} is missing"):
        models.load(folder)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda card: {**card, "format": 99}, "this version reads 1; update molgen"),
        (lambda card: {**card, "kind": "other"}, "no activity model"),
        (lambda card: {k: v for k, v in card.items() if k != "files"}, "names no files"),
        (lambda card: {**card, "model": {"kind": "magic"}}, "is damaged"),
        (lambda card: {k: v for k, v in card.items() if k != "intervals"}, "is damaged"),
        (lambda card: [card], "no activity model"),
    ],
)
def test_a_strange_card_is_refused_in_words(change, words, trained, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(trained.folder, folder)
    card = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(change(card)))
    with pytest.raises(ModelError, match=words):
        models.load(folder)


def test_no_folder_or_half_a_card(tmp_path):
    with pytest.raises(ModelError, match="make one with: molgen qsar train"):
        models.load(tmp_path / "none")
    (tmp_path / "half").mkdir()
    with pytest.raises(ModelError, match=r"has no card\.json"):
        models.load(tmp_path / "half")
    (tmp_path / "half" / "card.json").write_text('{"kind": "qs')
    with pytest.raises(ModelError, match="is damaged"):
        models.load(tmp_path / "half")


def test_an_objective_with_a_missing_model_names_the_key(tmp_path):
    typed, _ = SCORERS["qsar"].check_params({"model": "nowhere"}, "params")
    with pytest.raises(ConfigError, match="model: no model folder at"):
        build("qsar", typed, Context(tmp_path))
    assert SCORERS["qsar"].check_params({}, "params")[1]


def test_only_a_model_is_ever_replaced(trained, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.doc").write_text("years of work")
    with pytest.raises(ModelError, match="not replaced"):
        store.check_place(tmp_path / "precious", overwrite=True)
    with pytest.raises(ModelError, match="--overwrite"):
        store.check_place(trained.folder, overwrite=False)


def test_a_model_that_is_used_twice_does_not_say_everything_twice(trained):
    from molgen.core.schema import ObjectiveConfig
    from molgen.scoring.objective import build_objective

    model = {"model": str(trained.folder)}
    parts = [
        {"use": "qsar", "name": "active", "params": model},
        {"use": "qsar", "name": "safe", "params": {**model, "lower_bound": True}},
        {"use": "qsar", "name": "wide", "params": {**model, "coverage": 0.95}},
    ]
    mols = [Molecule(s) for s in SMILES]
    with build_objective(ObjectiveConfig.model_validate({"components": parts})) as objective:
        told = objective.evidence(mols, explain=1)
    assert set(told.columns) == set(told.weights) == {"active", "wide"}


def test_two_models_of_a_run_shared_one_entry_in_its_manifest_and_one_copy(trained, tmp_path):
    config = OptimizeConfig.model_validate(
        {
            "kind": "optimize",
            "objective": {
                "components": [
                    {"use": "qsar", "name": name, "params": {"model": name}} for name in ("egfr", "jak2")
                ]
            },
        }
    )
    for name in ("egfr", "jak2"):
        shutil.copytree(trained.folder, tmp_path / name)
    with (tmp_path / "jak2" / store.CARD).open("a") as card:
        card.write("\n")  # another file
    with open_inputs(config, tmp_path) as inputs:
        folder = create_folder(config, tmp_path / "run", tmp_path, inputs.objective)
        keep_code(folder, inputs.objective)
    for name in ("egfr", "jak2"):
        expected = store.fingerprint(tmp_path / name)
        assert folder.manifest["inputs"][f"{name}/card.json"]["sha256"] == expected
        assert store.fingerprint(folder.path / "code" / name) == expected


def test_the_two_components_of_one_model_do_not_read_the_same_and_say_what_it_is_worth(forest):
    value, low = scorer(forest.folder), scorer(forest.folder, lower_bound=True)
    verdict = value.model.card["verdict"]["words"]
    assert value.summary == f"predicted pIC50 by the model {forest.folder.name}: {verdict}"
    assert low.summary.startswith("lower end of the 80% interval of pIC50")
