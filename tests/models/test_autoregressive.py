import copy

import numpy as np
import pytest
import torch

from molgen.models.autoregressive.network import IGNORED
from molgen.models.autoregressive.sampler import Stepper
from molgen.models.autoregressive.sequences import SequenceSet, pad_lists
from molgen.models.protocol import Generator, HasLikelihood
from molgen.workflows.sample import sample

ALCOHOLS = ["CCO", "CC(C)O", "c1ccccc1", "CC(=O)Nc1ccccc1", "C[C@@H](N)C(=O)O"]


def test_it_is_a_generator_with_a_likelihood(tiny):
    assert isinstance(tiny, Generator)
    assert isinstance(tiny, HasLikelihood)


def test_likelihood_does_not_depend_on_batch_composition_or_padding(tiny):
    together = tiny.log_likelihood(ALCOHOLS)
    alone = torch.cat([tiny.log_likelihood([s]) for s in ALCOHOLS])
    with_longer = tiny.log_likelihood([*ALCOHOLS, "CC(=O)Nc1ccccc1" * 3])[:-1]
    in_small_batches = tiny.log_likelihood(ALCOHOLS, batch_size=2)
    for other in (alone, with_longer, in_small_batches):
        assert torch.allclose(together, other, atol=1e-4)


def test_likelihood_is_the_sum_over_tokens_and_the_end(tiny):
    ids = tiny.vocabulary.encode("CCO")
    with torch.no_grad():
        log_p = torch.log_softmax(tiny.network(torch.tensor([[0, *ids]]))[0], dim=-1)
    by_hand = sum(float(log_p[t, token]) for t, token in enumerate([*ids, 0]))
    assert float(tiny.log_likelihood(["CCO"]).detach()) == pytest.approx(by_hand, abs=1e-4)


def test_likelihood_of_what_it_cannot_write_is_no_number_and_the_others_have_one(tiny):
    values = tiny.log_likelihood(["CCO", "CC[Se]C", "CCN"])
    assert torch.isnan(values).tolist() == [False, True, False]


def test_likelihood_is_differentiable(tiny):
    loss = -tiny.log_likelihood(ALCOHOLS).mean()
    (gradient,) = torch.autograd.grad(loss, [tiny.network.output.weight])
    assert float(gradient.abs().sum()) > 0


def test_same_seed_same_strings_and_another_seed_others(tiny):
    first, again = tiny.sample(40, seed=3), tiny.sample(40, seed=3)
    assert first.smiles == again.smiles
    assert torch.equal(first.log_likelihood, again.log_likelihood)
    assert tiny.sample(40, seed=4).smiles != first.smiles


def test_sampling_leaves_the_global_generator_alone(tiny):
    torch.manual_seed(11)
    before = torch.get_rng_state()
    tiny.sample(5, seed=1)
    assert torch.equal(before, torch.get_rng_state())


def test_sampled_likelihood_is_that_of_the_string(tiny):
    drawn = tiny.sample(200, seed=9, precision="fp32")
    whole = [i for i, row in enumerate(drawn.info["sequences"]) if len(row) < tiny.params.max_tokens]
    again = tiny.log_likelihood([drawn.smiles[i] for i in whole]).detach()
    assert len(whole) > 50
    assert torch.allclose(drawn.log_likelihood[whole], again, atol=1e-3)


def test_strings_at_the_length_limit_are_counted_as_cut(tiny):
    drawn = tiny.sample(300, seed=2)
    cut = sum(len(row) == tiny.params.max_tokens for row in drawn.info["sequences"])
    assert drawn.info["truncated"] == cut


def test_temperature_sharpens_the_distribution_but_not_the_reported_likelihood(tiny):
    sharp = tiny.sample(300, seed=5, temperature=0.2, precision="fp32")
    plain = tiny.sample(300, seed=5, temperature=1.0, precision="fp32")
    per_token = [
        float(s.log_likelihood.sum()) / sum(len(row) + 1 for row in s.info["sequences"])
        for s in (sharp, plain)
    ]
    assert per_token[0] > per_token[1]


@pytest.mark.parametrize(("n", "temperature"), [(-1, 1.0), (1, 0.0), (1, -1.0)])
def test_impossible_requests_are_refused(tiny, n, temperature):
    with pytest.raises(ValueError, match="must be"):
        tiny.sample(n, seed=1, temperature=temperature)


def test_sampling_nothing_gives_nothing(tiny):
    assert tiny.sample(0, seed=1).smiles == []


def test_the_stepper_computes_what_the_network_computes(tiny):
    tokens = torch.randint(1, len(tiny.vocabulary), (6, 9))
    with torch.no_grad():
        expected = tiny.network(tokens)
        stepper = Stepper(tiny.network, torch.float32)
        stepper.start(6)
        stepped = torch.stack([stepper.step(tokens[:, t]) for t in range(9)], dim=1)
    assert torch.allclose(stepped, expected, atol=1e-5)


def test_dropping_rows_leaves_the_others_as_they_were(tiny):
    tokens = torch.randint(1, len(tiny.vocabulary), (5, 6))
    keep = torch.tensor([0, 3])
    with torch.no_grad():
        whole, part = Stepper(tiny.network, torch.float32), Stepper(tiny.network, torch.float32)
        whole.start(5)
        part.start(5)
        for t in range(3):
            whole.step(tokens[:, t])
            part.step(tokens[:, t])
        part.keep(keep)
        for t in range(3, 6):
            expected, got = whole.step(tokens[:, t])[keep], part.step(tokens[keep, t])
            assert torch.allclose(expected, got, atol=1e-6)


def test_bf16_steps_stay_near_the_float32_likelihood(tiny):
    low = tiny.sample(100, seed=6, precision="bf16")
    with torch.no_grad():
        high = tiny.log_likelihood(low.smiles)
    complete = torch.tensor([len(r) < tiny.params.max_tokens for r in low.info["sequences"]])
    assert float((low.log_likelihood - high)[complete].abs().max()) < 0.02 * float(high.abs().max())


def test_padding_is_marked_so_that_it_cannot_count():
    batch = pad_lists([[3, 4, 5], [6], []])
    assert batch.inputs.tolist() == [[0, 3, 4, 5], [0, 6, 0, 0], [0, 0, 0, 0]]
    assert batch.targets.tolist() == [[3, 4, 5, 0], [6, 0, IGNORED, IGNORED], [0, IGNORED, IGNORED, IGNORED]]


def test_an_epoch_covers_every_molecule_once_and_follows_from_the_seed(tiny):
    data = SequenceSet(ALCOHOLS * 20, tiny.vocabulary, max_tokens=30)
    plan = data.plan(7, seed=4)
    assert sorted(np.concatenate(plan)) == list(range(100))
    assert all(np.array_equal(a, b) for a, b in zip(plan, data.plan(7, seed=4), strict=True))
    assert any(not np.array_equal(a, b) for a, b in zip(plan, data.plan(7, seed=5), strict=True))


def test_what_cannot_be_trained_on_is_listed(tiny):
    data = SequenceSet(["CCO", "[Na+]", "C" * 400, "CCN"], tiny.vocabulary, max_tokens=30)
    assert len(data) == 2
    assert [u.index for u in data.unknown] == [1]
    assert data.too_long == [2]


def test_random_smiles_are_new_in_each_epoch_and_the_same_molecules(tiny):
    from molgen.chem.molecule import Molecule

    data = SequenceSet(ALCOHOLS, tiny.vocabulary, max_tokens=30, randomize=True)
    written = []
    for epoch in range(6):
        batch = data.batch(np.arange(5), seed=epoch)
        strings = [tiny.vocabulary.decode(row.tolist()) for row in batch.targets.clamp(min=0)]
        assert [Molecule.from_smiles(s).smiles for s in strings] == [
            Molecule.from_smiles(s).smiles for s in ALCOHOLS
        ]
        written.append(tuple(strings))
    assert len(set(written)) > 1


def test_min_p_draws_no_token_that_is_far_less_probable_than_the_best(tiny):
    drawn = tiny.sample(60, seed=3, min_p=0.9, precision="fp32")
    for row in drawn.info["sequences"]:
        with torch.no_grad():
            log_p = torch.log_softmax(tiny.network(torch.tensor([[0, *row]]))[0], dim=-1)
        taken = torch.tensor([*row, 0])[: len(log_p)]
        share = log_p[torch.arange(len(taken)), taken] - log_p.max(dim=1).values
        ended = len(row) < tiny.params.max_tokens
        assert float(share[: len(row) + ended].min()) >= np.log(0.9) - 1e-4
    free = tiny.sample(60, seed=3, min_p=0.0, precision="fp32")
    assert drawn.smiles != free.smiles


def test_the_models_own_min_p_holds_unless_told_otherwise(tiny):
    careful = copy.copy(tiny)
    careful.params = tiny.params.model_copy(update={"min_p": 0.9})
    options = {"seed": 2, "raw": True, "quiet": True}
    free, cut = sample(tiny, 40, **options).smiles, sample(tiny, 40, min_p=0.9, **options).smiles
    assert sample(careful, 40, **options).smiles == cut != free
    assert sample(careful, 40, min_p=0.0, **options).smiles == free
    assert careful.sample(40, seed=2).smiles == tiny.sample(40, seed=2).smiles, (
        "what learns draws from all of it"
    )


@pytest.mark.parametrize("value", [-0.1, 1.0])
def test_a_min_p_that_leaves_nothing_is_refused(tiny, value):
    with pytest.raises(ValueError, match="min_p must be"):
        tiny.sample(2, seed=1, min_p=value)


def test_people_sample_with_the_models_own_temperature_unless_they_say_otherwise(tiny):
    hot = copy.copy(tiny)
    hot.params = tiny.params.model_copy(update={"temperature": 5.0})
    options = {"seed": 2, "raw": True, "quiet": True}
    assert sample(hot, 30, **options).smiles == sample(tiny, 30, temperature=5.0, **options).smiles
    assert sample(hot, 30, temperature=1.0, **options).smiles == sample(tiny, 30, **options).smiles
    assert sample(hot, 30, **options).smiles != sample(tiny, 30, **options).smiles
