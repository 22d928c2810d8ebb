import math

import numpy as np
import pytest

from molgen.core.errors import Interrupted
from molgen.optimize.memory import Entry
from molgen.optimize.protocol import Proposal
from molgen.scoring.objective import build_objective
from molgen.testing import RandomOptimizer


def ledger(search):
    return [Entry.from_row(row) for row in search.folder.ledger.rows()]


def same(a, b):
    """Equal rows, with NaN equal to NaN."""
    return [str(entry) for entry in a] == [str(entry) for entry in b]


def test_the_budget_counts_distinct_scored_molecules(make_search):
    search = make_search()
    reason = search.run()
    entries = ledger(search)
    distinct = {e.smiles for e in entries if e.smiles}
    assert len(distinct) == search.memory.calls == 14
    assert "budget of 14" in reason


def test_every_proposal_has_a_row_with_its_fate(make_search):
    search = make_search(budget={"molecules": 100, "steps": 8})
    search.run()
    entries = ledger(search)
    assert len(entries) == 8 * 6
    assert len({e.id for e in entries}) == len(entries)
    statuses = {e.status for e in entries}
    assert statuses == {"scored", "filtered", "invalid", "duplicate"}
    for e in entries:
        if e.status == "invalid":
            assert e.reason
            assert math.isnan(e.total)
        if e.status == "filtered":
            assert e.total == 0.0
            assert "mol_weight" in e.reason
        if e.status == "scored":
            assert 0 < e.total <= 1
            assert e.values["qed"] == pytest.approx(e.total)


def test_the_same_molecule_in_another_spelling_is_a_duplicate_with_the_first_score(make_search):
    search = make_search(
        optimizer=RandomOptimizer(["CCO", "OCC", "C(O)C"], 1), budget={"molecules": 9, "steps": 2}
    )
    search.run()
    entries = ledger(search)
    assert [e.status for e in entries].count("scored") == 1
    assert len({e.total for e in entries}) == 1


def test_a_full_scaffold_earns_nothing_more_and_keeps_its_total(make_search):
    pool = [f"c1ccccc1{'C' * k}O" for k in range(1, 5)]
    search = make_search(optimizer=RandomOptimizer(pool, 2), budget={"molecules": 4, "steps": 4})
    search.run()
    entries = [e for e in ledger(search) if e.status != "filtered"]
    assert all(e.score == e.total for e in entries[:2])
    assert all(e.score == 0 and e.total > 0 for e in entries[2:])


def test_metrics_have_one_row_per_step(make_search):
    search = make_search()
    search.run()
    rows = list(search.folder.metrics.rows())
    assert [row["step"] for row in rows] == list(range(1, search.step + 1))
    assert rows[-1]["calls"] == 14
    assert 0 < rows[-1]["best_score"] <= 1


@pytest.mark.parametrize("stop_in_step", [1, 2, 3, 4, 5])
def test_a_run_that_crashed_anywhere_and_was_resumed_has_the_same_ledger(make_search, stop_in_step):
    whole = make_search("whole")
    whole.run()
    broken = make_search("broken")
    objective, calls = broken.objective, []

    def crash(molecules, **options):
        calls.append(len(molecules))
        if len(calls) == stop_in_step:
            raise RuntimeError("power cut")
        return objective(molecules, **options)

    broken.objective = crash
    with pytest.raises(RuntimeError, match="power cut"):
        broken.run()
    resumed = make_search("broken")
    resumed.restore()
    resumed.run()
    assert same(ledger(whole), ledger(resumed))
    assert resumed.step == whole.step
    assert resumed.diversity.visits == whole.diversity.visits
    left_out = {"time"}
    metrics = [
        [{k: v for k, v in row.items() if k not in left_out} for row in search.folder.metrics.rows()]
        for search in (whole, resumed)
    ]
    assert metrics[0] == metrics[1]


def test_a_stop_signal_saves_and_the_resumed_run_has_the_same_ledger(make_search):
    whole = make_search("whole")
    whole.run()
    stopped = make_search("stopped")
    steps = []

    def on_step(row):
        steps.append(row)
        if len(steps) == 2:
            stopped.stop.request("SIGTERM")

    with pytest.raises(Interrupted) as caught:
        stopped.run(on_step=on_step)
    assert caught.value.exit_code == 75
    assert "molgen resume" in str(caught.value)
    resumed = make_search("stopped")
    resumed.restore()
    assert resumed.step == 2
    resumed.run()
    assert same(ledger(whole), ledger(resumed))


def test_calls_in_flight_are_dropped_when_a_signal_comes_and_asked_again_later(make_search):
    whole = make_search("whole")
    whole.run()
    stopped = make_search("stopped")
    objective, calls = stopped.objective, []

    def signalled(molecules, **options):
        calls.append(molecules)
        if len(calls) == 3:
            stopped.stop.request("SIGUSR1")
        return objective(molecules, **options)

    stopped.objective = signalled
    with pytest.raises(Interrupted):
        stopped.run()
    resumed = make_search("stopped")
    resumed.restore()
    assert resumed.step == 2
    resumed.run()
    assert same(ledger(whole), ledger(resumed))


def test_seeds_are_scored_first_and_marked(make_search):
    seeds = [Proposal(0, "CCO", "seed", ("my-1",)), Proposal(1, "c1ccccc1O", "seed")]
    search = make_search()
    search.optimizer.next_id = 2
    search.run(seeds)
    first = ledger(search)[:2]
    assert [e.origin for e in first] == ["seed", "seed"]
    assert first[0].parents == ("my-1",)


def test_a_failing_scorer_gives_no_total_and_a_reason_never_a_number(make_search, tmp_path):
    (tmp_path / "s.py").write_text(
        "def picky(smiles):\n    if 'N' in smiles: raise ValueError('no nitrogen please')\n    return 0.5\n"
    )
    config = {"components": [{"use": "s.py:picky"}]}
    search = make_search(objective=None, budget={"molecules": 100, "steps": 6})
    search.objective = build_objective(type(search.config.objective)(**config), base_dir=tmp_path)
    search.run()
    failed = [e for e in ledger(search) if e.status == "failed"]
    assert failed
    assert all(
        math.isnan(e.total) and math.isnan(e.score) and "no nitrogen please" in e.reason for e in failed
    )


def test_a_generator_that_only_repeats_itself_ends_with_the_reason(make_search):
    search = make_search(optimizer=RandomOptimizer(["CCO"], 1), budget={"molecules": 10})
    assert "nothing new" in search.run()
    assert search.memory.calls == 1
    assert "collapse" in (search.folder.path / "log.txt").read_text()


def test_what_a_strategy_notes_is_in_the_log(make_search):
    search = make_search(budget={"molecules": 5})
    search.optimizer.notes = lambda: ["the search begins anew"]
    search.run()
    assert "step 1: the search begins anew" in (search.folder.path / "log.txt").read_text()


def test_the_target_and_the_patience_end_a_run_early(make_search):
    assert "target" in make_search("a", budget={"molecules": 100, "target": 0.01}).run()
    assert "no better mean" in make_search("b", budget={"molecules": 1000, "patience": 3}).run()


def test_the_time_limit_ends_a_run(make_search):
    search = make_search(budget={"molecules": 1000, "minutes": 1e-9})
    assert "minutes are over" in search.run()


def test_running_means_survive_a_checkpoint(make_search):
    from molgen.optimize.watch import Watch

    search = make_search()
    search.run()
    copy = Watch()
    copy.load_state(search.watch.state())
    assert copy.means == search.watch.means
    assert copy.best_mean == search.watch.best_mean
    assert np.isfinite(copy.best_mean)
