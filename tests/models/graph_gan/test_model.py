"""Training steps, alarm, checkpoints, storing and sampling of the graph GAN, with a tiny network."""

import copy

import numpy as np
import pytest
import torch
from rdkit import Chem

from molgen.core.errors import DataError, ModelError
from molgen.models.graph_gan import FAMILY, GraphGanParams, watch
from molgen.models.graph_gan.model import GraphGan
from molgen.models.registry import load, save

SMILES = [
    "CCO",
    "CCN",
    "c1ccccc1",
    "CC(=O)O",
    "c1ccncc1",
    "CCOC(=O)C",
    "NCCN",
    "C#CC1CC1",
    "[NH3+]CC(=O)[O-]",
] * 3
SMALL = {"width": 24, "blocks": 1, "noise": 8, "critic_width": 8, "critic_layers": 1}


def tiny(**params):
    return GraphGan.build(GraphGanParams(**{**SMALL, **params}), SMILES, seed=4)


def train(model, steps, data=None, rate=3e-3):
    data = data or model.training_set(SMILES)
    optimizers = model.optimizers(rate, 0.0)
    model.train()
    names, seen = [], {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for _ in range(steps):
            for name, loss, metrics in model.training_step(data.batch(np.arange(16))):
                assert torch.isfinite(loss)
                optimizers[name].zero_grad()
                loss.backward()
                for group in optimizers[name].param_groups:
                    group["lr"] = rate
                optimizers[name].step()
                names.append(name)
                seen |= metrics
    model.eval()
    return names, seen


@pytest.mark.parametrize("estimator", ["rloo", "straight_through", "evolution"])
def test_the_critic_begins_at_the_end_of_the_warm_start_and_then_the_two_take_turns(estimator):
    model = tiny(warm_steps=2, estimator=estimator, look_every=2)
    names, seen = train(model, 6)
    assert names == ["generator", "generator", "critic"] + ["critic", "generator"] * 4
    assert {
        "critic_gap",
        "penalty",
        "rebuild_nats",
        "valence_excess",
        "stability_uniqueness",
        "collapse_alarms",
    } <= set(seen)


def test_without_warm_start_and_rebuilding_nothing_but_the_critic_and_the_valences_teach():
    names, seen = train(tiny(warm_steps=0, rebuild_weight=0, rarity=0, mode_seeking=0), 2)
    assert names == ["critic", "generator"] * 2
    assert "rebuild_nats" not in seen


def test_rebuilding_is_learned():
    model = tiny(warm_steps=1000)
    data = model.training_set(SMILES)
    _, before = train(model, 1, data)
    _, after = train(model, 60, data)
    assert after["rebuild_nats"] < 0.5 * before["rebuild_nats"]


def test_the_reward_network_is_taught_a_property_and_gives_the_generator_its_word():
    model = tiny(warm_steps=0, reward="logp")
    assert model.scale is not None
    names, seen = train(model, 1)
    assert names == ["critic", "reward", "generator"]
    assert np.isfinite(seen["reward_loss"])
    again = GraphGan.from_assets(model.params, model.assets())
    assert again.scale == pytest.approx(model.scale)


def test_the_reward_network_learns_during_the_warm_start_already():
    names, _ = train(tiny(warm_steps=10, reward="logp"), 1)
    assert names == ["generator", "reward"]


def test_a_collapse_is_noticed_and_the_last_healthy_generator_goes_on():
    model = tiny(warm_steps=0)
    optimizers = model.optimizers(1e-3, 0.0)
    batch = model.training_set(SMILES).batch(np.arange(16))
    told = []
    guard = model.parts["guard"]
    guard.tell = told.append
    for step in range(5):
        watch.look(model, step, batch, {"generator": 1.0})
    healthy = copy.deepcopy(model.generator.state_dict())
    for network in (model.generator, model.parts["average"]):
        for weight in network.parameters():
            weight.data.zero_()  # one and the same graph of each size, whatever the noise
    for step in range(5, 8):
        watch.look(model, step, batch, {"generator": 1.0})
    assert any("collapsed" in words for words in told)
    assert guard.rate < 1
    assert all(torch.equal(model.generator.state_dict()[k], v) for k, v in healthy.items())
    for group in optimizers["generator"].param_groups:
        group["lr"] = 1.0
    for weight in model.generator.parameters():
        weight.grad = torch.zeros_like(weight)
    optimizers["generator"].step()
    assert optimizers["generator"].param_groups[0]["lr"] == pytest.approx(
        guard.rate * model.params.adversarial_rate
    )


def test_a_training_goes_on_from_its_weights_as_if_never_stopped():
    straight, stopped = tiny(warm_steps=1, look_every=2), tiny(warm_steps=1, look_every=2)
    train(stopped, 3)
    again = tiny(warm_steps=1, look_every=2)
    again.load_state_dict(stopped.state_dict())
    train(straight, 3)
    for model in (straight, again):
        train(model, 3)
    assert all(torch.equal(a, b) for a, b in zip(straight.parameters(), again.parameters(), strict=True))
    assert straight.parts["guard"].metrics() == again.parts["guard"].metrics()


def test_a_stored_model_is_without_what_only_training_needs_and_can_be_trained_further(tmp_path):
    model = tiny(warm_steps=0)
    train(model, 2)
    drawn = model.sample(20, seed=1).smiles
    told = model.finish(model.training_set(SMILES))
    assert told["collapse_alarms"] == 0
    assert not any(name.startswith("parts.") for name in model.state_dict())
    assert model.sample(20, seed=1).smiles == drawn
    again = load(save(model, tmp_path / "model", {"name": "tiny"}))
    assert len(again.sample(20, seed=1).smiles) == 20
    names, _ = train(again, 1)
    assert names == ["critic", "generator"]


def test_raw_draws_are_left_alone_and_corrected_ones_are_valid():
    model = tiny().eval()
    raw, fixed = model.sample(60, seed=2), model.sample(60, seed=2, corrected=True)
    assert not raw.info["corrected"].any()
    assert fixed.info["corrected"].any()
    for before, after, changed in zip(raw.smiles, fixed.smiles, fixed.info["corrected"], strict=True):
        assert Chem.MolFromSmiles(after) is not None
        assert changed or before == after
    assert raw.info["z"].shape == (60, 9)
    assert model.decode(fixed.info["z"]) == fixed.smiles, "a point is noise and size"


def test_people_draw_corrected_molecules_unless_they_say_otherwise():
    assert tiny().sampling_defaults == {"corrected": True}


def test_sizes_are_those_of_the_training_molecules():
    model = tiny()
    assert sum(model.sizes) == pytest.approx(1)
    sizes = {
        Chem.MolFromSmiles(text).GetNumAtoms() for text in model.sample(200, seed=1, corrected=True).smiles
    }
    assert sizes == {Chem.MolFromSmiles(text).GetNumAtoms() for text in SMILES}


def test_wrong_arguments_and_molecules_that_are_all_too_large():
    with pytest.raises(ValueError, match="temperature"):
        tiny().sample(1, seed=1, temperature=0)
    with pytest.raises(DataError, match="max_atoms"):
        GraphGan.build(FAMILY.params(max_atoms=3, **SMALL), ["c1ccccc1"])


def test_a_molecule_has_a_point_from_which_it_comes_back_and_others_say_why_not():
    model = tiny(warm_steps=1000, kl_weight=0.01)
    train(model, 250, rate=1e-2)
    model.finish(model.training_set(SMILES))
    known = [Chem.CanonSmiles(text) for text in SMILES[:9]]
    z = model.encode([*known, "CCCCCCCCCCCC", "CBr", "nonsense"])
    assert z.shape == (12, 9)
    assert z.isnan().any(1).tolist() == [False] * 9 + [True] * 3
    back = [Chem.CanonSmiles(text) for text in model.decode(z[:9])]
    assert sum(a == b for a, b in zip(back, known, strict=True)) >= 7
    assert model.outside("CCO") == ""
    assert model.outside("CCCCCCCCCCCC") == "more than 9 heavy atoms"
    assert "an atom that the model does not know" in model.outside("CBr")
    assert model.outside("nonsense") == "no molecule"
    with pytest.raises(ModelError, match="its encoder has learned nothing"):
        tiny(warm_steps=0, rebuild_weight=0).encode(["CCO"])
