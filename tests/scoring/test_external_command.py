"""A program as a scorer: a local script that counts its calls and can be told to fail in every way that programs do."""

import json
import math
import sys
import threading
import time

import numpy as np
import pytest

from molgen.chem.molecule import Molecule
from molgen.core.errors import ConfigError, Interrupted, ScorerError
from molgen.core.schema import ObjectiveConfig
from molgen.scoring.objective import build_objective
from molgen.scoring.protocol import Context
from molgen.scoring.registry import SCORERS
from molgen.testing import check_scorer

SCRIPT = """
import csv, json, sys, time
mode, log = sys.argv[1], sys.argv[2]
text = open(sys.argv[3]).read() if len(sys.argv) > 3 else sys.stdin.read()
rows = [line.split() for line in text.splitlines()]
with open(log, "a") as file:
    file.write(" ".join(smiles for smiles, _ in rows) + "\\n")
if mode == "once" and len(open(log).readlines()) == 1:
    sys.exit("not yet")
if mode == "always" or mode == "bad S" and any("S" in smiles for smiles, _ in rows):
    print("warming up\\nno license for sulfur", file=sys.stderr)
    sys.exit(3)
if mode == "hang" and any("S" in smiles for smiles, _ in rows):
    time.sleep(60)
if mode == "json":
    found = [{"smiles": s, "score": len(s), "pose": k} for k, (s, _) in enumerate(rows)]
    json.dump({"results": found[::-1]}, sys.stdout)
    sys.exit()
if mode == "text":
    sys.exit(print("Segmentation fault (core not dumped)"))
out = open(sys.argv[4], "w") if len(sys.argv) > 4 else sys.stdout
table = csv.writer(out)
table.writerow(["id", "score", "error"])
for smiles, name in reversed(rows):
    if smiles == "CCO":
        table.writerow([name, "", "too small to dock"])
    elif smiles == "CCN":
        table.writerow([name, "-7,2", ""])
    elif smiles != "CCC":
        table.writerow([name, len(smiles) / 100, ""])
"""


@pytest.fixture
def program(tmp_path):
    (tmp_path / "dock.py").write_text(SCRIPT)

    def make(mode, *more, **params):
        command = [sys.executable, "dock.py", mode, str(tmp_path / "log"), *more]
        given = {"command": command, "wait": 0, "retries": 0, **params}
        record = SCORERS["command"]
        parsed, problems = record.check_params(given, "params")
        assert not problems, problems
        return record.build(parsed, Context(tmp_path))

    return make


def calls(tmp_path):
    return (tmp_path / "log").read_text().splitlines()


def mols(*smiles):
    return [Molecule(text) for text in smiles]


def test_it_keeps_the_contract(program):
    check_scorer(program("csv"), ["CCCC", "CCO", "c1ccccc1"])


def test_rows_find_their_molecules_and_what_has_none_says_why(program, tmp_path):
    scored = program("csv")(mols("CCCC", "CCO", "CCN", "CCC"))
    assert scored.values[0] == 0.04
    assert np.isnan(scored.values[1:]).all()
    assert scored.errors == {1: "too small to dock", 2: "not a number: '-7,2'", 3: "not in the answer"}
    assert calls(tmp_path) == ["CCCC CCO CCN CCC"]


@pytest.mark.parametrize("more", [("{input}", "{output}"), ("{input}",)])
def test_files_instead_of_standard_input_and_output(program, more):
    assert program("csv", *more)(mols("CCCC", "CCCCC")).values.tolist() == [0.04, 0.05]


def test_json_by_smiles_with_further_columns_as_evidence(program):
    scorer = program("json", answer="json", evidence=["pose"])
    molecules = mols("CC", "CCCC")
    assert scorer(molecules).values.tolist() == [2, 4]
    assert scorer.evidence(molecules[::-1]) == {"pose": [1, 0]}


def test_no_shell_sees_the_arguments(program, tmp_path):
    program("csv; touch hacked", "{input}")(mols("CCCC"))
    assert not (tmp_path / "hacked").exists()


def test_batches_of_the_size_that_was_asked(program, tmp_path):
    program("csv", batch_size=2)(mols("CCCC", "CCCCC", "CCCCCC"))
    assert calls(tmp_path) == ["CCCC CCCCC", "CCCCCC"]


def test_a_call_that_failed_once_is_repeated(program, tmp_path):
    assert program("once", retries=1)(mols("CCCC")).values.tolist() == [0.04]
    assert calls(tmp_path) == ["CCCC", "CCCC"]


def test_one_bad_molecule_did_not_cost_its_whole_batch(program):
    scored = program("bad S")(mols("CCCC", "CCSC", "CCCCC", "CCCCCC"))
    assert np.isnan(scored.values).tolist() == [False, True, False, False]
    assert scored.errors == {1: "ended with exit code 3: no license for sulfur"}


def test_one_that_hangs_is_ended_and_costs_only_itself(program):
    scored = program("hang", time_limit=3, batch_size=1)(mols("CCCC", "CS"))
    assert scored.values[0] == 0.04
    assert scored.errors == {1: "timed out after 3 s"}


def test_a_broken_program_ends_the_run_instead_of_failing_every_molecule(program, tmp_path):
    with pytest.raises(ScorerError, match=r"failed 3 times in a row.*exit code 3: no license.*molgen resume"):
        program("always", give_up_after=3)(mols(*["C" * k for k in range(4, 20)]))
    assert len(calls(tmp_path)) == 3


@pytest.mark.parametrize(
    ("mode", "params", "words"),
    [
        ("text", {}, "the answer has no rows: Segmentation fault"),
        ("csv", {"answer": "json"}, "the answer is no JSON"),
        (
            "json",
            {"answer": "json", "column": "affinity"},
            "has no column 'affinity'; it has: smiles, score, pose",
        ),
    ],
)
def test_an_answer_that_is_none_is_a_reason_and_no_number(program, mode, params, words):
    scored = program(mode, **params)(mols("CCCC"))
    assert np.isnan(scored.values).all()
    assert words in scored.errors[0]


def test_a_stop_drops_the_call_in_flight(program):
    scorer = program("hang")
    asked = threading.Event()
    scorer.heed(lambda: asked.set() or "SIGTERM")
    before = time.monotonic()
    with pytest.raises(Interrupted, match="SIGTERM"):
        scorer(mols("CS"))
    assert asked.is_set()
    assert time.monotonic() - before < 50, "it waited for the program"


def test_kept_values_are_not_asked_again_failures_are(program, tmp_path):
    kept = {"cache": "kept/dock.jsonl"}
    program("bad S", **kept)(mols("CCCC", "CS"))
    before = len(calls(tmp_path))
    with (tmp_path / "kept" / "dock.jsonl").open("a") as file:
        file.write('{"s": "torn by a ki')
    again = program("bad S", **kept)(mols("CCCC", "CS"))
    assert again.values[0] == 0.04
    assert calls(tmp_path)[before:] == ["CS"]
    program("bad S", **kept)(mols("CCCCC"))
    assert program("bad S", **kept)(mols("CCCCC")).values.tolist() == [0.05]
    assert calls(tmp_path)[before + 1 :] == ["CCCCC"]
    program("bad S", version="2", **kept)(mols("CCCC"))
    assert calls(tmp_path)[before + 2 :] == ["CCCC"], "another version has values of its own"
    (tmp_path / "kept" / "dock.jsonl").write_text("smiles,score\n")
    with pytest.raises(ScorerError, match="line 1 is no kept value"):
        program("bad S", **kept)


def test_the_values_depend_on_the_script_and_the_files(program, tmp_path):
    (tmp_path / "receptor.pdb").write_text("ATOM")
    first = program("csv", files=["receptor.pdb"])
    assert {name.rpartition("/")[2] for name in first.files} == {"dock.py", "receptor.pdb"}
    (tmp_path / "receptor.pdb").write_text("ATOM 2")
    assert program("csv", files=["receptor.pdb"]).fingerprint != first.fingerprint
    assert program("csv", batch_size=7).fingerprint == program("csv").fingerprint


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"command": ["no-such-program-of-ours"]}, "no program 'no-such-program-of-ours' on the PATH"),
        ({"command": ["./none.sh"]}, "no program './none.sh' at"),
        ({"command": [sys.executable], "files": ["none.pdb"]}, "there is no file"),
    ],
)
def test_what_is_missing_is_told_before_anything_runs(params, words, tmp_path):
    config = ObjectiveConfig.model_validate({"components": [{"use": "command", "params": params}]})
    with pytest.raises(ConfigError, match=words):
        build_objective(config, base_dir=tmp_path)


def test_an_objective_asks_in_whole_batches_and_only_for_those_that_passed(program, tmp_path):
    program("csv")
    command = [sys.executable, "dock.py", "csv", str(tmp_path / "log")]
    transform = {"type": "linear", "low": 0, "high": 0.1}
    config = ObjectiveConfig.model_validate(
        {
            "components": [
                {"use": "command", "name": "dock", "params": {"command": command}, "transform": transform},
                {"use": "mol_weight", "role": "filter", "transform": {"type": "step", "high": 80}},
            ]
        }
    )  # fmt: skip
    with build_objective(config, base_dir=tmp_path, workers=2) as built:
        table = built(mols("CCCC", "CCCCC", "CCCCCCCC", "CCO"))
        assert table.total[:3].tolist() == [pytest.approx(0.4), pytest.approx(0.5), 0.0]
        assert math.isnan(table.total[3])
        assert table.reasons[3] == "dock: no value (too small to dock)"
        built(mols("CCCC"))
        assert built.describe()[0]["summary"].startswith("value of the command python")
    assert calls(tmp_path) == ["CCCC CCCCC CCO"], (
        "one batch, without the filtered; the second time from the cache"
    )
    assert json.loads(json.dumps(built.user_files))
