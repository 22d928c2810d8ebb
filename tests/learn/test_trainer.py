import numpy as np
import pytest
import torch

from molgen.core.errors import ConfigError, Interrupted, ModelError
from molgen.core.schema import TrainerConfig
from molgen.learn.stability import gradient_norm
from molgen.learn.trainer import Trainer, learning_rate_factor, mean_loss
from molgen.models.autoregressive import RecurrentParams
from molgen.models.autoregressive.model import SmilesLanguageModel
from molgen.run.interrupt import Stop
from molgen.run.progress import Progress

SMILES = [
    f"{'C' * a}{middle}{'C' * b}"
    for a in range(1, 9)
    for b in range(1, 9)
    for middle in ("O", "N", "c1ccccc1")
]


def quiet(**options):
    return Progress(quiet=True, **options)


def build():
    params = RecurrentParams(hidden=16, layers=1, embedding=8, pieces=4, dropout=0.0)
    return SmilesLanguageModel.build(params, SMILES, seed=1)


def config(**changes):
    settings = {
        "epochs": 4,
        "batch_size": 32,
        "learning_rate": 2e-2,
        "precision": "fp32",
        "validate_every": 5,
    }
    return TrainerConfig(**(settings | changes))


def fit(folder, settings, stop=None, model=None, validate=None):
    model = model or build()
    data = model.training_set(SMILES)
    check = validate or (lambda m: {"validation_loss": mean_loss(m, data)})
    outcome = Trainer(settings, folder, seed=3, progress=quiet).fit(model, data, check, stop=stop)
    return model, outcome


class StopAt(Stop):
    """Asks to stop after some steps, as a signal would."""

    def __init__(self, step):
        super().__init__()
        self.left = step

    @property
    def requested(self):
        self.left -= 1
        return "SIGTERM" if self.left < 0 else None

    @requested.setter
    def requested(self, value):
        pass


def test_the_loss_falls(tmp_path):
    model = build()
    data = model.training_set(SMILES)
    before = mean_loss(model, data)
    _, outcome = fit(tmp_path, config(), model=model)
    assert mean_loss(model, data) < 0.7 * before
    assert outcome.reason == "the schedule is complete"
    assert outcome.state.step == 4 * -(-len(SMILES) // 32)


def test_a_training_that_was_stopped_and_resumed_ends_with_the_same_weights(tmp_path):
    whole, _ = fit(tmp_path / "whole", config())
    for stop_at in (4, 9):
        with pytest.raises(Interrupted, match="SIGTERM"):
            fit(tmp_path / "parts", config(), stop=StopAt(stop_at))
    parts, outcome = fit(tmp_path / "parts", config())
    assert outcome.state.step == 4 * -(-len(SMILES) // 32)
    for name, value in whole.state_dict().items():
        assert torch.equal(value, parts.state_dict()[name]), name


def test_training_leaves_the_global_generator_alone(tmp_path):
    torch.manual_seed(5)
    before = torch.get_rng_state()
    fit(tmp_path, config(epochs=1))
    assert torch.equal(before, torch.get_rng_state())


def test_early_stop_keeps_the_best_weights(tmp_path):
    losses = iter([3.0, 1.0, 2.0, 2.5, 2.6])
    kept = {}

    def validate(model):
        loss = next(losses)
        if loss == 1.0:
            kept.update({k: v.clone() for k, v in model.state_dict().items()})
        return {"validation_loss": loss}

    model, outcome = fit(tmp_path, config(epochs=50, patience=2), validate=validate)
    assert outcome.reason == "the validation loss no longer falls"
    assert all(torch.equal(v, kept[k]) for k, v in model.state_dict().items())


def test_a_diverging_loss_stops_with_the_cure(tmp_path):
    model = build()
    with torch.no_grad():
        model.network.output.weight.fill_(float("nan"))
    with pytest.raises(ModelError, match=r"lower trainer\.learning_rate"):
        fit(tmp_path, config(), model=model)


def test_nothing_to_train_on_is_said(tmp_path):
    model = build()
    empty = model.training_set([])
    with pytest.raises(ConfigError, match="no molecule is left"):
        Trainer(config(), tmp_path, seed=1, progress=quiet).fit(
            model, empty, lambda m: {"validation_loss": 0.0}
        )


def test_the_time_budget_ends_the_schedule(tmp_path):
    _, outcome = fit(tmp_path, config(epochs=10_000, minutes=0.01))
    assert outcome.reason == "the schedule is complete"
    assert outcome.state.seconds >= 0.6


def test_the_learning_rate_rises_then_falls_to_its_end():
    factors = [learning_rate_factor(p, warmup=0.1, final=0.2) for p in np.linspace(0, 1, 101)]
    assert max(factors) == pytest.approx(1.0)
    assert int(np.argmax(factors)) == 10
    assert factors[0] < 0.05
    assert factors[-1] == pytest.approx(0.2)


def test_bf16_training_learns_too(tmp_path):
    model = build()
    data = model.training_set(SMILES)
    before = mean_loss(model, data)
    fit(tmp_path, config(precision="bf16"), model=model)
    assert mean_loss(model, data) < 0.8 * before


def test_a_guard_sees_the_gradients_as_they_were_before_clipping(tmp_path):
    model = build()
    own = model.optimizers
    kept = {}

    def optimizers(*settings):
        kept.update(own(*settings))
        return kept

    model.optimizers = optimizers
    fit(tmp_path, config(epochs=1, clip_norm=1e-6), model=model)
    (optimizer,) = kept.values()
    assert gradient_norm(optimizer) > 1e-3
