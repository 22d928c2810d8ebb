"""A score that is gamed is told from one that is not, by a control that nobody optimizes."""

import numpy as np
import pytest

from molgen.core.errors import ConfigError
from molgen.core.schema import ObjectiveConfig
from molgen.optimize.control import GROUP, Pair, gap, pairs_of
from molgen.optimize.memory import CARRIED, Entry, Memory
from molgen.optimize.watch import Watch
from molgen.scoring.objective import build_objective
from molgen.testing import RandomOptimizer

PAIR = Pair("control", "activity")


def memory(watched, control, origin="x", seed=1):
    """Molecules in time, with noise that a real model has."""
    rng = np.random.default_rng(seed)
    entries = [
        Entry(k, k // 10 + 1, origin, (), f"C{k}", f"C{k}", "scored", float(w), float(w), {},
              {"activity": float(np.clip(w + rng.normal(0, 0.1), 0, 1)),
               "control": float(np.clip(c + rng.normal(0, 0.1), 0, 1))})
        for k, (w, c) in enumerate(zip(watched, control, strict=True))
    ]  # fmt: skip
    return Memory(entries)


RISING, FLAT = np.linspace(0.2, 0.8, 600), np.full(600, 0.3)


def test_a_control_that_stays_behind_raises_the_alarm_in_words():
    found = gap(PAIR, memory(RISING, FLAT))
    assert found is not None
    assert found.gamed
    assert "activity rose by 0.5" in found.words()
    told = Watch([PAIR]).findings(memory(RISING, FLAT))
    assert list(told) == ["gaming control"]
    assert "may be gamed" in told["gaming control"]


@pytest.mark.parametrize(
    "control", [RISING, 0.2 + 0.6 * (RISING - 0.2), RISING - 0.1], ids=["equal", "weaker", "lower"]
)
@pytest.mark.parametrize("seed", range(5))
def test_a_control_that_follows_raises_none(control, seed):
    assert not gap(PAIR, memory(RISING, control, seed=seed)).gamed


@pytest.mark.parametrize("seed", range(5))
def test_a_score_that_does_not_rise_raises_none(seed):
    assert not gap(PAIR, memory(FLAT, FLAT, seed=seed)).gamed


def test_start_and_end_must_be_different_molecules_of_the_search_itself():
    short = memory(RISING[: 3 * GROUP - 1], FLAT[: 3 * GROUP - 1])
    assert gap(PAIR, short) is None
    assert gap(PAIR, memory(RISING, FLAT, origin=CARRIED)) is None
    assert gap(PAIR, memory(RISING, FLAT, origin="seed")) is None


def test_the_alarm_is_logged_once_until_its_cause_is_gone():
    watch = Watch([PAIR])
    gamed, honest = memory(RISING, FLAT), memory(RISING, RISING)
    assert len(watch.alarms(20, gamed)) == 1
    assert watch.alarms(40, gamed) == []
    assert watch.alarms(60, honest) == []
    assert len(watch.alarms(80, gamed)) == 1
    copy = Watch([PAIR])
    copy.load_state(watch.state())
    assert copy.alarms(100, gamed) == []


def objective(**control):
    parts = [
        {"use": "qed"},
        {"use": "logp", "name": "greasy", "transform": {"type": "sigmoid", "low": 0, "high": 4}},
        {"role": "control", **control},
    ]
    return ObjectiveConfig.model_validate({"components": parts})


def test_a_control_has_the_curve_of_what_it_watches_and_no_part_in_the_total():
    from molgen.chem.molecule import Molecule

    mols = [Molecule("CCO"), Molecule("CCCCCCc1ccccc1")]
    with build_objective(objective(use="tpsa", watches="greasy")) as built:
        table = built(mols)
        (told,) = pairs_of(built.describe())
    assert told == Pair("tpsa", "greasy")
    expected = np.exp((np.log(table.desirability["qed"]) + np.log(table.desirability["greasy"])) / 2)
    assert table.total == pytest.approx(expected)
    assert "tpsa" not in table.contribution
    assert table.desirability["tpsa"][0] == pytest.approx(
        1.0, abs=1e-6
    )  # 20 square angstrom on the curve of logP


def test_without_a_name_the_control_watches_the_score_of_the_same_scorer_else_the_total():
    for use, name, watched in (("logp", "control", "greasy"), ("mol_weight", "weight", "")):
        with build_objective(objective(use=use, name=name)) as built:
            assert pairs_of(built.describe()) == [Pair(name, watched)]


def test_a_control_without_a_value_costs_nothing(tmp_path):
    (tmp_path / "nothing.py").write_text("def nothing(mol):\n    return None\n")
    from molgen.chem.molecule import Molecule

    with build_objective(objective(use="nothing.py:nothing"), base_dir=tmp_path) as built:
        table = built([Molecule("CCO")])
    assert table.total[0] > 0
    assert table.passed[0]


@pytest.mark.parametrize(
    ("control", "words"),
    [({"use": "tpsa", "watches": "gresy"}, "did you mean 'greasy'"),
     ({"use": "tpsa", "role": "score", "watches": "qed"}, "only for a component of role control")],
)  # fmt: skip
def test_a_control_of_nothing_is_refused_in_words(control, words):
    with pytest.raises(ConfigError, match=words):
        build_objective(objective(**control))


def test_the_ledger_says_what_was_paid_and_how_long_it_took(make_search):
    search = make_search(budget={"molecules": 100, "steps": 8})
    search.run()
    entries = [Entry.from_row(row) for row in search.folder.ledger.rows()]
    assert sum(e.cost for e in entries) == search.memory.calls == len({e.smiles for e in entries if e.smiles})
    assert all(e.cost == 0 for e in entries if e.status in ("invalid", "duplicate"))
    assert all(e.seconds > 0 for e in entries if e.cost)
    rows = list(search.folder.metrics.rows())
    assert all(row["best_score"] >= row["top10_score"] >= row["top100_score"] for row in rows)


def test_what_was_carried_over_is_scored_and_free(make_search):
    from molgen.optimize.protocol import Proposal

    search = make_search(
        optimizer=RandomOptimizer(["CCO", "CCN", "CCC", "CCCC", "CCCO"], 1), budget={"molecules": 3}
    )
    search.run([Proposal(k, text, CARRIED) for k, text in enumerate(("CCO", "c1ccccc1C", "CCNC"))])
    entries = [Entry.from_row(row) for row in search.folder.ledger.rows()]
    assert [e.cost for e in entries[:3]] == [0, 0, 0]
    assert search.memory.calls == 3
    assert len(search.memory.first) == 6
