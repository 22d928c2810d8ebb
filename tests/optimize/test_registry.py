"""The default strategy, and what each strategy cannot do with each shipped model."""

import pytest

from molgen.core.schema import DEFAULT_STRATEGY, OptimizerConfig
from molgen.learn.store import read_card
from molgen.models.registry import family, shipped
from molgen.optimize.registry import STRATEGIES, left_out, strategy


def words(model: str, name: str = DEFAULT_STRATEGY, **params: object) -> str:
    able = family(read_card(shipped()[model])["family"]).capabilities
    return left_out(*strategy(name, params), model, able)


def test_the_default_is_a_strategy_that_runs_on_every_model() -> None:
    assert OptimizerConfig().name == DEFAULT_STRATEGY == "hybrid"
    assert not STRATEGIES[DEFAULT_STRATEGY].needs


@pytest.mark.parametrize("model", sorted(shipped()))
def test_what_the_default_leaves_out_of_a_shipped_model_is_said(model: str) -> None:
    said = words(model)
    taught, points = "teaching it" not in said, "latent space" not in said
    autoregressive = model in ("druglike", "moses", "zinc250k")
    assert taught == autoregressive
    assert points == (not autoregressive)
    assert repr(model) in said


def test_what_was_switched_off_is_not_missed() -> None:
    assert words("druglike", parts=["language_model", "surrogate"]) == ""
    assert words("graph-gan-qm9", parts=["genetic", "surrogate"]) == ""
    assert words("druglike", "reinforce") == words("druglike", "genetic") == ""
