"""The latent GAN: a generator by contract, trained by the one loop, stored alone, asked for conditions."""

import copy
import re

import numpy as np
import pytest
import torch

from molgen.cli import run
from molgen.core.errors import ConfigError, DataError, Interrupted, ModelError
from molgen.core.schema import TrainerConfig
from molgen.learn.trainer import Trainer, mean_loss
from molgen.models import registry
from molgen.models.latent_gan import FAMILY
from molgen.models.protocol import PROMISES
from molgen.testing import check_generator
from molgen.workflows.sample import sample as draw

SETTINGS = {"epochs": 1, "batch_size": 640, "learning_rate": 1e-3, "clip_norm": None, "validate_every": 10}


def train(model, smiles, folder, stop=None, **options):
    data = model.training_set(smiles)
    trainer = Trainer(TrainerConfig(**{**SETTINGS, **options}), folder, seed=1)
    outcome = trainer.fit(model, data, lambda m: {"validation_loss": mean_loss(m, data, 6400)}, stop=stop)
    return data, outcome


@pytest.fixture(scope="module")
def smiles():
    from rdkit import Chem

    chains = ["C" * n + tail for n in range(1, 9) for tail in ("O", "N", "Cl", "c1ccccc1", "C(=O)O", "OC")]
    return [Chem.CanonSmiles(text) for text in chains]


def test_before_any_training_it_keeps_the_contract(make):
    check_generator(make().eval(), capabilities=FAMILY.capabilities & set(PROMISES))


def test_trained_finished_and_stored_it_needs_no_decoder_beside_it(make, smiles, tmp_path, monkeypatch):
    model = make()
    before = copy.deepcopy(model.vae.encoder.state_dict())
    data, outcome = train(model, smiles, tmp_path / "run")
    assert outcome.reason == "the schedule is complete"
    assert all(torch.equal(v, before[k]) for k, v in model.vae.encoder.state_dict().items()), (
        "the VAE was changed"
    )
    found = model.finish(data, seed=1)
    assert {"latent_precision", "latent_recall", "latent_coverage", "collapse_alarms"} <= set(found)
    names = set(model.state_dict())
    assert not any(name.startswith("game.") for name in names), "what only a training needs is stored"
    folder = registry.save(model, tmp_path / "model", {})
    monkeypatch.setattr(registry, "PRIORS", tmp_path / "nothing")
    loaded = registry.load(folder)
    check_generator(loaded)
    drawn = loaded.sample(40, seed=4)
    assert drawn.info["z"].shape == (40, 8)
    assert float(loaded.prior.believable(loaded.encode(smiles)).float().mean()) > 0.5


def test_fine_tuning_goes_on_from_the_stored_weights_and_moves_the_draws(make, smiles, tmp_path):
    first = make()
    train(first, smiles, tmp_path / "first")
    first.finish(first.training_set(smiles))
    tuned = registry.load(registry.save(first, tmp_path / "model", {})).train()
    shift = tuned.prior.shift.clone()
    actives = [text for text in smiles if "c1" in text]
    data, outcome = train(tuned, actives, tmp_path / "tuned", learning_rate=5e-3, epochs=2)
    assert outcome.state.step == 40
    assert torch.equal(tuned.prior.shift, shift), "the whitening is the base model's"
    tuned.finish(data)
    goal = tuned.encode(actives).mean(0)
    before, after = (m.prior.sample(500, torch.Generator().manual_seed(1)).mean(0) for m in (first, tuned))
    assert float((after - goal).norm()) < float((before - goal).norm())


def test_a_resumed_training_is_the_uninterrupted_one(make, smiles, tmp_path):
    class At:
        requested = None

        def __init__(self, steps):
            self.left = steps

        def __getattribute__(self, name):
            if name == "requested":
                self.left -= 1
                return "SIGTERM" if object.__getattribute__(self, "left") <= 0 else None
            return object.__getattribute__(self, name)

    whole = make()
    train(whole, smiles, tmp_path / "whole")
    cut = make()
    with pytest.raises(Interrupted):
        train(cut, smiles, tmp_path / "cut", stop=At(7))
    again = make()
    train(again, smiles, tmp_path / "cut")
    state = whole.state_dict()
    for name, value in again.state_dict().items():
        assert torch.equal(value, state[name]), name


def test_another_seed_and_wgan_gp_train_too(make, smiles, tmp_path):
    model = make(loss="wgan-gp", mode_seeking=0.1)
    _, outcome = train(model, smiles, tmp_path / "run")
    assert outcome.state.step == 20
    assert np.isfinite(outcome.state.history[-1]["validation_loss"])


def test_a_collapse_ends_in_the_last_healthy_weights_and_words(make, smiles, tmp_path):
    model = make()
    words = []
    model.on_alarm = words.append
    model.training_set(smiles)
    original = model.optimizers

    def optimizers(learning_rate, weight_decay):
        made = original(learning_rate, weight_decay)
        for record in (model.game.guard.record,):
            record.alarms, record.rollbacks = 3, 3  # one more and it gives up
        good = {k: v.clone() for k, v in model.prior.generator.state_dict().items()}
        model.good = lambda: good
        return made

    model.optimizers = optimizers
    turns = type(model.game)
    assert turns is type(None)
    steps = model.training_step

    def broken(batch):
        yield from steps(batch)
        if model.training and int(model.game.seen) == 5:
            with torch.no_grad():
                model.prior.generator.end.bias.fill_(float("nan"))
            model.game._look(5)

    model.training_step = broken
    _, outcome = train(model, smiles, tmp_path / "run")
    assert outcome.reason == "it collapsed too often; these are the last healthy weights"
    assert outcome.state.step == 5
    assert "the training has collapsed (uniqueness is nan" in words[0]
    for name, value in model.prior.generator.state_dict().items():
        assert torch.equal(value, model.good()[name]), name


def test_conditions_are_learned_from_the_head_and_from_columns(make, smiles, tmp_path):
    flags = {"active": np.array([float("N" in s) for s in smiles])}
    model = make(labels=flags, conditions=["logp", "active"])
    data = model.training_set(smiles, labels=flags)
    assert data.conditions.shape == (len(smiles), 2)
    assert abs(float(data.conditions[:, 1].mean())) < 1e-6, "a column is z-scored"
    check_generator(model.eval())
    lean = model.prior.generator.lean[:, 1]
    assert float(lean.norm()) > 0, "before its first step it is the Gaussian given the conditions"
    x = model.prior.to_white(torch.from_numpy(data.mean.astype(np.float32)))
    apart = x[flags["active"] == 1].mean(0) - x[flags["active"] == 0].mean(0)
    assert float(torch.cosine_similarity(lean, apart, 0)) > 0.5
    free = model.sample(30, seed=1)
    asked = model.sample(30, seed=1, conditions={"active": 1.0})
    assert len(asked.smiles) == 30
    with torch.no_grad():
        model.prior.generator.begin.weight[:, -1] += 5.0
        model.prior.generator.end.weight += 1.0
    assert not torch.equal(model.sample(30, seed=1, conditions={"active": 1.0}).info["z"], free.info["z"])
    with pytest.raises(ConfigError, match=r"cannot be asked for 'activ'.*did you mean 'active'"):
        model.sample(3, seed=1, conditions={"activ": 1.0})
    with pytest.raises(ConfigError, match="logp must be a number, got nan"):
        model.sample(3, seed=1, conditions={"logp": float("nan")})
    with pytest.raises(ConfigError, match=r"trained without conditions.*conditions: \[logp\]"):
        make().sample(3, seed=1, conditions={"logp": 1.0})
    with pytest.raises(DataError, match=r"name the column with data.labels"):
        model.training_set(smiles)


def test_a_conditional_model_is_asked_on_the_command_line(make, smiles, tmp_path, capsys):
    model = make(conditions=["logp"])
    model.training_set(smiles)
    folder = str(registry.save(model, tmp_path / "model", {}))

    def sample(*options):
        return run(["sample", folder, "-n", "5", "--quiet", *options])

    assert sample("--condition", "logp=1.5", "-o", str(tmp_path / "out.csv")) in (0, 4)
    result = draw(registry.load(folder), 5, conditions={"logp": 1.5}, quiet=True)
    assert re.search(r"asked for logp 1.5, they have -?[\d.]+ \+- ", result.caption())
    for wrong, words in (
        (["logp"], "must be NAME=NUMBER, such as logp=2.5, got 'logp'"),
        (["logp=high"], "got 'logp=high'"),
        (["logp=1", "--condition", "logp=2"], "logp is given twice"),
        (["lgp=1"], "did you mean 'logp'"),
    ):
        capsys.readouterr()
        assert sample("--condition", *wrong) == 2
        assert words in " ".join(capsys.readouterr().err.split())
    with pytest.raises(ModelError, match=r"cannot be asked for values of properties.*latent_gan"):
        draw(registry.load(registry.locate("moses")), 5, conditions={"logp": 1.5}, quiet=True)


def test_words_for_what_is_wrong(make, decoder):
    with pytest.raises(ConfigError, match=r"unknown 'lgp'.*did you mean 'logp'"):
        make(conditions=["lgp"])
    with pytest.raises(ConfigError, match="lacks the labels pIC50"):
        make(labels={"pIC50": [1.0, 2.0]})
    with pytest.raises(DataError, match="named in its first training"):
        make().learn_labels({"pIC50": [1.0]})
    with pytest.raises(ConfigError, match="a latent GAN works on a graph_vae"):
        make_on("moses")
    with pytest.raises(ModelError, match="has no density"):
        make().prior.log_prob(torch.zeros(1, 8))


def make_on(name):
    from molgen.models.latent_gan import LatentGanParams
    from molgen.models.latent_gan.model import LatentGan

    return LatentGan.build(LatentGanParams(decoder=name), ["CCO"])


def test_a_new_decoder_begins_with_the_generator_of_another_gan(make, smiles, tmp_path):
    first = make()
    with torch.no_grad():
        first.prior.generator.end.bias.fill_(0.25)
    folder = registry.save(first, tmp_path / "first", {})
    second = make(begin_with=str(folder))
    assert float(second.prior.generator.end.bias[0]) == 0.25
    with pytest.raises(ConfigError, match=r"begin_with.*no latent GAN"):
        make(begin_with="moses")


def test_a_small_set_is_drawn_from_many_times_in_batches_of_whole_packs(make, smiles):
    data = make().training_set(smiles[:5])
    plan = data.plan(63, seed=0)
    assert len(data) == 12_800
    assert {len(rows) for rows in plan} == {64}
    assert set(np.concatenate(plan)) == set(range(5))
    assert all(np.array_equal(a, b) for a, b in zip(plan, data.plan(63, seed=0), strict=True))
