"""Every registered scorer keeps the contract that plug-ins are held to."""

from pathlib import Path

import numpy as np
import pytest

from molgen.scoring.protocol import Context, Scored
from molgen.scoring.registry import SCORERS
from molgen.testing import SCORER_SMILES, check_scorer


def build(name):
    record = SCORERS[name]
    params, problems = record.check_params(record.example, "params")
    assert not problems
    return record.build(params, Context(Path(), "default"))


# Those that ask somebody else, or need files, have contract tests of their own.
HERE = [name for name in SCORERS if name not in ("admet", "command", "docking", "http", "qsar")]


@pytest.mark.parametrize("name", HERE)
def test_registered_scorers_keep_the_contract(name):
    check_scorer(build(name))


@pytest.mark.parametrize("name", HERE)
def test_record_and_scorer_say_the_same(name):
    scorer, record = build(name), SCORERS[name]
    assert scorer.name == name
    assert scorer.unit == record.unit


@pytest.mark.parametrize("name", HERE)
def test_default_curve_gives_desirabilities_in_0_1(name):
    from molgen.chem.molecule import Molecule
    from molgen.scoring.transforms import build_transform

    values = build(name)([Molecule(text) for text in SCORER_SMILES]).values
    desirability = build_transform(SCORERS[name].default_transform())(values)
    assert np.array_equal(np.isnan(values), np.isnan(desirability))
    known = desirability[~np.isnan(desirability)]
    assert ((known >= 0) & (known <= 1)).all()


class Sloppy:
    name, unit, cost = "sloppy", "", 1e-3

    def __init__(self, how):
        self.how = how

    def __call__(self, mols):
        values = np.arange(len(mols), dtype=np.float64)
        if self.how == "short":
            values = values[:-1]
        elif self.how == "float32":
            values = values.astype(np.float32)
        elif self.how == "silent":
            values[:] = np.nan
        elif self.how == "infinite":
            values[:] = np.inf
        elif self.how == "both":
            return Scored(values, {0: "failed"})
        return Scored(values)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("short", "shape"),
        ("float32", "not float64"),
        ("silent", "does not say why"),
        ("infinite", "infinite"),
        ("both", "a value and an error"),
        ("by position", "in reverse order"),
    ],
)
def test_the_suite_catches_a_scorer_that_breaks_the_contract(how, words):
    with pytest.raises(AssertionError, match=words):
        check_scorer(Sloppy(how))
