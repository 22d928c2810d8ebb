"""Whatever order a slow oracle answers in, and with however many workers, the ledger is the same."""

import pytest

from molgen.core.schema import ComponentConfig, ObjectiveConfig
from molgen.scoring.objective import build_objective

#: With two processes, the first molecule of a step is answered after a later one: it waits for that one's mark.
WAITING = """
import time
from pathlib import Path

def slow(smiles):
    here = Path(__file__).parent
    with open(here / "answered.txt", "a") as file:
        if smiles == "C" and (here / "two").exists():
            for _ in range(5000):  # bounded: a molecule that is alone in its batch has nobody to wait for
                if (here / "other").exists():
                    break
                time.sleep(0.001)
        else:
            (here / "other").touch()
        file.write(smiles + "\\n")
    return len(smiles) / 40
"""
BY_ID = ("id", "step", "smiles", "status", "total", "score", "values")


class Backwards:
    """An oracle that answers the last question first."""

    name, unit, cost = "oracle", "", 1.0
    chunk = 50
    remote = False
    fingerprint = "oracle-1"

    def __init__(self, backwards):
        self.backwards, self.asked = backwards, []

    def __call__(self, mols):
        raise AssertionError("a stream is asked instead")

    def stream(self, mols, started):
        order = range(len(mols))
        for k in reversed(order) if self.backwards else order:
            if started is not None:
                started([k])
            self.asked.append(mols[k].smiles)
            yield k, len(mols[k].smiles) / 40, "", ""


def rows(search):
    return [{k: str(row[k]) for k in BY_ID} for row in search.folder.ledger.rows()]


def test_answers_of_a_stream_are_told_in_the_order_of_the_proposals(make_search):
    ledgers, asked = [], []
    for backwards in (False, True):
        oracle = Backwards(backwards)
        config = ObjectiveConfig(components=[ComponentConfig(use="oracle"), ComponentConfig(use="qed")])
        objective = build_objective(config, handed_in={"oracle": oracle})
        search = make_search(f"run{backwards}", objective=objective)
        told, tell = [], search.optimizer.tell
        search.optimizer.tell = lambda results, told=told, tell=tell: (
            told.append([r.id for r in results]),
            tell(results),
        )[1]
        search.run()
        assert all(ids == sorted(ids) for ids in told)
        ledgers.append(rows(search))
        asked.append(oracle.asked)
    assert asked[0] != asked[1]
    assert sorted(asked[0]) == sorted(asked[1])
    assert ledgers[0] == ledgers[1]


@pytest.mark.slow
def test_two_workers_that_overtake_each_other_leave_the_ledger_of_one(make_search, tmp_path):
    ledgers, answered = [], []
    pool = ["C", "CC", "CCC", "CCO", "CCN"]
    for workers in (1, 2):
        (tmp_path / "s.py").write_text(WAITING)
        if workers == 2:
            (tmp_path / "two").touch()
            (tmp_path / "other").unlink()
            (tmp_path / "answered.txt").unlink()
        config = ObjectiveConfig(components=[ComponentConfig(use="s.py:slow", timeout=60)])
        with build_objective(config, base_dir=tmp_path, workers=workers) as objective:
            search = make_search(f"run{workers}", objective=objective, budget={"molecules": 5, "steps": 4})
            search.optimizer.pool = pool
            search.run()
        ledgers.append(rows(search))
        answered.append((tmp_path / "answered.txt").read_text().split())
    assert ledgers[0] == ledgers[1]
    assert sorted(answered[0]) == sorted(answered[1])


def test_a_batch_in_flight_says_how_far_it_is(make_search):
    search, heard = make_search(budget={"molecules": 14, "steps": 2}), []
    search.on_scored = lambda done, asked, more: heard.append((search.step, done, asked, more))
    search.run()
    last = {step: (done, asked) for step, done, asked, _ in heard}
    assert last
    assert all(done == asked > 0 for done, asked in last.values())
    assert sum(more for *_, more in heard) == search.memory.calls
