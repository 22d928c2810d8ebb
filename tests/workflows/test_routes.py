"""molgen routes with a stand-in for AiZynthFinder: answers, failures and late ones are told molecule by molecule."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from molgen.cli import run
from molgen.core.errors import ConfigError
from molgen.scoring.synthesizability.aizynth import AiZynth
from molgen.workflows.routes import routes

#: Writes what version 4.4 writes: a pandas table of JSON, one line a molecule beside it, SMILES in its own spelling.
PROGRAM = """#!{python}
import gzip, json, sys, time
from pathlib import Path
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
how = Path(given["--config"]).read_text().strip()
targets = Path(given["--smiles"]).read_text().split()
if how == "fails":
    print("no model file"); sys.exit(3)
def tree(solved):
    return {{"type": "mol", "hide": False, "smiles": "X", "is_chemical": True, "in_stock": False,
             "metadata": {{"created_at_iteration": 1, "is_solved": solved}}, "scores": {{"state score": 0.9}},
             "children": [{{"type": "reaction", "smiles": "r", "is_reaction": True, "metadata": {{}}, "children": [
        {{"type": "mol", "smiles": "CCO", "in_stock": True}}, {{"type": "mol", "smiles": "CC(=O)O", "in_stock": solved}}
    ]}}]}}
rows = [{{"index": i, "target": {{"c1ccccc1": "C1=CC=CC=C1"}}.get(t, t), "is_solved": i == 0, "number_of_steps": 1 + i,
         "top_score": 0.9, "trees": [tree(i == 0)]}} for i, t in enumerate(targets)]
if how == "front":
    for row in rows:
        row.update(is_solved="False|True", number_of_steps="2|3", top_score=None, trees=[tree(False), tree(True)])
if how == "late":
    time.sleep(60)
if how == "dies":
    done = {{"processed_smiles": targets[0], "results": rows[0]}}
    Path(given["--checkpoint"]).write_text(json.dumps(done) + '\\n{{"processed_smiles": "c1c')
    print("out of memory"); sys.exit(1)
if how == "short":
    rows = rows[1:]
text = "garbage" if how == "garbage" else json.dumps({{"schema": {{}}, "data": rows}})
if how != "silent":
    with gzip.open(given["--output"], "wt") as stream:
        stream.write(text)
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "aizynthcli"
    path.write_text(PROGRAM.format(python=sys.executable), encoding="utf-8")
    path.chmod(0o755)
    (tmp_path / "best.csv").write_text(
        "id,smiles\nm1,CC(=O)OCC\nm2,O=C(NCc1ccccc1)c1ccncc1\nm3,CP(=O)(F)OC\n", encoding="utf-8"
    )
    (tmp_path / "blocks.smi").write_text("NCc1ccccc1 B1\nOC(=O)c1ccncc1 B2\n", encoding="utf-8")
    return path


def answer(program: Path, how: str, seconds: float = 30.0) -> list[tuple[object, str]]:
    config = program.with_name("config.yml")
    config.write_text(how, encoding="utf-8")
    plans = AiZynth(str(program), config, seconds, start=0).plan(["CC(=O)OCC", "c1ccccc1"])
    return [(plan.solved, plan.why) for plan in plans]


def test_its_answer_is_read(program: Path) -> None:
    assert answer(program, "works") == [
        (True, ""),
        (False, "no route to its stock found; not in it: CC(=O)O"),
    ]


def test_a_front_of_routes_is_solved_by_its_first_solved_one(program: Path) -> None:
    config = program.with_name("config.yml")
    config.write_text("front", encoding="utf-8")
    (plan,) = AiZynth(str(program), config).plan(["CC(=O)OCC"])
    assert (plan.solved, plan.steps, plan.score, plan.route) == (True, 3, None, "CCO + CC(=O)O")


def test_a_molecule_that_it_leaves_out_does_not_cost_the_others_their_answers(program: Path) -> None:
    assert answer(program, "short") == [
        (None, "it left this molecule out: it could not begin a search with it"),
        (False, "no route to its stock found; not in it: CC(=O)O"),
    ]


def test_its_configuration_is_read_where_the_user_is(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yml").write_text("works", encoding="utf-8")
    (plan,) = AiZynth(str(program), Path("config.yml")).plan(["CC(=O)OCC"])
    assert plan.solved


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("fails", "ended with code 3: no model file"),
        ("garbage", "cannot be read"),
        ("silent", "wrote no JSON file"),
    ],
)
def test_a_failure_is_a_reason_and_no_exception(program: Path, how: str, words: str) -> None:
    for solved, why in answer(program, how):
        assert solved is None
        assert words in why


def test_a_late_program_is_ended(program: Path) -> None:
    assert answer(program, "late", seconds=0.2) == [(None, "no answer within 0.4 s")] * 2


def test_what_was_done_before_it_died_is_kept(program: Path) -> None:
    assert answer(program, "dies") == [(True, ""), (None, "ended with code 1: out of memory")]


def test_a_missing_program_is_named_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="environment of its own"):
        AiZynth("no-such-aizynthcli", tmp_path)


def test_both_ways_of_looking_side_by_side_and_hazards_withheld(program: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yml"
    config.write_text("works", encoding="utf-8")
    result = routes(
        tmp_path / "best.csv",
        blocks=tmp_path / "blocks.smi",
        aizynthcli=str(program),
        config=config,
        quiet=True,
    )
    first, second = result.rows
    assert second["route"] == "1. amide coupling: B2 + B1"
    assert (second["steps"], second["share_from_blocks"]) == (1, 1.0)
    assert first["steps"] is None
    assert (first["aizynth_solved"], first["aizynth_blocks"]) == (True, "CCO + CC(=O)O")
    assert any("withheld by the hazard screen" in note for note in result.notes)
    assert "1 from your blocks in at most two reactions and for 1 by AiZynthFinder" in result.caption()


def test_the_command_needs_something_to_look_with(program: Path, tmp_path: Path) -> None:
    best, blocks, out = (str(tmp_path / name) for name in ("best.csv", "blocks.smi", "out.csv"))
    assert run(["routes", best]) == 2
    assert run(["routes", best, "--blocks", blocks, "-o", out, "--top", "2"]) == 0
    assert "amide coupling" in Path(out).read_text(encoding="utf-8")
