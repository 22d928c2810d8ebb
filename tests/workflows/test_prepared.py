"""Reading once: kept readings, and trainings from a folder of arrays on a machine without RDKit."""

import subprocess
import sys

import numpy as np
import pytest

import molgen as mg
from molgen import cli
from molgen.core.errors import ConfigError, DataError, RunError
from molgen.learn import store

ROWS = [f"{'C' * a}{m}{'C' * b}" for a in range(1, 7) for b in range(1, 6) for m in ("O", "N", "c1ccccc1")]
#: Trains from the folder argv[1] into argv[2]; RDKit cannot be imported.
WITHOUT_RDKIT = """
import sys
sys.modules["rdkit"] = None
import molgen as mg
result = mg.train(sys.argv[1], sys.argv[2], quiet=True)
assert result.metrics["reconstruction_nats"] > 0 and "valid" not in result.metrics, result.metrics
"""


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setenv("MOLGEN_DATA", str(tmp_path / "cache"))
    (tmp_path / "mine.csv").write_text("smiles\n" + "\n".join(ROWS) + "\nC1C\n")
    return {
        "kind": "train",
        "name": "tiny",
        "data": [{"path": str(tmp_path / "mine.csv")}],
        "holdout": 0.1,
        "model": {
            "family": "graph_vae",
            "params": {
                "latent": 4, "width": 16, "heads": 2, "layers": 1, "encoder_layers": 1, "site_width": 8,
                "prior": "normal", "property_molecules": 30,
            },
        },
        "trainer": {"epochs": 2, "batch_size": 16, "precision": "fp32", "sample_size": 20},
        "tracking": {"mlflow": False},
    }  # fmt: skip


@pytest.fixture
def kept_always(monkeypatch):
    monkeypatch.setattr("molgen.workflows.train_data._WORTH", 0)


@pytest.mark.usefixtures("kept_always")
def test_a_second_training_on_the_same_file_does_not_read_it_again(settings, tmp_path, monkeypatch):
    first = mg.train(settings, tmp_path / "first", quiet=True)
    (kept,) = (tmp_path / "cache" / "reading").iterdir()
    monkeypatch.setattr("molgen.workflows.train_data._parse", None)  # whoever reads now fails
    again = mg.train(settings, tmp_path / "again", quiet=True)
    assert "kept from an earlier reading" in (tmp_path / "again" / "log.txt").read_text()
    cards = [store.read_card(result.model) for result in (first, again)]
    assert cards[0]["data"] == cards[1]["data"]
    assert cards[0]["data"]["files"]["mine.csv"]["rejected"] == {"unparsable": 1}
    assert cards[0]["files"] == cards[1]["files"]
    with np.load(kept, allow_pickle=False) as arrays:
        assert int(arrays["rows"]) == len(ROWS)


@pytest.mark.usefixtures("kept_always")
def test_another_content_policy_or_column_is_another_reading(settings, tmp_path):
    from molgen.core import config as configs
    from molgen.core.schema import TrainConfig
    from molgen.workflows.train_data import find_sources

    def key(values):
        (source,) = find_sources(configs.load(values, TrainConfig).config, tmp_path).values()
        return source.key

    (path,) = (section["path"] for section in settings["data"])
    first = key(settings)
    assert key(settings) == first
    keys = {first}
    keys.add(key({**settings, "data": [{"path": path, "policy": "flat"}]}))
    keys.add(key({**settings, "data": [{"path": path, "smiles_column": "smiles"}]}))
    keys.add(key({**settings, "data": [{"path": path, "labels": ["x"]}]}))
    (tmp_path / "mine.csv").write_text("smiles\nCCO\n")
    keys.add(key(settings))
    assert len(keys) == 5


def test_arrays_train_the_same_model_where_rdkit_cannot_be_imported(settings, tmp_path):
    there = mg.train_prepare(settings, tmp_path / "arrays", quiet=True)
    assert there.training + there.held_out == len(dict.fromkeys(mg.read(tmp_path / "mine.csv").molecules))
    (tmp_path / "mine.csv").unlink()
    carried = (tmp_path / "arrays").rename(tmp_path / "elsewhere")
    program = [sys.executable, "-c", WITHOUT_RDKIT, str(carried), str(tmp_path / "far")]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "what is drawn while training is not checked" in (tmp_path / "far" / "log.txt").read_text()
    here = mg.train(carried, tmp_path / "near", overrides=["trainer.sample_size=0"], quiet=True)
    weights = [store.read_card(tmp_path / run / "model")["files"] for run in ("far", "near")]
    assert weights[0] == weights[1]
    assert len(mg.load(here.run).sample(3, quiet=True)) == 3


def test_what_was_prepared_for_something_else_is_refused(settings, tmp_path):
    mg.train_prepare(settings, tmp_path / "arrays", quiet=True)
    with pytest.raises(DataError, match="prepare it again with"):
        mg.train(tmp_path / "arrays", tmp_path / "a", overrides=["seed=7"], quiet=True)
    with pytest.raises(DataError, match="was not prepared like this"):
        mg.train(tmp_path / "arrays", tmp_path / "b", overrides=["data[0].policy=flat"], quiet=True)
    with pytest.raises(RunError, match="add --overwrite"):
        mg.train_prepare(settings, tmp_path / "arrays", quiet=True)
    with pytest.raises(ConfigError, match="is a folder, but no prepared training"):
        mg.train(tmp_path, tmp_path / "c", quiet=True)


def test_the_command_prepares_and_trains(settings, tmp_path, capsys):
    from molgen.core import config as configs
    from molgen.core.schema import TrainConfig

    (tmp_path / "run.yaml").write_text(configs.dump(configs.load(settings, TrainConfig).config))
    arrays = tmp_path / "arrays"
    assert cli.run(["train", str(tmp_path / "run.yaml"), "--prepare-only", "-o", str(arrays), "-q"]) == 0
    assert f"molgen train {arrays}" in capsys.readouterr().out
    assert (
        cli.run(["train", str(arrays), "-o", str(tmp_path / "run"), "-q", "--set", "trainer.epochs=1"]) == 0
    )


def test_a_file_that_changed_under_an_unfinished_training_was_not_noticed(settings, tmp_path):
    import shutil

    mg.train(settings, tmp_path / "run", quiet=True)
    shutil.rmtree(tmp_path / "run" / "model")
    with (tmp_path / "mine.csv").open("a") as file:
        file.write("CCCCF\n")
    with pytest.raises(DataError, match="changed since this training began"):
        mg.train(settings, tmp_path / "run", quiet=True)
