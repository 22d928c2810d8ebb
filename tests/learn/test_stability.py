"""The guard tells a collapse from a bad minute, puts the last healthy weights back, and survives a checkpoint."""

import math

import pytest
import torch
from torch import nn

from molgen.learn.stability import Health, StabilityGuard, StabilityLimits

GOOD = Health(0.95, 0.9, {"critic": 1.0})


@pytest.fixture
def watched():
    net = nn.Linear(2, 1, bias=False)
    nn.init.constant_(net.weight, 1.0)
    return net


@pytest.fixture
def guard(watched):
    found = StabilityGuard(watched, StabilityLimits(grace=1, patience=2, rollbacks=1))
    found.tell = [].append
    return found


def look(guard, watched, step, weight, health):
    nn.init.constant_(watched.weight, weight)
    return guard.look(step, health, watched)


def healthy(guard, watched):
    for k in range(4):
        assert look(guard, watched, k, float(k), GOOD).status in ("learning", "healthy")


@pytest.mark.parametrize(
    ("health", "word"),
    [
        (Health(0.3, 0.9), "uniqueness 0.300"),
        (Health(0.95, 0.1), "coverage 0.100"),
        (Health(0.95, 0.9, {"critic": 80.0}), "gradient norm of critic 80"),
    ],
)
def test_two_bad_looks_put_the_last_healthy_weights_back(guard, watched, health, word):
    healthy(guard, watched)
    first = look(guard, watched, 4, 9.0, health)
    assert (first.status, first.rolled_back) == ("suspicious", False)
    assert float(watched.weight[0, 0].detach()) == 9.0, "one bad look must not undo the training"
    second = look(guard, watched, 5, 10.0, health)
    assert (second.status, second.rolled_back) == ("collapsed", True)
    assert any(word in reason for reason in second.reasons)
    assert float(watched.weight[0, 0].detach()) == 3.0
    assert guard.rate == 0.5
    assert guard.metrics()["collapse_alarms"] == 1


def test_a_bad_look_between_good_ones_is_forgiven(guard, watched):
    healthy(guard, watched)
    for k in range(4, 8):
        verdict = look(guard, watched, k, 1.0, Health(0.3, 0.9) if k % 2 else GOOD)
        assert not verdict.rolled_back


def test_a_slow_collapse_does_not_wear_out_the_weights_that_are_kept(guard, watched):
    healthy(guard, watched)
    for k, covered in enumerate((0.7, 0.6, 0.5, 0.4, 0.3), 4):
        verdict = look(guard, watched, k, 9.0, Health(0.95, covered))
    assert verdict.rolled_back
    assert float(watched.weight[0, 0].detach()) == 3.0


def test_a_number_that_is_none_is_a_collapse_at_once_even_at_the_beginning(guard, watched):
    verdict = look(guard, watched, 0, 5.0, Health(0.9, 0.9, {"critic": math.nan}))
    assert verdict.status == "collapsed"
    assert float(watched.weight[0, 0].detach()) == 1.0


def test_a_generator_that_begins_to_learn_is_not_collapsed(guard, watched):
    for k, covered in enumerate((0.0, 0.01, 0.05, 0.02, 0.3)):
        assert not look(guard, watched, k, 1.0, Health(1.0, covered)).rolled_back


def test_rollbacks_are_bounded(guard, watched):
    healthy(guard, watched)
    statuses = [look(guard, watched, k, 7.0, Health(0.0, 0.0)).status for k in range(4, 8)]
    assert statuses == ["suspicious", "collapsed", "suspicious", "given up"]
    assert guard.given_up
    assert float(watched.weight[0, 0].detach()) == 3.0, "it ends with the last healthy weights"


def test_a_restored_guard_goes_on_like_the_original(guard, watched):
    healthy(guard, watched)
    look(guard, watched, 4, 9.0, Health(0.3, 0.9))
    twin = StabilityGuard(watched, guard.limits)
    twin.tell = [].append
    twin.load_state_dict({k: v.clone() for k, v in guard.state_dict().items()})
    assert all(isinstance(v, torch.Tensor) for v in guard.state_dict().values()), (
        "checkpoints hold tensors only"
    )
    assert look(twin, watched, 5, 9.0, Health(0.3, 0.9)).status == "collapsed"
    assert float(watched.weight[0, 0].detach()) == 3.0


def test_the_alarm_is_told_in_words(guard, watched):
    words = []
    guard.tell = words.append
    healthy(guard, watched)
    for k in (4, 5):
        look(guard, watched, k, 9.0, Health(0.3, 0.9))
    (text,) = words
    assert "step 5: the training has collapsed" in text
    assert "back to step 3" in text
