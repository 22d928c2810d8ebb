"""The choice of what to measure next finds actives faster than chance does, and never two that are alike."""

import csv
import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from molgen.chem.fingerprints import morgan, tanimoto
from molgen.chem.molecule import Molecule, parse_all
from molgen.core.errors import ConfigError
from molgen.scoring.qsar import gp
from molgen.scoring.qsar.acquire import NOISE, by_improvement, by_knowledge, check_rule, expected_improvement
from molgen.scoring.qsar.features import Features

DATA = Path(os.environ.get("MOLGEN_TEST_DATA", "missing")) / "egfr_ic50.csv.gz"
FILE = Path(__file__).parents[2] / "chem" / "molecules.smi"


def test_expected_improvement_is_that_of_many_draws():
    rng = np.random.default_rng(1)
    mean, spread = np.array([5.0, 7.0, 6.0]), np.array([1.0, 0.5, 1e-9])
    drawn = rng.normal(mean, spread, (200_000, 3))
    expected = np.maximum(drawn - 6.5, 0).mean(axis=0)
    assert expected_improvement(mean, spread, 6.5) == pytest.approx(expected, abs=0.01)


SERIES = [f"CC(=O)Nc1ccc({end})cc1" for end in ("O", "OC", "OCC", "OCCC", "F", "Cl")]
OTHERS = ["C1CCCCC1N", "OC(=O)CCCC", "c1ccc2[nH]ccc2c1"]


def test_a_batch_is_not_one_series_although_its_members_are_worth_most():
    prints = morgan([Molecule(s).mol for s in SERIES + OTHERS])
    mean, spread = np.array([6.4] * 6 + [6.3] * 3), np.array([1.0] * 6 + [0.9] * 3)
    chosen, worth = by_improvement(mean, spread, prints, 4, best=6.5)
    assert chosen[0] == 0
    assert sorted(chosen[1:]) == [6, 7, 8]
    assert (np.diff(worth) <= 1e-12).all()
    assert len(by_improvement(mean, spread, prints, 20, best=6.5)[0]) == 9


def test_what_tells_most_is_in_the_middle_of_what_is_unknown():
    prints = morgan([Molecule(s).mol for s in SERIES + OTHERS])
    chosen, worth = by_knowledge(prints, prints[:0], 9)
    assert chosen[0] < len(SERIES), "a member of the series tells about all of it"
    assert sorted(chosen) == list(range(9))
    assert (np.diff(worth) <= 1e-12).all()
    after, _ = by_knowledge(prints, prints[:6], 1)
    assert after[0] >= len(SERIES), "the series is known already"


def test_the_worth_of_a_measurement_is_the_variance_that_it_takes_away():
    prints = morgan([Molecule(s).mol for s in SERIES + OTHERS])
    kernel = tanimoto(prints, prints).astype(float)
    (pick,), (worth,) = by_knowledge(prints, prints[7:8], 1)

    def left(rows):
        known = kernel[np.ix_(rows, rows)] + NOISE * np.eye(len(rows))
        return np.diag(kernel - kernel[:, rows] @ np.linalg.solve(known, kernel[rows])).mean()

    assert worth == pytest.approx(left([7]) - left([7, pick]))


def test_a_mistyped_rule_is_refused():
    with pytest.raises(ConfigError, match="did you mean 'improvement'"):
        check_rule("improvment")


class Loop:
    """A closed loop with an oracle that the model never sees: 30 measured at first, 20 more in each round."""

    def __init__(self, mols, truth, rounds=4, start=30, batch=20):
        self.x, self.y = Features.of([mol.mol for mol in mols]), np.array(truth)
        self.rounds, self.start, self.batch = rounds, start, batch

    def play(self, rule, seed):
        """(correlation with held-out truth, hits among the best tenth) after each round."""
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(self.y))
        held, pool = order[: len(order) // 4], order[len(order) // 4 :]
        best = set(pool[np.argsort(-self.y[pool])][: len(pool) // 10].tolist())
        have, found = pool[: self.start].tolist(), []
        for _ in range(self.rounds + 1):
            model = gp.fit(self.x.take(have), self.y[have], np.zeros(len(have), dtype=np.int8), 0)
            told = model.mean_of(self.x.take(held))
            found.append((np.corrcoef(told, self.y[held])[0, 1], len(best & set(have))))
            rest = np.array([i for i in pool.tolist() if i not in set(have)])
            if rule == "random":
                picked = rng.choice(len(rest), self.batch, replace=False).tolist()
            else:
                picked = self.pick(rule, model, have, rest)
            have += rest[np.array(picked)].tolist()
        return np.array(found)

    def pick(self, rule, model, have, rest):
        if rule == "knowledge":
            return by_knowledge(self.x.bits[rest], self.x.bits[have], self.batch)[0]
        mean, spread = model.predict(self.x.take(rest))
        return by_improvement(mean, spread, self.x.bits[rest], self.batch, best=float(self.y[have].max()))[0]

    def mean(self, rule, seeds):
        return np.mean([self.play(rule, seed) for seed in range(seeds)], axis=0)


@pytest.mark.skipif(not DATA.is_file(), reason="MOLGEN_TEST_DATA has no egfr_ic50.csv.gz")
def test_on_measured_egfr_inhibitors_the_loop_beats_random_picking():
    with gzip.open(DATA, "rt") as file:
        rows = list(csv.DictReader(file))
    rows = [rows[i] for i in np.random.default_rng(0).permutation(len(rows))[:900]]
    parsed = parse_all([row["smiles"] for row in rows])
    loop = Loop(parsed.ok, [float(rows[i]["pIC50"]) for i in parsed.index], rounds=5)
    random, knowledge = loop.mean("random", 8), loop.mean("knowledge", 8)
    assert knowledge[-1, 0] > knowledge[0, 0] + 0.08, "the model learns in the loop"
    assert knowledge[-1, 0] > random[-1, 0], "and more than from what chance picks"
    assert loop.mean("improvement", 4)[-1, 1] > 1.4 * random[-1, 1], "actives found"


def test_with_a_computed_property_as_oracle_the_loop_beats_random_picking():
    from molgen.chem.descriptors import DESCRIPTORS

    lines = [line.split()[0] for line in FILE.read_text().splitlines() if line.split()]
    mols = [mol for mol in parse_all(lines).ok if mol.mol.GetNumHeavyAtoms() > 5]
    loop = Loop(mols, [float(DESCRIPTORS["tpsa"](mol.mol)) for mol in mols], rounds=3, start=20, batch=8)
    random, improvement, knowledge = (loop.mean(rule, 6) for rule in ("random", "improvement", "knowledge"))
    assert improvement[-1, 1] > 1.3 * random[-1, 1]
    assert knowledge[-1, 0] > max(knowledge[0, 0], random[-1, 0])
