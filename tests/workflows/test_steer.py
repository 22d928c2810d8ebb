"""Property-guided search with a toy whose property head is right, wrong, or right near the molecules only."""

import math

import numpy as np
import pytest
import torch

from molgen.core.errors import ConfigError, ModelError
from molgen.models.latent.prior import NormalPrior
from molgen.testing import ToyLatent
from molgen.workflows.steer import steer


class Toy(ToyLatent):
    """Its head reads the number of oxygens, times ``bias``."""

    properties = {"oxygens": (4.0, 2.0)}  # noqa: RUF012

    def __init__(self, bias: float = 1.0) -> None:
        self.prior, self.bias = NormalPrior(4), bias

    def predict(self, z):
        return self.bias * (4 + 2 * z[:, 2:3])


def oxygens(mol) -> float:
    return float(sum(atom.GetAtomicNum() == 8 for atom in mol.GetAtoms()))


@pytest.mark.parametrize(("towards", "sign"), [("higher", 1), ("lower", -1)])
def test_it_moves_the_real_property_where_the_head_is_right(towards, sign):
    result = steer(Toy(), "oxygens", towards=towards, scorer=oxygens, n=12, steps=20, caution=0.0)
    assert sign * float((result.real - result.before).mean()) > 1
    assert np.median(np.abs(result.gap)) < 0.6  # half an atom: points are rounded to molecules
    assert result.real.tolist() == sorted(result.real, reverse=sign > 0)
    assert "of the promised change is real" in result.caption()


def test_a_target_is_approached_from_both_sides():
    result = steer(Toy(), "oxygens", towards=6.0, scorer=oxygens, n=12, steps=80, caution=0.0)
    assert np.abs(result.real - 6).max() <= 1


def test_a_head_that_promises_too_much_is_found_out():
    honest = steer(Toy(), "oxygens", scorer=oxygens, n=12)
    boasting = steer(Toy(bias=3.0), "oxygens", scorer=oxygens, n=12)
    assert abs(honest.gap.mean()) < 0.5
    assert boasting.gap.mean() > 5
    assert f"gap {boasting.gap.mean():+.3g}" in boasting.caption()


def test_caution_keeps_the_ways_where_molecules_are():
    bold = steer(Toy(), "oxygens", scorer=oxygens, n=12, steps=60, caution=0.0)
    careful = steer(Toy(), "oxygens", scorer=oxygens, n=12, steps=60, caution=8.0)
    assert careful.log_prior.mean() > bold.log_prior.mean() + 1


def test_it_begins_at_a_compound_and_shows_it_in_a_notebook():
    start = "CCCCNNNNOOOOSSSS"
    result = steer(Toy(), "oxygens", start=start, scorer=oxygens, n=6, jitter=0.2)
    assert set(result.before) == {4.0}
    assert result.similarity is not None
    assert result.similarity.max() > 0.4
    assert "<svg" in result._repr_html_()
    assert result.to_frame().columns.tolist() == [
        "smiles", "claim", "real", "gap", "reread", "before", "log_prior", "similarity",
    ]  # fmt: skip


def test_a_molecule_without_a_real_value_is_left_out():
    result = steer(Toy(), "oxygens", scorer=lambda mol: math.nan, n=4)
    assert len(result) == 0
    assert result.caption() == "none of 4 ways ended at a molecule with a value"
    assert result.to_frame().empty


def test_mistakes_are_named():
    with pytest.raises(ConfigError, match=r"unknown property 'oxigens'.*oxygens"):
        steer(Toy(), "oxigens")
    with pytest.raises(ConfigError, match="nothing computes the property 'oxygens'"):
        steer(Toy(), "oxygens")
    with pytest.raises(ConfigError, match="must be higher, lower or a number, not 'up'"):
        steer(Toy(), "oxygens", towards="up", scorer=oxygens)
    with pytest.raises(ModelError, match="cannot read properties from points"):
        steer(ToyLatent(), "oxygens", scorer=oxygens)


def test_the_slope_does_not_touch_the_weights():
    model = Toy()
    head = torch.nn.Linear(4, 1)
    model.predict = head  # type: ignore[method-assign]
    steer(model, "oxygens", scorer=oxygens, n=3, steps=2)
    assert head.weight.grad is None
