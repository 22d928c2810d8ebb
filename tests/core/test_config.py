"""Strict loading: every problem at once, with line, key path and the likely cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from molgen.core import config
from molgen.core.errors import ConfigError
from molgen.core.schema import OptimizeConfig, TrainConfig

GOOD = """\
name: first
objective:
  components:
    - use: qed
    - {use: logp, weight: 1e-1, transform: {type: double_sigmoid, low: 1, high: 4}}
"""


def problems_of(
    source: object, schema: type = OptimizeConfig, overrides: list[str] | None = None
) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.load(source, schema, overrides or [])  # type: ignore[arg-type]
    return [str(problem) for problem in caught.value.problems]


def test_a_good_text_loads_with_lines_and_defaults() -> None:
    loaded = config.load(GOOD, OptimizeConfig)
    assert loaded.config.objective.components[1].weight == 0.1
    assert loaded.config.budget.molecules == 5000
    assert loaded.lines["objective.components[0].use"] == 4
    assert loaded.lines["objective.components[1].transform.low"] == 5


def test_the_report_has_the_form_of_the_manual(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text(
        "data: [{path: a.csv}]\nmodel:\n  params: {}\n  famly: autoregressive\ntrainer:\n  epochs: none\n"
    )
    with pytest.raises(ConfigError) as caught:
        config.load(path, TrainConfig)
    assert str(caught.value) == (
        "run.yaml: 2 problems, nothing was run\n"
        "  line 4   model.famly: no such key; did you mean 'family'?\n"
        "  line 6   trainer.epochs: must be a number, got 'none'"
    )
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("seed: -1", "seed: must be at least 0, got -1"),
        ("seed: 1.5", "seed: must be a whole number, got 1.5"),
        ("name: a b", "name: may only have the characters [A-Za-z0-9._-], got 'a b'"),
        ("name: 3", "name: must be text (put it into quotes), got 3"),
        (
            "seeds: mine.csv",
            "seeds: must be a mapping (lines of 'key: value'), got 'mine.csv'; write {path: mine.csv}",
        ),
        ("budget: {molecules: many}", "budget.molecules: must be a whole number, got 'many'"),
        ("molecules: 10", "molecules: no such key here; it belongs at budget.molecules"),
        ("tracking: {mlflow: perhaps}", "tracking.mlflow: must be true or false, got 'perhaps'"),
        ("output:", "output: must be a mapping (lines of 'key: value'), got nothing"),
        ("kind: train", "kind: must be optimize, got 'train'"),
        ("name: second", "name: given twice; first on line 1"),
    ],
)
def test_each_mistake_is_named_in_plain_words_on_its_line(line: str, message: str) -> None:
    assert f"line 6   {message}" in problems_of(GOOD + line + "\n")


def test_a_mistyped_required_key_is_one_problem_not_two() -> None:
    assert problems_of("objectiv: {components: [{use: qed}]}") == [
        "line 1   objectiv: no such key; did you mean 'objective'?"
    ]


def test_a_missing_key_points_at_its_section_and_says_what_it_is() -> None:
    (problem,) = problems_of("objective:\n  components:\n    - use: qed\n    - weight: 2\n")
    assert problem.startswith("line 4   objective.components[1].use: required, but not there (scorer name")


def test_problems_come_in_the_order_of_the_file() -> None:
    found = problems_of("seed: 1\nfoo: 1\nobjective: 3\nseed: x\nname: 3\n")
    assert [p[:6] for p in found] == ["line 2", "line 3", "line 4", "line 4", "line 5"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty; `molgen new --list` shows what to start from"),
        ("# only a comment\n", "is empty; `molgen new --list` shows what to start from"),
        ("- a\n", "line 1   must be a mapping (lines of 'key: value'), got a list of 1"),
        ("a:\n\tb: 1\n", "line 2   not valid YAML: a tab in the indentation; YAML allows only spaces there"),
        ("a: b: c\n", "line 1   not valid YAML: a ':' where none can be"),
        ("a: 1\nb: @x\n", "line 2   not valid YAML: found character '@' that cannot start any token"),
        ("a: [1,\n", "line 2   not valid YAML: expected the node content"),
        ("---\na: 1\n---\nb: 1\n", "line 3   not valid YAML: a second document starts here"),
        ("a: !!python/object:os.system x\n", "line 1   not valid YAML: tags such as '!name' are not allowed"),
        ("a: *b\n", "line 1   not valid YAML: found undefined alias 'b'"),
        ("a: &a [*a]\n", "line 1   a[0]: refers to itself"),
        ("a: 1\nb: \x07\n", "line 2   character 7 is not allowed; is this a text file?"),
    ],
)
def test_text_that_is_no_configuration_is_refused_with_its_line(text: str, message: str) -> None:
    assert any(problem.startswith(message) for problem in problems_of(text))


def test_files_that_cannot_be_read_are_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"name: ok\n# caf\xe9\n")
    assert problems_of(tmp_path / "latin.yaml") == ["line 2   not UTF-8 text; save the file as UTF-8"]
    assert problems_of(tmp_path / "none.yaml")[0].startswith("no such file")
    assert problems_of(tmp_path)[0].startswith("cannot be read")
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert config.load(tmp_path / "bom.yaml", OptimizeConfig).config.name == "first"


def test_words_and_numbers_are_what_they_look_like() -> None:
    """``no`` is a name, not False; ``1e-3`` a number, not text; ``010`` an id with its zero; a date is text."""
    text = "objective: {components: [{use: qed, params: {a: no, b: 1e-3, c: 010, d: 2026-11-22, e: '1', f: 0x10}}]}"
    params = config.load(text, OptimizeConfig).config.objective.components[0].params
    assert params == {"a": "no", "b": 0.001, "c": "010", "d": "2026-11-22", "e": "1", "f": "0x10"}


def test_overrides_win_and_their_mistakes_are_told_from_those_of_the_file() -> None:
    loaded = config.load(GOOD, OptimizeConfig, ["budget.molecules=7", "objective.components[0].weight=2.5"])
    assert loaded.config.budget.molecules == 7
    assert loaded.config.objective.components[0].weight == 2.5
    assert problems_of(GOOD, overrides=["budget.molecules=0"]) == [
        "budget.molecules: must be at least 1, got 0 (set on the command line)"
    ]
    assert (
        "objective.components[9].weight: objective.components has no entry 9; it has [0] qed"
        in problems_of(GOOD, overrides=["objective.components[9].weight=1"])[0]
    )
    assert "not of the form key.path=value" in problems_of(GOOD, overrides=["budget"])[0]


def test_a_mistake_below_an_entry_that_was_set_by_its_name_is_one_of_the_command_line() -> None:
    assert problems_of(GOOD, overrides=["objective.components.qed.weight=heavy"]) == [
        "objective.components[0].weight: must be a number, got 'heavy' (set on the command line)"
    ]
    assert problems_of(GOOD, overrides=["stages.0.only=[qed]"]) == [
        "stages.0.only: there are no stages here to choose from; give the whole list: stages=[...] "
        "(set on the command line)"
    ], "the empty section that the path would have made is no second problem"


def test_a_problem_found_later_still_gets_its_line() -> None:
    loaded = config.load(GOOD, OptimizeConfig, ["seed=3"])
    assert loaded.problem("objective.components[1].params.nothing", "x").line == 5
    assert loaded.problem("seed", "x").line is None
    assert loaded.problem("budget.steps", "x").line is None


def test_plain_data_loads_like_text_and_is_left_alone() -> None:
    data = {"objective": {"components": [{"use": "qed"}]}}
    loaded = config.load(data, OptimizeConfig, ["name=other"])
    assert loaded.config.name == "other"
    assert data == {"objective": {"components": [{"use": "qed"}]}}


@pytest.mark.parametrize(
    "value", ["no", "1e-3", "010", "null", "~", "a: b", "# x", "[O-]C", "", " x ", "2026-11-22", "<<"]
)
def test_dumped_text_is_read_back_unchanged(value: str) -> None:
    text = "objective: {components: [{use: qed}]}"
    loaded = config.load(text, OptimizeConfig)
    changed = loaded.config.model_copy(update={"device": value})
    again = config.load(config.dump(changed), OptimizeConfig)
    assert again.config == changed
    assert config.dump(again.config) == config.dump(changed)


def test_dump_writes_every_default_out() -> None:
    text = config.dump(config.load(GOOD, OptimizeConfig).config)
    assert "molecules: 5000" in text
    assert "checkpoint_every: 10" in text
