"""A few likes and dislikes become a score that says nothing of what is unlike them."""

import numpy as np
import pytest

from molgen.chem.molecule import Molecule
from molgen.core.errors import ConfigError
from molgen.core.schema import ObjectiveConfig
from molgen.scoring.objective import build_objective
from molgen.scoring.preference.process import PreferenceProcess
from molgen.scoring.preference.verdicts import parse_verdict

LIKES = ["CC(=O)Nc1ccc(O)cc1", "CC(=O)Nc1ccc(OC)cc1"]
DISLIKES = ["CCCCCCCCCC(=O)O", "CCCCCCCCCCO"]


def scorer(base_dir=".", **params):
    config = ObjectiveConfig.model_validate({"components": [{"use": "preference", "params": params}]})
    return build_objective(config, base_dir=base_dir).components[0].scorer


def test_what_is_like_the_likes_is_liked_and_the_rest_is_left_open():
    values = scorer(likes=LIKES, dislikes=DISLIKES)(
        [
            Molecule(s)
            for s in ("CC(=O)Nc1ccc(OCC)cc1", "CCCCCCCCCCCO", "FC(F)(F)C1=NNC=N1", LIKES[0], DISLIKES[0])
        ]
    ).values
    assert values[0] > 0.6
    assert values[1] < 0.4
    assert values[2] == pytest.approx(0.5, abs=0.02)
    assert values[3] > 0.75
    assert values[4] < 0.3


def test_likes_alone_raise_what_is_alike_and_leave_the_rest_at_a_half():
    near, far = scorer(likes=LIKES)([Molecule(LIKES[0]), Molecule("C1CCCCC1")]).values
    assert near > 0.7
    assert far == pytest.approx(0.5, abs=0.02)


def test_more_verdicts_make_it_surer():
    one, many = (
        PreferenceProcess(np.full((k, k), 0.8) + 0.2 * np.eye(k), np.ones(k, dtype=bool)) for k in (1, 8)
    )
    assert 0.5 < one.chance(np.full(1, 0.8)) < many.chance(np.full(8, 0.8)) < 1


def test_the_same_example_twice_does_not_break_it():
    both = PreferenceProcess(np.ones((2, 2)), np.array([True, False]))
    assert both.chance(np.ones(2)) == pytest.approx(0.5)


def test_evidence_names_the_judged_molecule_that_is_most_alike():
    evidence = scorer(likes=LIKES, dislikes=DISLIKES).evidence([Molecule("CCCCCCCCCCCO")])
    assert evidence["nearest_verdict"] == ["disliked"]
    assert 0.4 < evidence["nearest_similarity"][0] <= 1


@pytest.mark.parametrize(
    ("cells", "verdict"),
    [
        ([1, "1.0", "Yes", "+1", "like"], True),
        ([0, "-1", " dislike "], False),
        (["", None, float("nan")], None),
    ],
)
def test_verdicts_are_read_as_people_write_them(cells, verdict):
    assert {parse_verdict(cell) for cell in cells} == {verdict}


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({}, "give likes and dislikes"),
        ({"likes": ["CC("]}, r"likes\[0\]"),
        ({"likes": LIKES, "dislikes": LIKES[:1]}, "liked and disliked"),
        ({"file": "nothing.csv"}, "nothing.csv"),
        ({"file": "bare.csv"}, "no column 'like'"),
        ({"file": "empty.csv"}, "has no verdict"),
    ],
)
def test_examples_that_cannot_be_used_are_refused_in_words(params, words, tmp_path):
    (tmp_path / "bare.csv").write_text("smiles,rating\nCCO,5\n")
    (tmp_path / "empty.csv").write_text("smiles,like\nCCO,\n")
    with pytest.raises(ConfigError, match=words):
        scorer(tmp_path, **params)
