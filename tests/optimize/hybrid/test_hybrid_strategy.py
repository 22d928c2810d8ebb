from __future__ import annotations

import copy
import json
import math

import numpy as np
import pytest
from rdkit import Chem

from molgen.core.errors import ConfigError
from molgen.models.protocol import Samples
from molgen.optimize.hybrid.params import PARTS, HybridParams
from molgen.optimize.hybrid.strategy import Hybrid
from molgen.optimize.memory import CARRIED
from molgen.optimize.protocol import Proposal, Result
from molgen.optimize.registry import strategy

SHELF = [
    f"{left}{middle}{right}"
    for left in ("CCO", "CN(C)", "c1ccccc1", "c1ccncc1C", "FC(F)(F)", "CC(=O)N")
    for middle in ("CC", "C(=O)N", "OCC", "N1CCN(CC1)", "S(=O)(=O)N")
    for right in ("c1ccc(Cl)cc1", "C1CCCCC1", "CCN", "c1ccsc1")
]


class Shelf:
    """A model without a likelihood: it takes strings from a shelf, some of them broken."""

    family = "shelf"

    def sample(self, n: int, *, seed: int, temperature: float = 1.0, batch_size: int = 512) -> Samples:
        rng = np.random.default_rng(seed)
        return Samples([*rng.choice([*SHELF, "c1cc", "C(C"], n)])


def make(parts=PARTS, seed: int = 5, **params) -> Hybrid:
    small = {"paid": 6, "start": 12, "candidates": 4, "generations": 2, "pool": 20, "points": 50, **params}
    return Hybrid(Shelf(), strategy("hybrid", {"parts": list(parts), **small})[1], seed)


def nitrogens(smiles: str) -> float:
    """More nitrogen, and about 20 atoms."""
    mol = Chem.MolFromSmiles(smiles)
    share = sum(atom.GetAtomicNum() == 7 for atom in mol.GetAtoms()) / mol.GetNumAtoms()
    return share * math.exp(-(((mol.GetNumAtoms() - 20) / 6) ** 2))


def atoms(smiles: str) -> int:
    return int(Chem.MolFromSmiles(smiles).GetNumHeavyAtoms())


def atoms_in_rings(smiles: str) -> float:
    mol = Chem.MolFromSmiles(smiles)
    return max(map(len, mol.GetRingInfo().AtomRings()), default=0) / 100 + len(smiles) / 1e4


def spread_little(smiles: str) -> float:
    """Scores that tell molecules apart and never become better by much."""
    return 0.5 + 1e-5 * nitrogens(smiles)


class Course:
    """Asks and tells as the loop does; ``ledger`` holds what was scored."""

    def __init__(self, optimizer: Hybrid, score=nitrogens) -> None:
        self.optimizer, self.score = optimizer, score
        self.ledger: list[tuple[str, str, float]] = []
        self.known: dict[str, float] = {}

    def step(self, n: int = 6) -> list[Proposal]:
        proposals = self.optimizer.ask(n)
        results = []
        for p in proposals:
            mol = Chem.MolFromSmiles(p.smiles)
            if mol is None:
                results.append(Result(p.id, "invalid", None, math.nan, math.nan))
                continue
            text = Chem.MolToSmiles(mol)
            status = "duplicate" if text in self.known else "scored"
            value = self.known.setdefault(text, self.score(text))
            if math.isnan(value):
                status = "failed"
            self.ledger.append((text, p.origin, value))
            results.append(Result(p.id, status, text, value, value))
        self.optimizer.tell(results)
        return proposals

    def run(self, steps: int) -> Course:
        for _ in range(steps):
            self.step()
        return self


def restored(course: Course, **options) -> Course:
    """A new course that goes on from the checkpoint of another, through JSON as the run folder writes it."""
    values, tensors = course.optimizer.state()
    other = Course(make(**options), course.score)
    other.optimizer.load_state(json.loads(json.dumps(values)), copy.deepcopy(tensors))
    other.known = dict(course.known)
    return other


@pytest.mark.parametrize("cut", [1, 3, 9, 12])
def test_a_run_killed_at_any_point_goes_on_with_the_same_molecules(cut: int) -> None:
    whole = Course(make()).run(14)
    first = Course(make()).run(cut)
    first.optimizer.ask(6)  # killed between ask and tell
    rest = restored(first).run(14 - cut)
    assert first.ledger + rest.ledger == whole.ledger


@pytest.mark.parametrize("cut", [5, 7, 9])
def test_a_run_killed_after_it_began_anew_goes_on_with_the_same_molecules(cut: int) -> None:
    impatient = {"patience": 6}
    whole = Course(make(**impatient), score=spread_little).run(12)
    first = Course(make(**impatient), score=spread_little).run(cut)
    assert first.optimizer.attempt >= 1
    rest = restored(first, **impatient).run(12 - cut)
    assert first.ledger + rest.ledger == whole.ledger
    assert whole.optimizer.attempt >= 3


def test_an_attempt_knows_nothing_of_those_before_and_every_other_one_all() -> None:
    course = Course(make(patience=6), score=spread_little)
    known: dict[int, set[str]] = {}
    while course.optimizer.attempt < 4:
        before, paid = course.optimizer.attempt, set(course.known)
        course.step()
        if course.optimizer.attempt > before:
            known[course.optimizer.attempt] = set(course.optimizer.smiles)
            assert set(course.optimizer.smiles) | set(course.optimizer.elsewhere) == set(course.known)
            assert paid
            word = "together" if course.optimizer.attempt in (2, 4) else "anew"
            assert word in course.optimizer.notes()[0]
        else:
            assert not course.optimizer.notes()
    assert not known[1]
    assert not known[3]
    assert len(known[2]) > 20
    assert len(known[4]) > len(known[2])
    assert len({text for text, _, _ in course.ledger}) == len(course.ledger)  # nothing is paid for twice


def test_an_attempt_begins_from_the_seed_compounds_again() -> None:
    course = Course(make(patience=6), score=spread_little)
    texts = [Chem.CanonSmiles(text) for text in SHELF[:12]]
    course.optimizer.adopt([Proposal(i, text, "seed") for i, text in enumerate(texts)])
    values = [spread_little(text) for text in texts]
    told = zip(texts, values, strict=True)
    course.optimizer.tell([Result(i, "scored", t, v, v) for i, (t, v) in enumerate(told)])
    course.known |= dict(zip(texts, values, strict=True))
    while course.optimizer.attempt < 1:
        course.step()
    assert course.optimizer.smiles == texts
    again = restored(course, patience=6)
    assert [p.smiles for p in course.step()] == [p.smiles for p in again.step()]
    assert "prior" not in {p.origin for p in course.optimizer.ask(6)}


def test_what_an_earlier_round_found_is_no_seed_compound() -> None:
    def tell(origin: str, texts: list[str]) -> None:
        first = course.optimizer.next_id
        course.optimizer.adopt([Proposal(first + i, text, origin) for i, text in enumerate(texts)])
        values = [spread_little(text) for text in texts]
        told = enumerate(zip(texts, values, strict=True), first)
        course.optimizer.tell([Result(i, "scored", text, v, v) for i, (text, v) in told])
        course.known |= dict(zip(texts, values, strict=True))

    course = Course(make(patience=6), score=spread_little)
    texts = [Chem.CanonSmiles(text) for text in SHELF[:24]]
    tell("seed", texts[:12])
    course.optimizer.revise({})  # a further round begins with the state of the one before, and no scores
    course.known.clear()
    tell(CARRIED, texts)
    assert set(course.optimizer.smiles) == set(texts)
    while course.optimizer.attempt < 1:
        course.step()
    assert course.optimizer.smiles == texts[:12]


def test_a_search_told_to_be_patient_for_ever_never_begins_anew() -> None:
    course = Course(make(patience=0), score=spread_little).run(8)
    assert course.optimizer.attempt == 0


def test_other_scores_give_it_its_patience_back() -> None:
    course = Course(make(patience=60), score=spread_little).run(8)
    assert course.optimizer.patience.paid
    course.optimizer.revise({text: nitrogens(text) for text in course.optimizer.smiles})
    assert not course.optimizer.patience.paid


def test_scores_that_change_are_right_in_the_attempts_before_too() -> None:
    course = Course(make(patience=6), score=spread_little)
    while course.optimizer.attempt < 1:
        course.step()
    before = list(course.optimizer.elsewhere)
    assert before
    course.optimizer.revise({text: 0.25 for text in before[1:]})
    assert course.optimizer.elsewhere == dict.fromkeys(before[1:], 0.5)
    assert before[0] not in course.optimizer.ids


def test_what_it_chooses_is_better_than_what_it_draws() -> None:
    course = Course(make(candidates=8)).run(10)
    drawn = [v for _, origin, v in course.ledger if origin == "prior"]
    chosen = [v for _, origin, v in course.ledger if origin != "prior"]
    assert len(chosen) > 30
    assert np.mean(chosen[-12:]) > max(drawn)
    assert len({text for text, _, _ in course.ledger}) == len(course.ledger)


@pytest.mark.parametrize("score", [lambda s: 0.0, lambda s: 0.7, lambda s: math.nan], ids=["0", "0.7", "nan"])
def test_a_flat_objective_is_searched_by_drawing(score) -> None:
    course = Course(make(), score).run(5)
    assert {origin for _, origin, _ in course.ledger} <= {"prior", "pieces"}
    assert len(course.ledger) >= 25


def test_an_objective_that_is_zero_almost_everywhere() -> None:
    course = Course(make(), lambda s: 0.2 if "S(=O)" in s and "s" in s else 0.0).run(10)
    assert sum(v > 0 for _, _, v in course.ledger[30:]) > sum(v > 0 for _, _, v in course.ledger[:12])


@pytest.mark.parametrize("left_out", PARTS)
def test_each_part_can_be_left_out(left_out: str) -> None:
    parts = [part for part in PARTS if part != left_out]
    course = Course(make(parts)).run(4)
    origins = {origin for _, origin, _ in course.ledger}
    made_by = {
        "genetic": {"crossover", "mutation"},
        "recombination": {"recombination"},
        "language_model": {"language_model"},
    }
    assert not origins & made_by.get(left_out, set())
    assert len(course.ledger) > 12


def test_without_anybody_who_proposes_it_says_what_to_add() -> None:
    with pytest.raises(ConfigError, match="add language_model"):
        make(["surrogate"])
    with pytest.raises(ConfigError, match="parts"):
        strategy("hybrid", {"parts": ["surogate"]})


@pytest.mark.parametrize("parts", [PARTS, [part for part in PARTS if part != "surrogate"]])
def test_a_score_that_likes_size_does_not_grow_monsters(parts) -> None:
    course = Course(make(parts, largest=26, start=6), score=lambda s: atoms(s) / 100).run(8)
    made = [atoms(text) for text, origin, _ in course.ledger if origin != "prior"]
    assert len(made) > 12
    assert max(made) in (25, 26)  # it goes to the bound, and not beyond


def test_what_is_odd_about_the_seed_compounds_is_not_held_against_their_children() -> None:
    ring = "O=C1NCCCCCCCCCCCCN1"  # of 15 atoms: no ring of ZINC250k is as large
    seeds = [Chem.CanonSmiles(ring.replace("O=C1N", f"O=C1N({part})")) for part in ("C", "CC", "CCO", "CCN")]
    course = Course(make(["genetic", "surrogate"], start=4), score=atoms_in_rings)
    course.optimizer.adopt([Proposal(i, text, "seed") for i, text in enumerate(seeds)])
    course.optimizer.tell(
        [Result(i, "scored", t, atoms_in_rings(t), atoms_in_rings(t)) for i, t in enumerate(seeds)]
    )
    again = restored(course, parts=["genetic", "surrogate"], start=4)
    made = [p.smiles for _ in range(2) for p in course.step()]
    assert sum(atoms_in_rings(text) > 0.13 for text in made) > 2
    assert [p.smiles for _ in range(2) for p in again.step()] == made


def test_a_checkpoint_of_before_there_was_a_largest_size_goes_on() -> None:
    course = Course(make(start=6)).run(2)
    assert course.optimizer.begun.largest >= max(atoms(text) for text, _, _ in course.ledger[:6])
    values, tensors = course.optimizer.state()
    values["seeds"] = values.pop("begun")["seeds"] + [SHELF[0]]
    older = make(start=6)
    older.load_state(values, tensors)
    assert list(older.begun.seeds) == [SHELF[0]]
    assert len(older.ask(6)) == 6


def test_seed_compounds_are_parents_and_count_towards_the_start() -> None:
    course = Course(make())
    seeds = [Proposal(i, text, "seed", (f"CPD-{i}",)) for i, text in enumerate(SHELF[:12])]
    course.optimizer.adopt(seeds)
    texts = [Chem.CanonSmiles(p.smiles) for p in seeds]
    course.optimizer.tell(
        [Result(p.id, "scored", t, nitrogens(t), nitrogens(t)) for p, t in zip(seeds, texts, strict=True)]
    )
    proposals = course.step()
    assert min(p.id for p in proposals) == 12
    assert {p.origin for p in proposals} != {"prior"}
    assert any(set(p.parents) <= {str(i) for i in range(12)} and p.parents for p in proposals)
    assert not {Chem.CanonSmiles(p.smiles) for p in proposals} & set(texts)


def test_a_scaffold_that_is_full_is_left_alone() -> None:
    course = Course(make()).run(4)
    ring = "c1ccc(N2CCNCC2)cc1"
    proposals = course.optimizer.ask(6)
    results = [Result(p.id, "scored", f"{'C' * (i + 2)}{ring}", 0.0, 0.9) for i, p in enumerate(proposals)]
    course.optimizer.tell(results)
    assert list(course.optimizer.full) == [Chem.CanonSmiles("c1ccc(N2CCNCC2)cc1")]
    before = len(course.ledger)
    course.run(3)
    ours = Chem.MolFromSmarts("c1ccccc1N1CCNCC1")
    from molgen.chem.fragments import murcko_scaffold

    later = [murcko_scaffold(Chem.MolFromSmiles(text)) for text, _, _ in course.ledger[before:]]
    assert ours is not None
    assert not set(later) & set(course.optimizer.full)


def test_scores_that_change_are_learned_anew() -> None:
    course = Course(make()).run(5)
    other = {text: 1.0 - value for text, value in course.known.items()}
    course.optimizer.revise(other)
    assert sorted(course.optimizer.surrogate.scores) == pytest.approx(
        sorted(math.sqrt(v) for v in other.values())
    )
    again = restored(course)
    assert [p.smiles for p in course.optimizer.ask(6)] == [p.smiles for p in again.optimizer.ask(6)]
    half = dict(list(other.items())[:15])
    course.optimizer.revise(half)
    assert set(course.optimizer.smiles) == set(half)
    again = restored(course)
    assert [p.smiles for p in course.step()] == [p.smiles for p in again.step()]


def test_fewer_are_proposed_than_asked_when_a_step_pays_for_fewer() -> None:
    assert len(make(paid=3).ask(64)) == 3
    assert len(make(paid=10).ask(2)) == 2


def test_strange_results_are_refused() -> None:
    optimizer = make()
    optimizer.ask(3)
    with pytest.raises(ValueError, match="not asked"):
        optimizer.tell([Result(99, "scored", "CCO", 0.5, 0.5)])


def test_the_parameters_have_sane_defaults() -> None:
    assert HybridParams().parts == list(PARTS)  # type: ignore[call-arg]
