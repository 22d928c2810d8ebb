"""Every starter configuration loads, says what it is for, and passes the check where its files exist."""

from __future__ import annotations

from typing import Literal

import pytest

from molgen import recipes
from molgen.core import config
from molgen.core.errors import ConfigError


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
