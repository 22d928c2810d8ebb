import json
import shutil

import pytest
import torch

from molgen.core.errors import ConfigError, ModelError
from molgen.learn import store
from molgen.models.registry import families, family, load, locate, save, shipped


@pytest.fixture
def folder(tiny, tmp_path):
    return save(tiny, tmp_path / "model", {"name": "tiny"})


def test_a_stored_model_draws_the_same_strings(tiny, folder):
    back = load(folder)
    half = {k: v.half().float() for k, v in tiny.state_dict().items()}
    assert all(torch.equal(v, half[k]) for k, v in back.state_dict().items())
    assert back.vocabulary == tiny.vocabulary
    again = load(folder)
    assert back.sample(20, seed=1).smiles == again.sample(20, seed=1).smiles


def test_the_card_holds_the_digest_of_every_file(folder):
    card = store.read_card(folder)
    assert set(card["files"]) == {p.name for p in folder.iterdir()} - {store.CARD}
    assert store.verify_files(folder, card) == []
    assert card["format"] == store.FORMAT
    assert card["parameters"] > 0


def test_a_changed_weight_file_is_found_by_verification(folder):
    weights = folder / store.WEIGHTS
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    load(folder)  # reads, but
    with pytest.raises(ModelError, match=r"weights.safetensors has sha256"):
        load(folder, verify=True)


@pytest.mark.parametrize("name", [store.WEIGHTS, store.CONFIG, "vocabulary.json", store.CARD])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelError, match=name.split(".")[0]):
        load(folder)


@pytest.mark.parametrize("name", [store.WEIGHTS, "vocabulary.json", store.CARD])
def test_garbage_in_a_file_is_called_damage_with_a_cure(folder, name):
    (folder / name).write_bytes(b"\x00\xff garbage")
    with pytest.raises(ModelError, match=r"damaged.*install it again|damaged.*install the model again"):
        load(folder)


def test_weights_of_another_architecture_do_not_load(folder):
    config = folder / store.CONFIG
    config.write_text(config.read_text().replace("hidden: 24", "hidden: 32"))
    with pytest.raises(ModelError, match="does not fit its family"):
        load(folder)


def test_a_newer_format_says_update(folder):
    card = json.loads((folder / store.CARD).read_text())
    (folder / store.CARD).write_text(json.dumps(card | {"format": 99}))
    with pytest.raises(ModelError, match=r"format 99.*update molgen"):
        load(folder)


def test_saving_never_overwrites(tiny, folder):
    with pytest.raises(ModelError, match="exists already"):
        save(tiny, folder, {})


def test_weights_that_do_not_fit_into_16_bits_are_refused(tiny, tmp_path):
    weights = {k: v.clone() for k, v in tiny.state_dict().items()}
    weights["network.output.bias"][0] = 1e6
    with pytest.raises(ModelError, match="do not fit"):
        store.save(tmp_path / "m", family="autoregressive", params={}, assets={}, weights=weights, card={})
    assert not (tmp_path / "m").exists()


def test_no_pickle_is_in_a_model_folder(folder):
    assert {p.suffix for p in folder.iterdir()} == {".yaml", ".json", ".safetensors"}


def test_unknown_names_get_the_nearest_one():
    with pytest.raises(ModelError, match=r"no model 'no-such'.*molgen models list"):
        locate("no-such")
    with pytest.raises(ModelError, match="did you mean 'autoregressive'"):
        family("autoregresive")


def test_every_family_record_is_complete():
    for name, record in families().items():
        assert record.name == name
        assert record.summary
        record.params()


def test_every_shipped_prior_is_intact():
    for name, path in shipped().items():
        assert store.verify_files(path, store.read_card(path)) == [], name
        assert sum(p.stat().st_size for p in path.iterdir()) <= 12_000_000


@pytest.mark.parametrize("name", sorted(families()))
def test_a_training_from_a_base_changes_parameters_that_exist(name):
    record = family(name)
    assert record.objective_params <= set(record.params.model_fields)
    assert set(record.refitted) <= record.objective_params


def test_what_a_training_from_a_base_changes_keeps_the_weights(tiny, folder):
    changed = load(folder, changes={"dropout": 0.3, "hidden": 24})
    assert changed.params.dropout == 0.3
    half = {k: v.half().float() for k, v in tiny.state_dict().items()}
    assert all(torch.equal(v, half[k]) for k, v in changed.state_dict().items())


def test_another_network_is_refused_with_key_and_cure(folder):
    with pytest.raises(ConfigError) as caught:
        load(folder, changes={"hidden": 32, "dropout": 0.1})
    (problem,) = caught.value.problems
    assert problem.key == "model.params.hidden"
    assert "32 needs another network" in problem.message
    assert "may change: dropout, min_p, temperature" in problem.message
    with pytest.raises(ConfigError, match="did you mean 'dropout'"):
        load(folder, changes={"dropuot": 0.1})


def test_a_folder_that_is_named_like_a_shipped_prior_is_reached_by_its_path(tmp_path, monkeypatch):
    folder = tmp_path / "moses"
    shutil.copytree(locate("graph-gan-qm9"), folder)
    monkeypatch.chdir(tmp_path)
    assert locate("moses") != folder
    assert locate("./moses").resolve() == folder
    assert locate(locate("./moses")).resolve() == folder
    assert load("./moses").card["family"] == "graph_gan"
