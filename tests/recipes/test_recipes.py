"""Every starter configuration loads, says what it is for, and passes the check where its files exist."""

from __future__ import annotations

from typing import Literal

import pytest

from molgen import recipes
from molgen.core import config
from molgen.core.errors import ConfigError
from molgen.models.registry import shipped
from molgen.optimize.registry import strategy


@pytest.mark.parametrize("level", ["short", "full"])
@pytest.mark.parametrize("name", recipes.names())
def test_what_molgen_new_writes_is_the_recipe(name: str, level: Literal["short", "full"]) -> None:
    recipe = recipes.get(name)
    written = config.load(recipe.write(level), recipe.schema)
    assert written.config == config.load(recipe.values, recipe.schema).config
    assert recipe.summary
    assert written.text.startswith(f"# {recipe.summary}")


def test_the_words_of_a_recipe_reach_the_file() -> None:
    assert "drug-likeness (Bickerton 2012)" in recipes.get("denovo").write()


def test_a_mistyped_recipe_gets_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="unknown recipe 'denov'; did you mean 'denovo'"):
        recipes.get("denov")


@pytest.mark.parametrize("name", recipes.names())
def test_a_model_that_a_recipe_names_is_shipped_and_its_strategy_exists(name: str) -> None:
    """``my_...`` stands for a model that the user makes first."""
    values = recipes.get(name).values
    named = values.get("model") if values["kind"] == "optimize" else values.get("base")
    assert named is None or named.startswith("my_") or named in shipped()
    if "optimizer" in values:
        strategy(values["optimizer"]["name"], values["optimizer"].get("params", {}))
