import os
import signal

import pytest

import molgen as mg
from molgen.core.errors import ConfigError, DataError, Interrupted, RunError
from molgen.learn import store

ROWS = [f"{'C' * a}{m}{'C' * b}" for a in range(1, 8) for b in range(1, 8) for m in ("O", "N", "c1ccccc1")]


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "mine.csv").write_text(
        "name,smiles\n" + "\n".join(f"m{i},{s}" for i, s in enumerate(ROWS)) + "\nbad,C1C\n"
    )
    return {
        "kind": "train",
        "name": "tiny",
        "data": [{"path": str(tmp_path / "mine.csv")}],
        "holdout": 0.1,
        "model": {"params": {"hidden": 16, "layers": 1, "embedding": 8, "pieces": 4}},
        "trainer": {
            "epochs": 3,
            "batch_size": 16,
            "learning_rate": 0.02,
            "precision": "fp32",
            "sample_size": 50,
        },
        "tracking": {"mlflow": False},
    }


def test_a_trained_model_samples_and_its_card_says_how_it_came_to_be(settings, tmp_path):
    result = mg.train(settings, tmp_path / "run", quiet=True)
    card = store.read_card(result.model)
    assert card["name"] == "tiny"
    distinct = {m.smiles for m in mg.read(tmp_path / "mine.csv").molecules}
    assert card["data"]["training"] + card["data"]["validation"] == len(distinct)
    assert card["data"]["files"]["mine.csv"]["rejected"] == {"unparsable": 1}
    assert card["training"]["reason_of_end"] == "the schedule is complete"
    assert {"validation_loss", "valid", "unique", "novel"} <= set(result.metrics)
    assert len(mg.load(result.model).generator.sample(5, seed=1).smiles) == 5


def test_an_interrupted_training_goes_on_to_the_same_weights(settings, tmp_path, monkeypatch):
    whole = mg.train(settings, tmp_path / "whole", quiet=True)
    from molgen.models.autoregressive.model import SmilesLanguageModel

    step, calls = SmilesLanguageModel.training_step, []

    def signalled(self, batch):
        calls.append(1)
        if len(calls) == 7:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(self, batch)

    monkeypatch.setattr(SmilesLanguageModel, "training_step", signalled)
    with pytest.raises(Interrupted, match="molgen resume") as caught:
        mg.train(settings, tmp_path / "parts", quiet=True)
    assert caught.value.exit_code == 75
    resumed = mg.resume(tmp_path / "parts", quiet=True)
    digests = [store.read_card(r.model)["files"][store.WEIGHTS] for r in (whole, resumed)]
    assert digests[0] == digests[1]


def test_a_finished_training_cannot_be_resumed(settings, tmp_path):
    mg.train(settings, tmp_path / "run", quiet=True)
    with pytest.raises(RunError, match="the training is done; the model is in"):
        mg.resume(tmp_path / "run")


def test_an_unfinished_training_with_other_settings_is_not_continued(settings, tmp_path):
    mg.train(settings, tmp_path / "run", quiet=True)
    import shutil

    shutil.rmtree(tmp_path / "run" / "model")
    settings["seed"] = 2
    with pytest.raises(ConfigError, match="unfinished training with another configuration"):
        mg.train(settings, tmp_path / "run", quiet=True)


def test_a_fine_tuned_model_likes_the_new_compounds_more(settings, tmp_path):
    base = mg.train(settings, tmp_path / "base", quiet=True).model
    mine = [f"{'C' * n}OCCO" for n in range(1, 40)]
    (tmp_path / "series.smi").write_text("\n".join(mine) + "\nC[Se]C\n")
    tuned = mg.finetune(
        base, tmp_path / "series.smi", tmp_path / "tuned", quiet=True,
        overrides=["tracking.mlflow=false", "trainer.epochs=6", "trainer.learning_rate=0.005", "trainer.batch_size=8"],
    ).model  # fmt: skip
    before, after = (float(mg.load(m).generator.log_likelihood(mine).detach().mean()) for m in (base, tuned))
    assert after > before
    lineage, parent = store.read_card(tuned)["lineage"], store.read_card(base)
    assert lineage["base"] == str(base)
    assert lineage["weights_sha256"] == parent["files"]["weights.safetensors"]
    assert lineage["training"] == parent["training"]
    assert lineage["same_data"] is False
    assert lineage["lineage"] == {"base": None}
    assert "[Se]" in (tmp_path / "tuned" / "log.txt").read_text()


def test_a_second_stage_on_the_same_molecules_is_told_from_fine_tuning(settings, tmp_path):
    base = mg.train(settings, tmp_path / "base", quiet=True).model
    second = {**settings, "base": str(base), "model": {}}
    model = mg.train(second, tmp_path / "second", quiet=True).model
    assert store.read_card(model)["lineage"]["same_data"] is True


def test_a_file_without_usable_molecules_stops_before_training(settings, tmp_path):
    (tmp_path / "mine.csv").write_text("name,smiles\na,nonsense\n")
    with pytest.raises((DataError, ConfigError)):
        mg.train(settings, tmp_path / "run", quiet=True)


def test_wrong_architecture_keys_are_named_before_anything_runs(settings, tmp_path):
    settings["model"]["params"]["hiden"] = 3
    with pytest.raises(ConfigError, match="did you mean 'hidden'"):
        mg.train(settings, tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()


def test_held_out_molecules_that_the_model_cannot_use_are_an_error_in_words(settings, tmp_path):
    """They ended in an index error deep inside, after the training set was made."""
    (tmp_path / "other.csv").write_text("smiles\nB\n[Na+].[Cl-]\n[SiH4]\n")
    settings["validation"] = {"path": str(tmp_path / "other.csv"), "policy": "none"}
    with pytest.raises(DataError, match=r"can use none of the \d held-out molecules"):
        mg.train(settings, tmp_path / "run", quiet=True)


def test_a_second_stage_may_change_the_objective_but_not_the_network(settings, tmp_path):
    base = mg.train(settings, tmp_path / "base", quiet=True)
    second = settings | {"base": str(base.run), "model": {"params": {"hidden": 32}}}
    with pytest.raises(ConfigError, match=r"model\.params\.hidden: 32 needs another network.*\(16\)"):
        mg.train(second, tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()
    second["model"] = {"params": {"min_p": 0.05}}
    made = mg.train(second, tmp_path / "run", quiet=True)
    assert store.read_config(made.model)[1] == store.read_config(base.model)[1] | {"min_p": 0.05}
    assert store.read_card(made.model)["lineage"]["same_data"]
