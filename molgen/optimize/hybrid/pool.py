"""The candidates of a step: what the proposers made, what the surrogate thinks of it, generation after generation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from rdkit import Chem, rdBase

from molgen.core.seeding import numpy_generator, stream
from molgen.optimize.hybrid.acquisition import choose, curiosities, shortlist
from molgen.optimize.hybrid.bandit import Bandit
from molgen.optimize.hybrid.begun import Begun
from molgen.optimize.hybrid.features import Row, featurize
from molgen.optimize.hybrid.params import HybridParams
from molgen.optimize.hybrid.proposers import Idea, Knowledge, Proposer
from molgen.optimize.hybrid.surrogate import Belief, Surrogate

_TOGETHER = 192  # candidates among which a batch is chosen
_PIECES = 200  # best paid molecules whose pieces are put together anew
_HALF = 0.03  # share of the parents up to which they are drawn almost alike


@dataclass(frozen=True)
class Candidate:
    """An unpaid molecule (canonical SMILES); ``ancestors``: ids of paid molecules that it was made of."""

    smiles: str
    origin: str
    ancestors: tuple[str, ...]
    arm: str
    nll: float | None = None


@dataclass
class Pool:
    """Candidates of one step. ``paid``: scores (as the surrogate sees them) of what is known, with ids."""

    params: HybridParams
    paid: Mapping[str, float]
    ids: Mapping[str, int]
    seen: Mapping[str, None]  # whatever need not be proposed again
    begun: Begun
    members: dict[str, Candidate] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    made: Counter[str] = field(default_factory=Counter)

    def take(self, ideas: Sequence[Idea], arm: str, knowledge: Knowledge | None) -> int:
        """Let new valid molecules in that are not too large; how many there were."""
        before = len(self.members)
        largest = self.params.largest or self.begun.room()
        for idea in ideas:
            with rdBase.BlockLogs():
                mol = Chem.MolFromSmiles(idea.smiles)
            if mol is None or not 0 < mol.GetNumHeavyAtoms() <= largest or "." in idea.smiles:
                continue
            text = Chem.MolToSmiles(mol)
            if text in self.seen or text in self.members:
                continue
            parents = [] if knowledge is None else [knowledge.parents[i] for i in idea.parents]
            self.members[text] = Candidate(text, idea.origin, self._ancestors(parents), arm, idea.nll)
            # a sum over atoms depends on their order in its last bit: the order is that of the canonical string, as
            # when a checkpoint is read again
            self.rows[text] = featurize(mol if text == idea.smiles else Chem.MolFromSmiles(text))
        self.made[arm] += len(ideas)
        return len(self.members) - before

    def _ancestors(self, parents: Sequence[str]) -> tuple[str, ...]:
        found: dict[str, None] = {}
        for parent in parents:
            if parent in self.ids:
                found[str(self.ids[parent])] = None
            elif parent in self.members:
                found |= dict.fromkeys(self.members[parent].ancestors[:2])
        return tuple(found)[:4]

    def believe(self, surrogate: Surrogate, known: dict[str, tuple[float, float]]) -> Belief:
        """Mean and spread of all members; ``known`` keeps what was computed in this step."""
        missing = [text for text in self.members if text not in known]
        belief = surrogate.believe([self.rows[text] for text in missing])
        known |= {
            text: (float(mean), float(spread))
            for text, mean, spread in zip(missing, belief.mean, belief.spread, strict=True)
        }
        table = np.array([known[text] for text in self.members]).reshape(-1, 2)
        return Belief(table[:, 0], table[:, 1])

    def knowledge(self, belief: Belief | None, curiosity: float) -> Knowledge:
        """The parents: the best of what is paid, by score, and of the candidates, by their confidence bound."""
        texts, worth = list(self.paid), list(self.paid.values())
        if belief is not None:
            texts += list(self.members)
            worth += (belief.mean + curiosity * belief.spread).tolist()
        order = np.argsort(-np.array(worth), kind="stable")[: self.params.parents]
        weights = 1.0 / (_HALF * self.params.parents + np.arange(len(order)))
        chosen = [texts[i] for i in order]
        known = {**self.seen, **dict.fromkeys(self.members)}
        best = sorted(self.paid, key=lambda text: -self.paid[text])[:_PIECES]
        paid = [(text, self.paid[text]) for text in best]
        return Knowledge(chosen, np.array([worth[i] for i in order]), known, weights, paid, self.begun.table)

    def keep(self, belief: Belief, chosen: Sequence[str]) -> list[Candidate]:
        """The best unpaid members, for the next step."""
        taken = set(chosen)
        members = list(self.members.values())
        order = shortlist(belief, self.params.pool + len(taken), 0.5 * self.params.exploration)
        return [members[i] for i in order if members[i].smiles not in taken][: self.params.pool]


def fill(pool: Pool, proposers: Sequence[Proposer], bandit: Bandit, n: int, seed: int, round_: int) -> None:
    """Fill the pool with ``n`` children of what is paid, without judging them."""
    rng = numpy_generator(seed, "unjudged", round_)
    shares = bandit.shares(rng)
    knowledge = pool.knowledge(None, 0.0)
    for proposer in proposers:
        share = n * shares[proposer.name]
        number = int(share) + int(rng.random() < share % 1)
        ideas = proposer.propose(number, stream(seed, proposer.name, round_), knowledge)
        pool.take(ideas, proposer.name, knowledge)


def grow(
    pool: Pool,
    proposers: Sequence[Proposer],
    bandit: Bandit,
    surrogate: Surrogate,
    n: int,
    seed: int,
) -> Belief:
    """Fill the pool with ``candidates`` for each of ``n``, in generations that climb what the surrogate believes."""
    params = pool.params
    rng = numpy_generator(seed, "grow")
    wanted = n * params.candidates
    known: dict[str, tuple[float, float]] = {}
    belief = pool.believe(surrogate, known)
    for generation in range(params.generations):
        shares = bandit.shares(rng)
        curiosity = float(curiosities(1, params.exploration, rng)[0])
        knowledge = pool.knowledge(belief, curiosity)
        for proposer in proposers:
            rounds = 1 if proposer.once else params.generations
            if proposer.once and generation:
                continue
            share = wanted * shares[proposer.name] / rounds
            number = int(share) + int(rng.random() < share % 1)
            ideas = proposer.propose(number, stream(seed, proposer.name, generation), knowledge)
            pool.take(ideas, proposer.name, knowledge)
        belief = pool.believe(surrogate, known)
    return belief


def pick(pool: Pool, belief: Belief, surrogate: Surrogate, n: int, seed: int) -> list[Candidate]:
    """The ``n`` candidates to pay for."""
    assert surrogate.hyper is not None
    members = list(pool.members.values())
    few = shortlist(belief, _TOGETHER, pool.params.exploration)
    weights = curiosities(n, pool.params.exploration, numpy_generator(seed, "pick"))
    covariance = surrogate.together([pool.rows[members[i].smiles] for i in few])
    chosen = choose(belief.mean[few], covariance, weights, surrogate.hyper.noise)
    return [members[few[k]] for k in chosen]
