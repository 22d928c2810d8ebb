"""The strategy goes from a prior, from seeds or from nothing, pays for nothing twice, and resumes to the letter."""

import math
from types import SimpleNamespace

import pytest

from molgen.core.errors import ConfigError
from molgen.optimize.genetic.params import GeneticParams
from molgen.optimize.genetic.strategy import Genetic
from molgen.optimize.protocol import Proposal, Result
from molgen.optimize.registry import strategy
from molgen.testing import check_optimizer

DRUGLIKE = [
    "CC(=O)Nc1ccc(O)cc1", "CC(C)Cc1ccc(C(C)C(=O)O)cc1", "O=C(c1cccnc1)N1CCN(C2CCCC2)CC1", "Cc1ccccc1C(N)=O",
    "CCOC(=O)c1ccco1", "CN1CCN(c2ccccc2)CC1", "COc1ccc(CC(N)=O)cc1", "Clc1ccc(C2CCCN2)cc1",
]  # fmt: skip


class Prior:
    """Draws from a list in a fixed order."""

    family = "list"

    def __init__(self, smiles):
        self.smiles = smiles

    def sample(self, n, *, seed, **_):
        return SimpleNamespace(
            smiles=[self.smiles[(seed + i) % len(self.smiles)] for i in range(n)], log_likelihood=None
        )


def genetic(smiles=tuple(DRUGLIKE), **params):
    return Genetic(Prior(list(smiles)), GeneticParams(**({"start": 6} | params)), seed=7)


def carbonyls(smiles):
    return smiles.count("=O") / (1 + len(smiles))


def step(optimizer, n=12, score=carbonyls):
    proposals = optimizer.ask(n)
    results = [Result(p.id, "scored", p.smiles, score(p.smiles), score(p.smiles)) for p in proposals]
    optimizer.tell(results)
    return proposals


def test_the_contract_with_a_prior_that_draws_molecules():
    check_optimizer(genetic, carbonyls)


def test_nothing_is_proposed_twice_and_the_parents_are_known():
    optimizer = genetic(fresh=0.1)
    seen, ids, origins = set(), set(), set()
    for _ in range(8):
        for proposal in step(optimizer):
            assert proposal.smiles not in seen
            assert set(proposal.parents) <= ids
            assert bool(proposal.parents) == (proposal.origin not in ("prior", "pieces"))
            seen.add(proposal.smiles)
            origins.add(proposal.origin)
        ids |= {str(k) for k in range(optimizer.next_id)}
    assert {"prior", "crossover", "mutation", "recombination"} <= origins


def test_it_finds_better_molecules_than_it_was_given():
    optimizer = genetic()
    for _ in range(10):
        step(optimizer)
    assert optimizer.population.members[0].score > 1.3 * max(map(carbonyls, DRUGLIKE))


def test_a_prior_that_draws_nothing_valid_does_not_stop_the_search():
    optimizer = genetic(["C1CC", "not a molecule"])
    first = step(optimizer)
    assert {p.origin for p in first} == {"pieces"}
    assert {p.origin for p in step(optimizer)} & {"crossover", "mutation"}


def test_seeds_are_parents():
    optimizer = genetic(start=2, recombination=0.0, fresh=0.0)
    seeds = [Proposal(i, s, "seed", (f"user-{i}",)) for i, s in enumerate(DRUGLIKE[:3])]
    optimizer.adopt(seeds)
    optimizer.tell([Result(p.id, "scored", p.smiles, 0.5, 0.5) for p in seeds])
    proposals = optimizer.ask(10)
    assert {p.id for p in proposals} == set(range(3, 13))
    assert {parent for p in proposals for parent in p.parents} <= {"0", "1", "2"}


def test_a_molecule_without_a_value_is_no_parent():
    optimizer = genetic(start=2, recombination=0.0, fresh=0.0)
    seeds = [Proposal(i, s, "seed") for i, s in enumerate(DRUGLIKE[:4])]
    optimizer.adopt(seeds)
    values = [math.nan, 0.4, 0.5, math.nan]
    optimizer.tell(
        [
            Result(p.id, "failed" if math.isnan(v) else "scored", p.smiles, v, v)
            for p, v in zip(seeds, values, strict=True)
        ]
    )
    assert {parent for p in optimizer.ask(20) for parent in p.parents} <= {"1", "2"}


def test_a_score_that_was_lowered_later_counts():
    optimizer = genetic(start=2)
    first = step(optimizer, 6)
    best = optimizer.population.members[0]
    again = optimizer.ask(4)
    optimizer.tell([Result(again[0].id, "duplicate", best.smiles, 0.0, best.score)])
    assert optimizer.population.members[0].smiles != best.smiles
    assert {m.smiles for m in optimizer.population.members} == {p.smiles for p in first}


def test_one_scaffold_does_not_fill_the_population():
    optimizer = genetic(per_scaffold=2, population=20)
    for _ in range(5):
        step(optimizer)
    scaffolds = [m.scaffold for m in optimizer.population.members if m.scaffold]
    assert scaffolds
    assert max(map(scaffolds.count, scaffolds)) <= 2


def test_an_answer_that_was_not_asked_for_is_refused():
    with pytest.raises(ValueError, match="not asked"):
        genetic().tell([Result(99, "scored", "CCO", 0.5, 0.5)])


def test_parameters_are_checked_before_anything_runs():
    with pytest.raises(ConfigError, match="population"):
        strategy("genetic", {"populatoin": 100})
