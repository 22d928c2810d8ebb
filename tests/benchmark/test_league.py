from __future__ import annotations

import json
from pathlib import Path

import pytest

from molgen.benchmark.league import PREPARED, decide, labeled_by
from molgen.learn.store import read_card
from molgen.models.registry import shipped

ZINC = {"sources": [{"name": "zinc250k"}]}
PLAIN = {"name": "prior", "lineage": {"base": None}, "data": ZINC}


def test_everything_counted_is_league_a() -> None:
    league = decide(["C", "CC", "CCC"], ["C", "CC"], [PLAIN])
    assert league.letter == "A"
    assert not league.reasons


def test_a_prescreen_outside_of_the_count_is_league_c() -> None:
    league = decide(["C"], ["C", "CC", "CCC"], [PLAIN])
    assert league.letter == "C"
    assert league.reasons == ("2 molecules were labeled by the oracle outside of the count",)


@pytest.mark.parametrize(
    ("card", "letter", "words"),
    [
        (
            {"name": "m", "property_labels": ["logP", "QED"], "data": ZINC},
            "B",
            r"trained with property labels \(logP, QED\)",
        ),
        ({"name": "m", "lineage": {"base": "druglike"}}, "B", "fine-tuned on chosen compounds"),
        (
            {"name": "m", "lineage": {"base": "druglike", "run": "abc"}},
            "C",
            "taught by the objective of an earlier",
        ),
    ],
)
def test_what_a_model_knew_before_is_no_league_a(card: dict, letter: str, words: str) -> None:
    import re

    league = decide(["C"], ["C"], [card, PLAIN])
    assert league.letter == letter
    assert re.search(words, league.reasons[0])


def test_a_second_stage_on_the_same_molecules_is_no_outside_knowledge() -> None:
    card = {"name": "m", "lineage": {"base": "first stage", "same_data": True}, "data": ZINC}
    assert decide(["C"], ["C"], [card, PLAIN]).letter == "A"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            {"sources": [{"name": "zinc250k"}, {"name": "chembl-sample"}]},
            "trained on chembl-sample, which may hold",
        ),
        ({"sha256": {"mine.smi": "ab" * 32}}, "trained on mine.smi, which may hold"),
        ({}, "data that its card does not name"),
        ("in words only", "data that its card does not name"),
    ],
)
def test_a_model_of_data_that_may_hold_the_targets_is_league_b(data: object, words: str) -> None:
    league = decide(["C"], ["C"], [{"name": "m", "data": data}])
    assert league.letter == "B"
    assert words in league.reasons[0]


def test_the_shipped_cards_say_their_league() -> None:
    letters = {name: decide([], [], [read_card(path)]).letter for name, path in shipped().items()}
    assert letters["moses"] == letters["zinc250k"] == "A"
    assert letters["druglike"] == "B"


def test_a_training_at_home_on_the_prepared_file_is_league_a() -> None:
    card = {"name": "m", "data": {"sha256": {"data/zinc250k.smi": next(iter(PREPARED))}}}
    assert decide(["C"], ["C"], [card]).letter == "A"


def test_a_reason_is_given_once() -> None:
    card = {"name": "m", "data": {"sources": [{"name": "chembl-sample"}]}}
    assert len(decide(["C"], ["C"], [card, card]).reasons) == 1


def test_seeds_that_come_with_labels_are_league_c() -> None:
    assert decide(["C"], ["C"], [PLAIN], seeds_with_labels=True).letter == "C"


def test_labels_are_read_from_the_journal_of_the_run(tmp_path: Path) -> None:
    journal = tmp_path / "scores.jsonl"
    rows = [
        {"format": 1, "kind": "scores"},
        {"start": ["C", "CC", "N"], "p": "none", "s": "ours"},
        {"m": "C", "p": "none", "s": "ours", "v": 0.5},
        {"m": "CC", "p": "none", "s": "ours", "v": None, "e": "no value"},
        {"m": "O", "p": "none", "s": "another scorer", "v": 0.5},
    ]
    journal.write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"m": "torn", "s": "ours"', "utf-8")
    assert labeled_by(journal, "ours") == ["C", "CC"]
    assert labeled_by(tmp_path / "none.jsonl", "ours") == []
