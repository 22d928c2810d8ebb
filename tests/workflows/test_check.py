"""The second look finds what the schema cannot know, with the line of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like a model from outside: the check reads only its card."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "card.json").write_text('{"format": 1, "family": "autoregressive", "files": {}}')
    return folder


def problems(source: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        check(source)
    return str(caught.value)


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    return path


def test_a_good_configuration_is_tried_on_three_molecules(tmp_path: Path, model: Path) -> None:
    report = check(write(tmp_path, RUN.format(model=model)))
    assert report.kind == "optimize"
    assert [row["molecule"] for row in report.trial] == ["aspirin", "caffeine", "imatinib"]
    assert all(0 <= row["total"] <= 1 and 0 < row["qed"] < 1 for row in report.trial)


def test_all_problems_of_all_parts_come_at_once_in_order_with_lines(tmp_path: Path) -> None:
    text = (
        RUN.format(model="druglik")
        + "    - use: mol_wieght\n    - use: similarity\n      params: {referenes: [CCO]}\n"
        + "seeds: {path: mine.csv}\noptimizer: {name: reinforc}\npolicy: flatt\n"
        + "output: {n: 50}\nbudget: {molecules: 20}\ndevice: gpu\n"
    )
    (tmp_path / "mine2.csv").write_text("smiles\nCCO\n")
    message = problems(write(tmp_path, text.replace("policy: flatt\n", "")))
    lines = [int(line.split()[1]) for line in message.splitlines()[1:]]
    assert lines == sorted(lines)
    for words in (
        "line 2   model: no model 'druglik'",
        "line 8   objective.components[2].use: unknown scorer 'mol_wieght'; did you mean 'mol_weight'?",
        "line 10  objective.components[3].params.referenes: no such parameter; did you mean 'references'?",
        "line 11  seeds.path: no such file:",
        "did you mean 'mine2.csv'?",
        "line 12  optimizer.name: unknown optimizer 'reinforc'; did you mean 'reinforce'?",
        "line 13  output.n: 50 cannot be delivered from a budget of 20 molecules",
        "line 15  device: unknown device 'gpu'",
    ):
        assert words in message, message


def test_a_bad_policy_is_named_with_its_line(tmp_path: Path, model: Path) -> None:
    message = problems(write(tmp_path, RUN.format(model=model) + "policy: flatt\n"))
    assert "line 8   policy: unknown standardization policy 'flatt'; did you mean 'flat'?" in message


def test_an_own_function_that_always_fails_is_found_before_the_run(tmp_path: Path, model: Path) -> None:
    (tmp_path / "mine.py").write_text("def broken(mol):\n    raise RuntimeError('no license server')\n")
    text = RUN.format(model=model) + "    - use: mine.py:broken\n"
    message = problems(write(tmp_path, text))
    assert "line 8   objective.components[2]" in message
    assert "no license server" in message


def test_a_file_without_molecules_is_found_before_the_run(tmp_path: Path, model: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "words.csv").write_text("smiles\nhello world\nnothing here\n")
    for name in ("empty.csv", "words.csv"):
        assert "line 8   seeds" in problems(
            write(tmp_path, RUN.format(model=model) + f"seeds: {{path: {name}}}\n")
        )


def test_training_configurations_are_checked_too(tmp_path: Path) -> None:
    text = "kind: train\ndata:\n  - path: zinc250\nmodel:\n  family: autoregresive\n"
    message = problems(write(tmp_path, text))
    assert "line 3   data[0].path: no such file" in message
    assert (
        "line 5   model.family: unknown model family 'autoregresive'; did you mean 'autoregressive'?"
        in message
    )
    text = (
        "kind: train\ndata: [{path: zinc250k}]\nmodel:\n  family: autoregressive\n  params:\n    hiden: 3\n"
    )
    assert "line 6   model.params.hiden: no such key; did you mean" in problems(write(tmp_path, text))


def test_a_bare_objective_is_a_configuration_too() -> None:
    report = check({"components": [{"use": "qed"}]})
    assert report.kind == "objective"
    message = problems({"components": [{"use": "qde"}]})
    assert "components[0].use: unknown scorer 'qde'; did you mean 'qed'?" in message
    assert "objective.components" not in message


def test_a_batch_larger_than_the_strategy_pays_for_is_said(tmp_path: Path, model: Path) -> None:
    text = RUN.format(model=model)
    assert not any("pays for" in note for note in check(write(tmp_path, text)).notes)
    notes = " ".join(check(write(tmp_path, text + "batch_size: 48\n"), ["workers=2"]).notes)
    assert "batch_size is 48, but hybrid pays for 16 molecules a step at most; optimizer.params.paid" in notes
    assert "workers is" not in notes
    taught = check(write(tmp_path, text + "batch_size: 48\noptimizer: {name: reinforce}\n"))
    assert not any("pays for" in note for note in taught.notes)


def test_what_the_default_strategy_leaves_out_of_the_model_is_said(tmp_path: Path, model: Path) -> None:
    (note,) = (n for n in check(write(tmp_path, RUN.format(model=model))).notes if "leaves out" in n)
    assert "moves in a latent space (it has none)" in note
