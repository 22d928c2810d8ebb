"""Key paths of `--set`: into sections and entries of lists, and the words where one leads nowhere."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from molgen.core.keypath import assign, join_key, split_key

DATA: dict[str, Any] = {
    "budget": {"molecules": 5},
    "seeds": None,
    "stages": [{"name": "size", "until": {"steps": 3}}, {"name": "quality"}],
    "components": [
        {"use": "qed"},
        {"use": "similarity", "name": "like_a"},
        {"use": "similarity", "name": "like_b"},
        {"use": "logp", "name": "qed2"},
    ],
    "params": {"references": {"1": "CCO"}, "empty": []},
}


def changed(key: str, value: Any = 7) -> tuple[str, dict[str, Any]]:
    data = copy.deepcopy(DATA)
    return assign(data, key, value), data


@pytest.mark.parametrize("key", ["a", "a.b", "a[0]", "a.b[1].c", "a[0][2]"])
def test_key_paths_split_and_join(key: str) -> None:
    assert join_key(split_key(key)) == key


@pytest.mark.parametrize("key", ["", ".a", "a.", "a[x]", "[0]", "a..b"])
def test_broken_key_paths_are_refused(key: str) -> None:
    with pytest.raises(ValueError, match="not a key path"):
        split_key(key)


@pytest.mark.parametrize("key", ["stages[0].until.steps", "stages.0.until.steps", "stages.size.until.steps"])
def test_an_entry_of_a_list_is_reached_by_number_and_by_name(key: str) -> None:
    where, data = changed(key)
    assert where == "stages[0].until.steps"
    assert data["stages"][0] == {"name": "size", "until": {"steps": 7}}
    assert data["stages"][1] == DATA["stages"][1]


def test_a_component_is_reached_by_what_it_uses() -> None:
    where, data = changed("components.qed.transform.low")
    assert where == "components[0].transform.low"
    assert data["components"][0] == {"use": "qed", "transform": {"low": 7}}
    assert changed("components.logp.weight")[0] == "components[3].weight"
    assert changed("components.like_b")[1]["components"][2] == 7


def test_sections_that_are_not_there_are_made_and_digits_are_keys_of_a_mapping() -> None:
    assert changed("seeds.path")[1]["seeds"] == {"path": 7}
    assert changed("output.hazards.screen")[1]["output"] == {"hazards": {"screen": 7}}
    assert changed("params.references.1")[1]["params"]["references"] == {"1": 7}


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("stages[2].only", "stages has no entry 2; it has [0] size, [1] quality"),
        ("stages.siez.only", "stages has no entry 'siez'; did you mean 'size'?"),
        ("stages.zzz", "stages has no entry 'zzz'; it has size, quality"),
        ("components.similarity.weight", "name of 2 entries; say which: components[1] or components[2]"),
        ("params.empty[0]", "params.empty has no entry 0; it is empty"),
        ("others[0].only", "there are no others here to choose from; give the whole list: others=[...]"),
        ("budget[0]", "budget is no list, so it has no entry 0"),
        ("budget.molecules.low", "budget.molecules has no keys below it"),
    ],
)
def test_a_path_that_leads_nowhere_says_where_and_changes_nothing(key: str, words: str) -> None:
    data = copy.deepcopy(DATA)
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are compared as they are
        assign(data, key, 7)
    assert words in str(caught.value)
    assert data == DATA
