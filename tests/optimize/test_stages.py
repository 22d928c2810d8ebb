"""Stages of a curriculum: each judged by its own objective, nothing paid twice, and the same after a resume."""

import math

import pytest

from molgen.core.schema import OptimizeConfig
from molgen.optimize.memory import Entry
from molgen.optimize.rank import choose, funnel
from molgen.optimize.session import _stages
from molgen.scoring.cache import ScoreCache

#: `dear` writes down every call: what is paid for. As an own function it is costly enough to be kept.
SCORES = """
from pathlib import Path

def _pay(name, smiles):
    with open(Path(__file__).with_name(name + ".txt"), "a") as file:
        file.write(smiles + "\\n")

def dear(smiles):
    _pay("dear", smiles)
    return min(1.0, len(smiles) / 12)

def dearer(smiles):
    _pay("dearer", smiles)
    return 0.5 if "N" in smiles else 0.9
"""
FINAL = {
    "components": [
        {"use": "qed", "weight": 0.5},
        {"use": "s.py:dear"},
        {"use": "s.py:dearer"},
        {"use": "mol_weight", "role": "filter", "transform": {"type": "step", "low": 40, "high": 190}},
    ]
}
STAGES = [
    {"name": "cheap", "only": ["qed", "dear"], "until": {"steps": 3}},
    {"name": "one", "only": ["dear"], "weights": {"dear": 2.0}, "until": {"molecules": 3}},
]


class Listening:
    """The random strategy of the tests, and what it was told about known molecules."""

    def __init__(self, inner):
        self.inner, self.revised = inner, []

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def revise(self, scores):
        self.revised.append(dict(scores))


@pytest.fixture
def staged(make_search, tmp_path):
    (tmp_path / "s.py").write_text(SCORES)
    caches = []

    def make(name="run", stages=STAGES, **changes):
        settings = {"budget": {"molecules": 40, "steps": 12}, "batch_size": 5, "checkpoint_every": 2}
        search = make_search(name, judged_by=FINAL, stages=stages, **settings | changes)
        search.optimizer = Listening(search.optimizer)
        caches.append(ScoreCache(search.folder.path / "scores.jsonl"))
        for stage in search.stages.stages:
            stage.objective.keep_in(caches[-1])
        return search

    yield make
    for cache in caches:
        cache.close()


def paid(tmp_path, name):
    file = tmp_path / f"{name}.txt"
    return file.read_text().split() if file.exists() else []


def ledger(search):
    return [Entry.from_row(row) for row in search.folder.ledger.rows()]


def test_each_stage_has_its_objective_and_the_ledger_names_it(staged, tmp_path):
    search = staged()
    search.run()
    entries = ledger(search)
    assert list(dict.fromkeys(e.stage for e in entries)) == ["cheap", "one", "final"]
    scored = {stage: [e for e in entries if e.stage == stage and e.status == "scored"] for stage in
              ("cheap", "one", "final")}  # fmt: skip
    assert {tuple(sorted(e.values)) for e in scored["cheap"]} == {("dear", "mol_weight", "qed")}
    assert {tuple(sorted(e.values)) for e in scored["one"]} == {("dear", "mol_weight")}
    assert {tuple(sorted(e.values)) for e in scored["final"]} == {("dear", "dearer", "mol_weight", "qed")}
    assert all(e.total == pytest.approx(e.desirability["dear"]) for e in scored["one"])
    assert [e.step for e in scored["cheap"]][-1] == 3
    log = (search.folder.path / "log.txt").read_text()
    assert "stage 'cheap' is over: 3 steps are done; stage 'one' begins" in log
    assert "stage 'final' begins" in log
    assert _stages(search)[0].startswith("Searched in stages: cheap from step 1, one from step 4, final from")


def test_nothing_is_paid_twice_and_known_molecules_are_judged_anew(staged, tmp_path):
    search = staged()
    search.run()
    assert len(paid(tmp_path, "dear")) == len(set(paid(tmp_path, "dear")))
    assert len(paid(tmp_path, "dearer")) == len(set(paid(tmp_path, "dearer")))
    entries = ledger(search)
    cheap = {e.smiles: e for e in entries if e.stage == "cheap" and e.status == "scored"}
    first, second = search.optimizer.revised
    # the second stage needs only what the first has bought: nothing is lost
    assert {s: v for s, v in first.items() if v > 0} == pytest.approx(
        {s: e.desirability["dear"] for s, e in cheap.items()}
    )
    # the last needs one value more: only what its filter rejects can be judged without paying
    assert set(second.values()) <= {0.0}
    start = next(e.step for e in entries if e.stage == "final")
    first_step = [e for e in entries if e.step == start]
    before = [e for e in entries if e.stage != "final" and e.status == "scored"]
    best = min(before, key=lambda e: (-e.desirability["dear"], e.id))
    assert first_step[0].smiles == best.smiles, "the best of before is asked again first"
    assert first_step[0].parents == (str(best.id),)
    assert len({e.id for e in entries}) == len(entries)
    again = [e for e in entries if e.stage == "final" and e.smiles in cheap and e.status == "scored"]
    assert again, "known molecules were asked again, for the value that they lacked"
    assert {e.smiles for e in again} & set(paid(tmp_path, "dearer"))


def test_the_counts_add_up_and_the_last_stage_decides_what_is_delivered(staged):
    search = staged()
    search.run()
    memory, entries = search.memory, ledger(search)
    assert memory.calls == sum(e.status in ("scored", "filtered", "failed") for e in entries)
    assert memory.calls == sum(e.cost for e in entries)
    steps, losses = funnel(memory, 0)
    assert steps[0][1] == len(entries)
    assert steps[0][1] == steps[-2][1] + sum(losses.values())
    assert losses["judged in an earlier stage only"] == memory.left_behind > 0
    output = OptimizeConfig(objective=FINAL).output
    assert all("dearer" in entry.values for entry, _ in choose(memory, output, "default", []).picked)


@pytest.mark.parametrize("stop_in_step", [2, 4, 5, 6, 8])
def test_a_run_that_crashed_in_any_stage_and_was_resumed_has_the_same_ledger(staged, tmp_path, stop_in_step):
    whole = staged("whole")
    whole.run()
    broken = staged("broken")
    calls = []
    score = broken.score

    def crash(molecules):
        calls.append(molecules)
        table = score(molecules)
        if len(calls) == stop_in_step:
            raise RuntimeError("power cut")
        return table

    broken.score = crash
    with pytest.raises(RuntimeError, match="power cut"):
        broken.run()
    resumed = staged("broken")
    resumed.restore()
    resumed.run()
    assert [str(e) for e in ledger(whole)] == [str(e) for e in ledger(resumed)]
    assert resumed.stages.state() == whole.stages.state()
    assert resumed.memory.calls == whole.memory.calls
    assert resumed.memory.counts == whole.memory.counts
    assert resumed.diversity.visits == whole.diversity.visits
    keys = ("step", "calls", "mean_score", "best_score", "kinds")
    rows = [[[row[k] for k in keys] for row in s.folder.metrics.rows()] for s in (whole, resumed)]
    assert rows[0] == rows[1]


def test_a_run_that_ends_early_says_in_which_stage(staged):
    search = staged(budget={"molecules": 40, "steps": 2})
    search.run()
    assert search.stages.name == "cheap"
    assert "ended in the stage 'cheap'" in " ".join(_stages(search))
    assert search.memory.first
    assert not any("dearer" in e.values for e in search.memory.first.values())


def test_limits_of_the_run_do_not_end_an_early_stage(staged):
    target = {"name": "easy", "only": ["qed"], "until": {"target": 0.05}}
    search = staged(stages=[target], budget={"molecules": 40, "steps": 4, "target": 0.01})
    search.run()
    assert [e.stage for e in ledger(search)][-1] == "final"
    assert "target of 0.01" in search.reason
    assert not math.isnan(search.watch.means[-1])
