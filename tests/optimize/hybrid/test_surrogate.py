from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from molgen.optimize.hybrid.acquisition import choose, curiosities, shortlist
from molgen.optimize.hybrid.bandit import Bandit
from molgen.optimize.hybrid.features import DESCRIPTORS, FINGERPRINTS, featurize
from molgen.optimize.hybrid.hyper import fit
from molgen.optimize.hybrid.kernels import Table
from molgen.optimize.hybrid.surrogate import Belief, Surrogate

TEXTS = [
    f"{left}{middle}{right}"
    for left in ("CCO", "CCCN", "c1ccccc1", "FC(F)(F)", "OC(=O)C")
    for middle in ("C", "CC(=O)N", "OCC", "N1CCN(CC1)")
    for right in ("c1ccc(Cl)cc1", "C1CCCCC1", "CCN", "C[C@H](O)C", "c1ccsc1")
]
ROWS = [featurize(Chem.MolFromSmiles(text)) for text in TEXTS]
SCORES = [math.exp(-(((row.descriptors[0] * 2 - 12) / 4) ** 2)) for row in ROWS]


def test_the_similarity_is_that_of_counts() -> None:
    """RDKit's Tanimoto of count vectors is the MinMax similarity."""
    table = Table(len(ROWS))
    table.add(ROWS)
    make = rdFingerprintGenerator.GetMorganGenerator(radius=2)
    prints = [make.GetSparseCountFingerprint(Chem.MolFromSmiles(text)) for text in TEXTS]
    ours = table.similarity(ROWS[:10], 0)
    expected = [DataStructs.BulkTanimotoSimilarity(prints[i], prints) for i in range(10)]
    # folding to 4096 makes a few patterns collide
    assert np.abs(ours.numpy() - np.array(expected)).max() < 0.05
    assert np.abs(ours.numpy() - np.array(expected)).mean() < 0.002


def test_features_do_not_depend_on_the_order_of_atoms() -> None:
    mol = Chem.MolFromSmiles("C[C@H](O)c1ccc(N2CCOCC2)c(F)c1")
    order = list(range(mol.GetNumAtoms()))[::-1]
    one, other = featurize(mol), featurize(Chem.RenumberAtoms(mol, order))
    assert all(np.array_equal(a, b) for a, b in zip(one.elements, other.elements, strict=True))
    assert one.descriptors == pytest.approx(other.descriptors)
    assert len(one.elements) == len(FINGERPRINTS)
    named = dict(zip(DESCRIPTORS, one.descriptors, strict=True))
    assert (named["carbon"] * 2, named["fluorine"], named["aromatic_rings"]) == (12, 1, 1)
    assert (named["stereocenters"], named["aliphatic_rings"], named["other_elements"]) == (1, 1, 0)


def test_a_surrogate_grown_in_batches_is_one_that_was_fitted_at_once() -> None:
    grown = Surrogate(500, seed=1)
    grown.add(ROWS[:60], SCORES[:60])
    for start in range(60, 90, 10):
        grown.add(ROWS[start : start + 10], SCORES[start : start + 10])
    whole = Surrogate(500, seed=1)
    whole.load_state({**grown.state(), "batches": [list(range(90))]}, ROWS[:90], SCORES[:90])
    assert len(grown.batches) > 1
    one, other = grown.believe(ROWS[90:]), whole.believe(ROWS[90:])
    assert one.mean == pytest.approx(other.mean, abs=1e-5)
    assert one.spread == pytest.approx(other.spread, abs=1e-4)


def test_a_restored_surrogate_has_the_same_bits() -> None:
    grown = Surrogate(50, seed=1)
    for start in range(0, 90, 15):
        grown.add(ROWS[start : start + 15], SCORES[start : start + 15])
    copied = Surrogate(50, seed=1)
    copied.load_state(json.loads(json.dumps(grown.state())), grown.rows, grown.scores)
    one, other = grown.believe(ROWS[85:]), copied.believe(ROWS[85:])
    assert np.array_equal(one.mean, other.mean)
    assert np.array_equal(one.spread, other.spread)


def test_it_predicts_and_knows_what_it_does_not_know() -> None:
    rng = np.random.default_rng(3)
    order = rng.permutation(len(ROWS))
    known, unknown = order[:70], order[70:]
    surrogate = Surrogate(500, seed=1)
    surrogate.add([ROWS[i] for i in known], [SCORES[i] for i in known])
    there = surrogate.believe([ROWS[i] for i in known])
    assert there.mean == pytest.approx([SCORES[i] for i in known], abs=0.1)
    new = surrogate.believe([ROWS[i] for i in unknown])
    assert np.corrcoef(new.mean, [SCORES[i] for i in unknown])[0, 1] > 0.9
    assert new.spread.mean() > 2 * there.spread.mean()
    strange = surrogate.believe([featurize(Chem.MolFromSmiles("BrC12CC3CC(C1)CC(C3)(C2)P(=O)(Br)Br"))])
    assert strange.spread[0] > new.spread.max()


def test_the_covariance_of_several_agrees_with_their_spreads() -> None:
    surrogate = Surrogate(500, seed=1)
    surrogate.add(ROWS[:60], SCORES[:60])
    covariance = surrogate.together(ROWS[60:80])
    assert np.sqrt(covariance.diagonal()) == pytest.approx(surrogate.believe(ROWS[60:80]).spread, rel=0.02)
    assert np.linalg.eigvalsh(covariance).min() > -1e-5


@pytest.mark.parametrize("value", [0.0, 0.7])
def test_scores_that_are_all_the_same_break_nothing(value: float) -> None:
    surrogate = Surrogate(500, seed=1)
    surrogate.add(ROWS[:40], [value] * 40)
    belief = surrogate.believe(ROWS[40:50])
    assert belief.mean == pytest.approx([value] * 10, abs=1e-3)
    assert np.isfinite(belief.spread).all()


def test_the_same_molecule_twice_breaks_nothing() -> None:
    surrogate = Surrogate(500, seed=1)
    surrogate.add(ROWS[:20] * 2, SCORES[:20] * 2)
    assert np.isfinite(surrogate.believe(ROWS).mean).all()


def test_when_it_is_full_the_best_stay() -> None:
    surrogate = Surrogate(50, seed=1)
    rows, scores = ROWS * 4, list(np.linspace(1, 0, 400))
    surrogate.add(rows[:300], scores[:300])
    surrogate.add(rows[300:], scores[300:])
    held = {i for batch in surrogate.batches for i in batch}
    assert len(held) <= 50 + 256
    assert set(range(25)) <= held


def test_a_descriptor_that_decides_gets_a_short_length_scale() -> None:
    hyper = fit(ROWS, np.array(SCORES), len(ROWS), None, float(np.mean(SCORES)))
    lengths = dict(zip(DESCRIPTORS, hyper.lengths, strict=True))
    assert lengths["carbon"] < 0.5 * np.median(hyper.lengths)
    assert torch.get_num_threads() >= 1


def test_one_choice_keeps_the_next_from_its_neighbors() -> None:
    covariance = np.array([[1.0, 0.99, 0.0], [0.99, 1.0, 0.0], [0.0, 0.0, 0.9]])
    assert choose(np.zeros(3), covariance, np.array([1.0, 1.0]), 0.01) == [0, 2]
    assert choose(np.array([0.1, 0.2, 0.0]), covariance, np.array([0.0, 0.0]), 0.01) == [1, 0]
    assert len(choose(np.zeros(3), covariance, np.ones(5), 0.01)) == 3


def test_a_batch_spreads_from_greedy_to_curious() -> None:
    weights = np.sort(curiosities(16, 2.0, np.random.default_rng(0)))
    assert weights[0] < 0.05
    assert 1.0 < weights[-1] <= 2.0
    assert len(curiosities(0, 2.0, np.random.default_rng(0))) == 0
    assert not curiosities(3, 0.0, np.random.default_rng(0)).any()


def test_the_shortlist_has_the_sure_and_the_promising() -> None:
    belief = Belief(np.array([0.9, 0.1, 0.5, 0.2]), np.array([0.0, 2.0, 0.1, 0.0]))
    assert set(shortlist(belief, 2, 1.0)) == {0, 1}


def test_effort_goes_to_who_wins_and_nobody_is_forgotten() -> None:
    bandit = Bandit({"good": 1.0, "bad": 1.0, "dear": 5.0})
    for _ in range(40):
        bandit.tell({"good": 50, "bad": 50, "dear": 10}, ["good"] * 5)
    rng = np.random.default_rng(1)
    shares = [bandit.shares(rng) for _ in range(50)]
    assert np.mean([s["good"] for s in shares]) > 0.7
    assert min(s["bad"] for s in shares) > 0.02
    assert all(sum(s.values()) == pytest.approx(1.0) for s in shares)
    still = Bandit({"good": 1.0, "bad": 1.0}, learns=False)
    still.tell({"good": 50}, ["good"] * 50)
    assert still.shares(rng) == {"good": 0.5, "bad": 0.5}
