import pytest

from molgen.models.autoregressive import RecurrentParams
from molgen.models.autoregressive.model import SmilesLanguageModel
from molgen.optimize.agent_params import HillclimbParams
from molgen.optimize.hillclimb import hillclimb
from molgen.optimize.protocol import Result
from molgen.optimize.taught import TaughtSearch

CHAINS = ["CCO", "CCN", "OCCO", "NCCN", "CCCC", "CNC", "COC"]  # every string of these tokens is a molecule


@pytest.fixture
def prior():
    params = RecurrentParams(hidden=32, layers=1, embedding=8, pieces=0, max_tokens=20)
    return SmilesLanguageModel.build(params, CHAINS, seed=2).eval()


def make(prior, **changes) -> TaughtSearch:
    return hillclimb(prior, HillclimbParams(learning_rate=5e-3, **changes), seed=7)


def oxygen(smiles: str) -> float:
    return smiles.count("O") / max(1, len(smiles))


@pytest.mark.parametrize("changes", [{}, {"loss": "augmented", "share": 0.5, "sigma": 60}])
def test_it_climbs(prior, changes):
    search = make(prior, **changes)
    means = []
    for _ in range(15):
        proposals = search.ask(32)
        means.append(sum(oxygen(p.smiles) for p in proposals) / 32)
        search.tell([Result(p.id, "scored", p.smiles, oxygen(p.smiles), oxygen(p.smiles)) for p in proposals])
    assert sum(means[-3:]) > 1.5 * sum(means[:3])


def test_it_learns_from_the_best_of_all_and_not_from_the_worst(prior):
    search = make(prior, replay_size=4)
    proposals = search.ask(16)
    scores = [k / 16 for k in range(16)]
    search.tell([Result(p.id, "scored", f"m{k}", scores[k], scores[k]) for k, p in enumerate(proposals)])
    assert [m.score for m in search.agent.replay.items] == [15 / 16, 14 / 16, 13 / 16, 12 / 16]


def test_a_run_that_was_killed_and_resumed_has_the_same_ledger(prior, make_search):
    def rows(search):
        return [(r["id"], r["step"], r["raw"], r["status"], r["score"]) for r in search.folder.ledger.rows()]

    changes = {"budget": {"molecules": 60, "steps": 6}, "batch_size": 8, "checkpoint_every": 2}
    whole = make_search("whole", optimizer=make(prior), **changes)
    whole.run()
    broken = make_search("broken", optimizer=make(prior), **changes)
    told = broken.optimizer.tell

    def tell(results):
        if broken.step == 3:
            raise RuntimeError("killed")
        return told(results)

    broken.optimizer.tell = tell
    with pytest.raises(RuntimeError, match="killed"):
        broken.run()
    resumed = make_search("broken", optimizer=make(prior), **changes)
    resumed.restore()
    assert resumed.step == 2
    resumed.run()
    assert rows(whole) == rows(resumed)
