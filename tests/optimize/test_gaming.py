"""The alarm in a whole search: silent where the score is honest, loud where it is gamed, on the first screen."""

import pytest

from molgen.core.schema import ObjectiveConfig
from molgen.core.seeding import python_random
from molgen.optimize.control import pairs_of
from molgen.optimize.protocol import Proposal
from molgen.optimize.session import deliver
from molgen.optimize.watch import Watch
from molgen.report.page import to_html
from molgen.scoring.objective import build_objective

GROWTH = ("C", "CC", "O", "N", "F", "OC", "c1ccccc1", "C(=O)N", "C1CCNCC1")
#: What is optimized: lipophilicity, which grows with every carbon, whatever becomes of the molecule.
SCORE = {"use": "logp", "name": "grease", "transform": {"type": "linear", "low": 0, "high": 12}}
CONTROLS = {
    "gamed": {"use": "qed", "role": "control", "name": "control"},
    # another estimate of the same thing, on a curve of its own unit
    "honest": {"use": "molar_refractivity", "role": "control", "name": "control",
               "transform": {"type": "linear", "low": 20, "high": 200}},
}  # fmt: skip


class Climber:
    """Appends pieces to the best so far: the shortest strategy that finds the hole of a score."""

    name = "climber"

    def __init__(self):
        self.best: dict[str, float] = {}
        self.round = self.next_id = 0

    def ask(self, n):
        rng = python_random(7, self.round)
        parents = sorted(self.best, key=lambda s: -self.best[s])[:20] or list(GROWTH)
        texts = [rng.choice(GROWTH) + rng.choice(parents) for _ in range(n)]
        return [Proposal(self.next_id + k, text, self.name) for k, text in enumerate(texts)]

    def adopt(self, proposals):
        pass

    def tell(self, results):
        self.best |= {r.smiles: r.total for r in results if r.status == "scored"}
        self.round += 1
        self.next_id = max([self.next_id, *(r.id + 1 for r in results)])
        return {}

    def model(self):
        return None

    def state(self):
        return {"best": self.best, "round": self.round, "next_id": self.next_id}, {}

    def load_state(self, values, tensors):
        self.__dict__.update(values)


@pytest.mark.parametrize("kind", list(CONTROLS))
def test_a_gamed_score_is_told_on_the_first_screen_and_an_honest_one_is_not(kind, make_search):
    components = [SCORE, CONTROLS[kind]]
    objective = build_objective(ObjectiveConfig.model_validate({"components": components}))
    search = make_search(
        optimizer=Climber(), objective=objective, batch_size=16, budget={"molecules": 400}, diversity=None
    )
    search.watch = Watch(pairs_of(objective.describe()))
    search.run()
    rows = list(search.folder.metrics.rows())
    assert rows[-1]["watched/control"] > rows[0]["watched/control"] + 0.2, "the score was optimized"
    delivery = deliver(search, [], [])
    page = to_html(delivery)
    log = (search.folder.path / "log.txt").read_text() if (search.folder.path / "log.txt").exists() else ""
    told = "The score may be gamed"
    assert (told in log) == (kind == "gamed")
    assert any(told in note for note in delivery.notes) == (kind == "gamed")
    assert (told in page[: page.index("<nav>")]) == (kind == "gamed")
    assert "score and its control" in page, "the chart is there in any case"
    if kind == "gamed":
        assert delivery.notes[0].startswith(told)
        assert "its control control, which nobody optimizes, fell" in delivery.notes[0]
