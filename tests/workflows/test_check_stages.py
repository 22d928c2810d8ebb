"""Mistakes of a curriculum and of a Pareto reward are found before any work, each at its key."""

from __future__ import annotations

from pathlib import Path

import pytest

from molgen.core.errors import ConfigError
from molgen.workflows.check import check

RUN = """\
name: a
model: {model}
objective:
  components:
    - use: qed
    - use: logp
      transform: {{type: double_sigmoid, low: 1, high: 4}}
"""


@pytest.fixture
def run(tmp_path: Path) -> str:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "card.json").write_text('{"format": 1, "family": "autoregressive", "files": {}}')
    return RUN.format(model=folder)


def told(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        check(text)
    return str(caught.value)


def test_every_stage_is_looked_into_with_its_keys_and_lines(run: str) -> None:
    message = told(
        run
        + """\
stages:
  - name: final
    only: [qedd]
    until: {steps: 5}
  - name: two
    weights: {logp: 0, mw: 2}
    until: {}
  - name: two
    objective:
      reward: pareto
      components:
        - {use: similarity, params: {referenes: [CCO]}}
    only: [qed]
    until: {molecules: 6000}
"""
    )
    for words in (
        "stages[0].name: 'final' is the name of the last stage",
        "line 10  stages[0].only[0]: 'qedd' is no score or penalty of the objective; did you mean 'qed'?",
        "stages[1].weights.logp: must be above 0",
        "stages[1].weights.mw: no such component in the objective",
        "stages[1].until: nothing ends this stage",
        "stages[2].name: 'two' is already the name of stages[1]",
        "stages[2].only: changes the run's objective, but this stage has one of its own",
        "stages[2].objective.reward: pareto needs two components of role score or penalty, there is 1",
        "stages[2].objective.components[0].params.referenes: no such parameter; did you mean 'references'?",
        "stages[2].until.molecules: the stages may use 6000 molecules of a budget of 5000",
    ):
        assert words in message, message


def test_a_scorer_that_fails_in_a_stage_was_found_only_when_the_stage_began(run: str, tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text("def broken(smiles):\n    raise ValueError('never')\n")
    own = f'{{components: [{{use: "{tmp_path}/s.py:broken"}}]}}'
    message = told(run + f"stages:\n  - name: one\n    objective: {own}\n    until: {{steps: 3}}\n")
    assert "stages[0].objective.components[0]: broken failed on all three test molecules" in message


def test_a_misspelled_scorer_of_a_stage_is_named_also_where_the_schema_refuses(run: str) -> None:
    message = told(
        run + "stages:\n  - name: one\n    objective: {components: [{use: qedd}]}\n    until: {stepps: 3}\n"
    )
    assert "stages[0].objective.components[0].use: unknown scorer 'qedd'; did you mean 'qed'" in message
    assert "stages[0].until.stepps: no such key; did you mean 'steps'?" in message


def test_a_pareto_reward_needs_two_wishes_and_says_what_orders_the_list(run: str) -> None:
    one = run.replace(
        "    - use: logp\n      transform: {type: double_sigmoid, low: 1, high: 4}\n",
        "    - {use: logp, role: filter, transform: {type: step, high: 4}}\n",
    )
    assert "objective.reward: pareto needs two components" in told(
        one.replace("  comp", "  reward: pareto\n  comp")
    )
    report = check(run.replace("  comp", "  reward: pareto\n  comp"))
    assert any("output.ranking is score" in note for note in report.notes)
