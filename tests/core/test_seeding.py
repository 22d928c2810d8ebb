"""Streams: stable for ever, independent of each other, and no global generator touched."""

from __future__ import annotations

import random

import numpy as np
import torch

from molgen.core.seeding import numpy_generator, python_random, stream, torch_generator


def test_streams_never_change() -> None:
    """A change of these numbers breaks the reproduction of every old run."""
    assert stream(1) == 5505609205572504139
    assert stream(1, "sample", 3, shard=2) == 4794221982370507928


def test_streams_differ_by_seed_name_order_and_shard() -> None:
    labels = [
        (1, ("a",), 0),
        (2, ("a",), 0),
        (1, ("a", "b"), 0),
        (1, ("b", "a"), 0),
        (1, ("a",), 1),
        (1, ("ab",), 0),
    ]
    labels += [(1, ("1",), 0), (1, (1,), 0)]
    assert len({stream(seed, *names, shard=shard) for seed, names, shard in labels}) == len(labels)
    assert all(0 <= stream(seed) < 2**63 for seed in range(100))


def test_generators_follow_the_stream_and_leave_the_global_ones_alone() -> None:
    before = (random.getstate(), torch.get_rng_state(), np.random.get_state()[1].tolist())  # type: ignore[index]
    first = (python_random(3, "x").random(), numpy_generator(3, "x").random(), _draw(3))
    again = (python_random(3, "x").random(), numpy_generator(3, "x").random(), _draw(3))
    assert first == again
    assert _draw(4) != first[2]
    assert random.getstate() == before[0]
    assert torch.equal(torch.get_rng_state(), before[1])
    assert np.random.get_state()[1].tolist() == before[2]  # type: ignore[index]


def _draw(seed: int) -> float:
    return float(torch.rand(1, generator=torch_generator(seed, "x")))
