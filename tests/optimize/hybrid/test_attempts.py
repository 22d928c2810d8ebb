from __future__ import annotations

import json

import numpy as np

from molgen.optimize.hybrid.attempts import Patience, begins_with


def test_a_common_attempt_begins_with_the_best_and_not_with_more_than_it_can_use() -> None:
    known = {f"m{i}": i / 100 for i in range(100)}
    few = begins_with(2, known, [], 40, np.random.default_rng(0))
    assert len(few) == 40
    assert {f"m{i}" for i in range(80, 100)} <= set(few)
    assert min(few.values()) < 0.5  # what is bad is known too
    assert begins_with(2, known, [], 100, np.random.default_rng(0)) == known
    assert begins_with(3, known, ["m7", "gone"], 40, np.random.default_rng(0)) == {"m7": 0.07}
    assert begins_with(1, known, [], 40, np.random.default_rng(0)) == {}


def test_patience_ends_when_the_ten_best_stand_still() -> None:
    patience = Patience(30)
    scores = [0.5] * 10
    patience.tell(scores, 10)
    for better in (0.6, 0.7, 0.8, 0.9):  # always something better
        scores = [*scores, *[better] * 10]
        patience.tell(scores, 10)
        assert not patience.exhausted
    for still in (False, False, True):
        scores = [*scores, *[0.1] * 10]
        patience.tell(scores, 10)
        assert patience.exhausted is still
    again = Patience(30)
    again.load_state(json.loads(json.dumps(patience.state())))
    assert again.exhausted
    assert again.state() == patience.state()
    again.tell([*scores, *[0.902] * 10], 10)  # by less than one in a hundred
    assert again.exhausted
    patience.tell([*scores, *[0.95] * 10], 10)
    assert not patience.exhausted


def test_patience_without_end() -> None:
    never = Patience(0)
    for _ in range(10):
        never.tell([0.1] * 1000, 100)
    assert not never.exhausted
