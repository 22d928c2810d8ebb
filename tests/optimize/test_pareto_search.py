"""A search that learns from the front covers more of it than one that learns from the mean, at the same budget."""

import math

import numpy as np
import pytest

from molgen.core.seeding import python_random
from molgen.optimize.hypervolume import hypervolume
from molgen.optimize.memory import Entry
from molgen.optimize.protocol import Proposal

#: A chain of n carbons and m oxygens: what is long is not polar. The front is hollow, its middle is the worst mean.
SCORES = """
def long(smiles):
    return (smiles.count("C") / 24) ** 2

def polar(smiles):
    return (smiles.count("O") / 24) ** 2

def heavy(smiles):
    return float(len(smiles) <= 11)
"""
COMPONENTS = [{"use": "s.py:long"}, {"use": "s.py:polar"}]
SETTINGS = {"batch_size": 8, "budget": {"molecules": 150, "steps": 80}, "diversity": None}


class Climber:
    """Adds and takes atoms of the best eight: small, deterministic, and as greedy as its rewards."""

    name = "climber"

    def __init__(self, seed):
        self.seed, self.round, self.next_id = seed, 0, 0
        self.known = {"CO": 1e-9}

    def ask(self, n):
        rng = python_random(self.seed, self.round)
        parents = sorted(self.known, key=lambda s: (-self.known[s], s))[:8]
        found = []
        for k in range(n):
            c, o = (rng.choice(parents).count(atom) for atom in "CO")
            c, o = max(1, c + rng.randint(-2, 2)), max(1, o + rng.randint(-2, 2))
            while c + o > 24:
                c, o = (c - 1, o) if rng.random() < c / (c + o) else (c, o - 1)
            found.append(Proposal(self.next_id + k, "C" * c + "O" * o, self.name))
        return found

    def adopt(self, proposals):
        pass

    def tell(self, results):
        self.known |= {r.smiles: r.score for r in results if r.smiles and not math.isnan(r.score)}
        self.round += 1
        self.next_id = max(r.id for r in results) + 1
        return {}

    def revise(self, scores):
        self.known = {smiles: score for smiles, score in scores.items() if not math.isnan(score)}

    def model(self):
        return None

    def state(self):
        return {"round": self.round, "next_id": self.next_id, "known": dict(self.known)}, {}

    def load_state(self, values, tensors):
        self.round, self.next_id, self.known = values["round"], values["next_id"], dict(values["known"])


@pytest.fixture
def searching(make_search, tmp_path):
    (tmp_path / "s.py").write_text(SCORES)

    def make(name, reward, seed=1, components=COMPONENTS):
        judged_by = {"components": components, "aggregate": "arithmetic_mean", "reward": reward}
        return make_search(name, optimizer=Climber(seed), judged_by=judged_by, **SETTINGS)

    return make


def points(search):
    found = [e for e in search.memory.first.values() if e.status == "scored"]
    return np.array([[e.desirability["long"], e.desirability["polar"]] for e in found])


def test_the_front_of_a_pareto_search_has_more_volume_than_that_of_a_search_by_the_mean(searching):
    volumes = {}
    for reward in ("total", "pareto"):
        for seed in (1, 2, 3):
            search = searching(f"{reward}{seed}", reward, seed)
            search.run()
            volumes[reward, seed] = hypervolume(points(search))
            if reward == "pareto":
                last = list(search.folder.metrics.rows())[-1]
                assert last["hypervolume"] == pytest.approx(volumes[reward, seed])
                assert last["front_size"] == len(search.reward.front)
    for seed in (1, 2, 3):
        assert volumes["pareto", seed] > volumes["total", seed], volumes
    assert min(volumes["pareto", seed] for seed in (1, 2, 3)) > 0.14


def test_the_volume_never_falls(searching):
    search = searching("run", "pareto")
    search.run()
    volume = [row["hypervolume"] for row in search.folder.metrics.rows()]
    assert volume == sorted(volume)
    assert volume[-1] > volume[0]


@pytest.mark.parametrize("stop_in_step", [2, 4, 7])
def test_a_pareto_search_that_crashed_and_was_resumed_has_the_same_ledger(searching, stop_in_step):
    whole = searching("whole", "pareto")
    whole.run()
    broken = searching("broken", "pareto")
    objective, calls = broken.objective, []

    def crash(molecules, **options):
        calls.append(len(molecules))
        if len(calls) == stop_in_step:
            raise RuntimeError("power cut")
        return objective(molecules, **options)

    broken.objective = crash
    with pytest.raises(RuntimeError, match="power cut"):
        broken.run()
    resumed = searching("broken", "pareto")
    resumed.restore()
    resumed.run()
    rows = [[str(Entry.from_row(row)) for row in search.folder.ledger.rows()] for search in (whole, resumed)]
    assert rows[0] == rows[1]
    assert resumed.reward.metrics() == whole.reward.metrics()


def test_what_a_filter_rejects_earns_nothing_and_stays_off_the_front(searching):
    search = searching("run", "pareto", components=[*COMPONENTS, {"use": "s.py:heavy", "role": "filter"}])
    search.run()
    rejected = [e for e in search.memory.first.values() if e.status == "filtered"]
    assert rejected
    assert {e.score for e in rejected} == {0.0}
    feasible = [e for e in search.memory.first.values() if e.status == "scored"]
    assert min(e.score for e in feasible) > 0
    longest = max(len(str(e.smiles)) for e in feasible)
    assert longest == 11
    assert search.reward.front[:, 0].max() <= (10 / 24) ** 2 + 1e-9
