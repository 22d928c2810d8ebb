"""Feedback begins a next round: it knows the one before, learns, can be killed, and leaves the first run as it was."""

import csv
import os
import signal

import pytest
from rdkit import Chem
from rdkit.Chem import Crippen

import molgen as mg
from molgen.core.errors import ConfigError, DataError, Interrupted, RunError
from molgen.core.schema import OptimizeConfig
from molgen.optimize.memory import Entry
from molgen.run.folder import RunFolder
from molgen.scoring.objective import Objective
from molgen.workflows.round_plan import _preference_in_words

RINGS, ENDS = (
    ("c1ccccc1", "c1ccncc1", "C1CCCCC1", "C1CCNCC1", "c1ccsc1"),
    ("O", "N", "C", "CO", "CCN", "C(=O)N", "CC", "CCC"),
)


def table(path, rows, header):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def ledger(path):
    return [Entry.from_row(row) for row in RunFolder.open(path).ledger.rows()]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A small run that is steered by an activity model of a computed property."""
    place = tmp_path_factory.mktemp("rounds")
    smiles = [Chem.MolToSmiles(Chem.MolFromSmiles(f"{end}{ring}")) for ring in RINGS for end in ENDS]
    values = [round(5 + Crippen.MolLogP(Chem.MolFromSmiles(s)), 3) for s in smiles]
    table(place / "assay.csv", zip(smiles, values, strict=True), ("smiles", "pIC50"))
    mg.qsar_train(place / "assay.csv", "pIC50", place / "activity", models=["gp"], quiet=True)
    config = {
        "kind": "optimize", "name": "small", "model": "druglike", "batch_size": 16, "budget": {"molecules": 48},
        "objective": {"components": [
            {"use": "qsar", "name": "potency", "params": {"model": str(place / "activity")},
             "transform": {"type": "sigmoid", "low": 5, "high": 8}},
            {"use": "qed"},
        ]},
        "output": {"n": 5, "max_similarity": 0.6}, "checkpoint_every": 1, "tracking": {"mlflow": False},
    }  # fmt: skip
    mg.optimize(config, place / "run", quiet=True)
    return place


@pytest.fixture(scope="module")
def liked(place):
    """The run's round 2, with two likes and two dislikes by id."""
    candidates = rows_of(place / "run" / "results" / "candidates.csv")
    verdicts = [
        (row["id"], verdict) for row, verdict in zip(candidates, ("yes", "no", "", "1", "-1"), strict=True)
    ]
    before = (place / "run" / "ledger.jsonl").read_bytes()
    file = table(place / "likes.csv", verdicts, ("id", "like"))
    result = mg.resume(place / "run", feedback=file, overrides=["budget.molecules=20"], quiet=True)
    assert (place / "run" / "ledger.jsonl").read_bytes() == before
    return candidates, result


def test_likes_become_a_component_of_a_next_round(place, liked):
    candidates, result = liked
    assert result.path == place / "run-round2"
    names = {c["name"]: c for c in result.delivery.components}
    assert names["preference"]["role"] == "score"
    assert names["preference"]["weight"] == pytest.approx(1.0)  # half of the others together
    words = " ".join(result.delivery.notes)
    assert "2 likes and 2 dislikes" in words
    assert "33% of the mean" in words
    assert "a budget of its own, 20 molecules" in words
    disliked = {candidates[1]["smiles"], candidates[4]["smiles"]}
    assert not disliked & set(result.to_frame()["smiles"])
    values = {e.smiles: e.values["preference"] for e in ledger(result.path) if e.status == "scored"}
    assert values[candidates[0]["smiles"]] > 0.55 > 0.45 > values[candidates[1]["smiles"]]


def test_the_share_of_the_likes_is_that_of_the_changed_configuration():
    """Weights of the command line were left out of the words."""
    parts = [{"use": "qed", "weight": 2}, {"use": "alerts", "role": "filter"}, {"use": "preference"}]
    words = _preference_in_words(OptimizeConfig(objective={"components": parts}), [True, True, False])
    assert words.startswith("The component preference (weight 1, 33% of the mean)")
    assert words.endswith("from 2 likes and 1 dislikes.")
    parts[2]["role"] = "filter"
    assert "(role filter)" in _preference_in_words(OptimizeConfig(objective={"components": parts}), [True])
    assert "count nowhere" in _preference_in_words(
        OptimizeConfig(objective={"components": parts[:2]}), [True]
    )


def test_the_ledger_of_a_round_says_so_and_what_was_carried_over_is_free(place, liked):
    _, result = liked
    entries, first = ledger(result.path), ledger(place / "run")
    assert {e.round for e in entries} == {2}
    assert {e.round for e in first} == {1}
    carried = [e for e in entries if e.origin == "carried"]
    assert {e.smiles for e in carried} == {e.smiles for e in first if e.status == "scored"}
    assert not any(e.cost for e in carried)
    assert sum(e.cost for e in entries) == 20
    assert not {e.id for e in entries} & {e.id for e in first}
    parents = {f"mg-{e.id}": e.smiles for e in first}
    assert all(parents[e.parents[0]] == e.smiles for e in carried)
    manifest = RunFolder.open(result.path).manifest
    assert manifest["round"]["parent_uid"] == RunFolder.open(place / "run").uid


def test_the_strategy_goes_on_with_what_it_was_taught(liked):
    _, result = liked
    state = RunFolder.open(result.path).latest_checkpoint().state["optimizer"]
    steps = len(list(RunFolder.open(result.path).metrics.rows()))
    assert state["round"] > steps  # the steps of the first round count too
    assert not any("without what it was taught" in word for word in _words(result))


def test_a_strategy_with_other_settings_begins_anew_and_says_so(place, liked):
    result = mg.resume(
        place / "run", feedback=place / "likes.csv", out=place / "other", quiet=True,
        overrides=["budget.molecules=16", "optimizer.params.exploration=2"],
    )  # fmt: skip
    assert any("without what it was taught" in word for word in _words(result))
    state = RunFolder.open(result.path).latest_checkpoint().state["optimizer"]
    assert state["round"] == len(list(RunFolder.open(result.path).metrics.rows()))


def _words(result):
    return RunFolder.open(result.path).manifest["round"]["words"]


def test_the_same_line_shows_the_round_again_and_another_file_is_refused(place, liked):
    _, result = liked
    again = mg.resume(place / "run", feedback=place / "likes.csv", quiet=True)
    assert again.delivery.candidates == result.delivery.candidates
    other = table(place / "other.csv", [("CCO", "yes")], ("smiles", "like"))
    with pytest.raises(RunError, match="with other feedback; go on with it: molgen resume"):
        mg.resume(place / "run", feedback=other, quiet=True)


def test_a_third_round_remembers_the_verdicts_of_the_second(place, liked):
    file = table(place / "third.csv", [("CCOc1ccccc1", "yes")], ("smiles", "like"))
    third = mg.resume(place / "run-round2", feedback=file, overrides=["budget.molecules=3"], quiet=True)
    assert third.path == place / "run-round3"
    verdicts = rows_of(third.path / "feedback" / "preference.csv")
    assert len(verdicts) == 5
    assert sum(c["use"] == "preference" for c in third.delivery.components) == 1


def test_what_to_measure_comes_back_as_feedback_and_the_model_learns(place):
    told = mg.measure(place / "run", 4)
    assert list(told.to_frame()["pIC50"]) == [""] * 4
    frame = told.to_frame()
    frame["pIC50"] = [round(5 + Crippen.MolLogP(Chem.MolFromSmiles(s)), 3) for s in frame["smiles"]]
    frame.to_csv(place / "measured.csv", index=False)
    result = mg.resume(
        place / "run", feedback=place / "measured.csv", out=place / "taught", overrides=["budget.molecules=10"],
        quiet=True,
    )  # fmt: skip
    model = place / "taught" / "feedback" / "models" / "potency"
    before, after = (rows_of(folder / "training.csv") for folder in (place / "activity", model))
    assert len(after) == len(before) + 4
    assert any("potency learned 4 new measurements" in note for note in result.delivery.notes)
    assert not set(frame["smiles"]) & set(result.to_frame()["smiles"]), (
        "what was measured is no idea any more"
    )
    known = mg.measure(place / "taught", 40).to_frame()
    assert not set(frame["smiles"]) & set(known["smiles"])


def test_a_killed_round_resumes_to_the_same_ledger(place, monkeypatch):
    file = table(place / "kill.csv", [("CCOc1ccccc1", "yes"), ("CCCCCCCC", "no")], ("smiles", "like"))
    options = {"feedback": file, "overrides": ["budget.molecules=20"], "quiet": True}
    mg.resume(place / "run", out=place / "whole", **options)
    score, calls = Objective.__call__, []

    def signalled(self, molecules, **more):
        calls.append(1)
        if len(calls) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return score(self, molecules, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Objective, "__call__", signalled)
        with pytest.raises(Interrupted):
            mg.resume(place / "run", out=place / "parts", keep_partial=False, **options)
    mg.resume(place / "parts", quiet=True)
    assert [str(e) for e in ledger(place / "parts")] == [str(e) for e in ledger(place / "whole")]


def test_a_wrong_table_changes_nothing(place):
    bad = table(place / "bad.csv", [("CCO", "perhaps")], ("smiles", "like"))
    with pytest.raises(DataError, match="line 2"):
        mg.resume(place / "run", feedback=bad, out=place / "none", quiet=True)
    assert not (place / "none").exists()
    with pytest.raises(DataError, match="no such file"):
        mg.resume(place / "run", feedback=place / "missing.csv", quiet=True)
    good = table(place / "good.csv", [("CCO", "yes")], ("smiles", "like"))
    with pytest.raises(ConfigError, match="did you mean"):
        mg.resume(
            place / "run", feedback=good, out=place / "none", overrides=["budget.molecule=3"], quiet=True
        )
    assert not (place / "none").exists()
    with pytest.raises(ConfigError, match="add the table with --feedback"):
        mg.resume(place / "run", overrides=["budget.molecules=3"], quiet=True)


def test_measure_without_a_model_says_what_is_missing(place):
    with pytest.raises(ConfigError, match="needs --model"):
        mg.measure(place / "assay.csv", 3)
    with pytest.raises(ConfigError, match="did you mean 'potency'"):
        mg.measure(place / "run", 3, model="potencie")
    listed = table(
        place / "ideas.csv", [("a", "CCCCc1ccccc1"), ("b", "NCCCCO"), ("c", "Cc1ccccc1")], ("id", "smiles")
    )
    told = mg.measure(listed, 2, model=place / "activity", rule="knowledge")
    assert len(told.to_frame()) == 2
    assert "c" not in set(told.to_frame()["id"])
    assert any("measured already" in note for note in told.notes)
