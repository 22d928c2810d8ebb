"""Starter files: what is written is read back as the same configuration."""

from __future__ import annotations

import re
from typing import Any, Literal

import pytest

from molgen.core import config
from molgen.core.schema import OptimizeConfig, TrainConfig
from molgen.core.template import template

VALUES: dict[str, Any] = {
    "kind": "optimize",
    "name": "no",
    "objective": {
        "aggregate": "arithmetic_mean",
        "components": [
            {"use": "qed"},
            {"use": "logp", "transform": {"type": "double_sigmoid", "low": 1, "high": 1e-7}},
            {"use": "similarity", "role": "filter", "params": {"references": ["C#N", "CC: x"], "n": None}},
        ],
    },
    "diversity": None,
    "budget": {"molecules": 3000},
}


@pytest.mark.parametrize("level", ["short", "full"])
def test_a_starter_file_reads_back_as_the_same_configuration(level: Literal["short", "full"]) -> None:
    text = template(OptimizeConfig, VALUES, level, header="Two\nlines")
    assert config.load(text, OptimizeConfig).config == config.load(VALUES, OptimizeConfig).config


def test_every_commented_default_can_be_uncommented() -> None:
    """Taking the comment signs away from ``# key: value`` gives a file that loads, with nothing but defaults in it."""
    text = template(TrainConfig, {"data": [{"path": "x.csv"}]}, "full")
    active = re.sub(r"^( *)# (?=(# | *\w+:( |$)))", r"\1", text, flags=re.MULTILINE)
    assert active != text
    assert config.load(active, TrainConfig).config == config.load(text, TrainConfig).config


def test_descriptions_become_comments_and_own_words_replace_them() -> None:
    text = template(
        OptimizeConfig, VALUES, "full", comments={"objective.components[1].use": "greasy, not too greasy"}
    )
    assert "# distinct molecules scored (cache hits are free)" in text
    assert "- use: logp                           # greasy, not too greasy" in text
    assert text.count("# scorer name") == 1


def test_no_line_runs_out_of_the_screen() -> None:
    text = template(OptimizeConfig, VALUES, "full")
    assert max(len(line) for line in text.splitlines()) <= 130
