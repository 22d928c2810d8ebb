from __future__ import annotations

import math

import numpy as np
import pytest

from molgen.metrics.collapse import circles, entropy, entropy_curve, ring_recall, sizes, unique_curve


def test_a_collapsed_model_bends_down_and_a_genuine_one_does_not() -> None:
    genuine, collapsed = [str(i) for i in range(100)], [str(i % 10) for i in range(100)]
    assert set(unique_curve(genuine).values) == {1.0}
    curve = unique_curve(collapsed)
    assert curve.at[-1] == 100
    assert curve.values[0] == 1.0
    assert curve.values[-1] == 0.1
    assert curve.values == sorted(curve.values, reverse=True)


def test_entropy_is_in_nats_and_grows_until_all_kinds_are_seen() -> None:
    assert entropy({"a": 1, "b": 1}) == pytest.approx(math.log(2))
    assert entropy({"a": 5}) == entropy({}) == 0.0
    curve = entropy_curve([str(i % 4) for i in range(40)])
    assert curve.values[-1] == pytest.approx(math.log(4))
    assert sizes(3) == [1, 2, 3]
    assert sizes(0) == []


@pytest.mark.parametrize("block", [3, 512])
def test_circles_are_those_of_the_greedy_rule(block: int) -> None:
    rng = np.random.default_rng(0)
    bits = rng.random((40, 64)) < 0.25
    packed = np.packbits(bits, axis=1)
    chosen: list[int] = []
    for i in range(40):
        both = [(bits[i] & bits[j]).sum() / (bits[i] | bits[j]).sum() for j in chosen]
        if all(value < 0.2 for value in both):
            chosen.append(i)
    assert circles(packed, 0.2, block=block) == len(chosen)


def test_near_copies_do_not_raise_circles() -> None:
    packed = np.packbits(np.random.default_rng(1).random((5, 64)) < 0.3, axis=1)
    assert circles(np.repeat(packed, 20, axis=0), 0.9) == 5


def test_ring_recall_counts_kinds_and_weights() -> None:
    found = ring_recall({"a": 3, "x": 1}, {"a": 8, "b": 2})
    assert found is not None
    assert (found.kinds, found.weighted, found.precision, found.n_kinds) == (0.5, 0.8, 0.75, 2)
    assert ring_recall({"a": 1}, {}) is None
    nothing = ring_recall({}, {"a": 1})
    assert nothing is not None
    assert (nothing.kinds, nothing.precision) == (0.0, 0.0)
