"""The strategy ``hybrid``: several proposers fill one pool, and a surrogate chooses which few are paid for.

A step: the proposers make children of the best molecules, paid for or only believed in, for a few generations; the
surrogate says of each what it is worth and how sure that is; the batch is chosen from greedy to curious; what was
paid for teaches surrogate, language model and the bandit that gives the proposers their shares. The inner search on
the surrogate follows Tripp and Hernandez-Lobato ("Diagnosing and fixing common problems in Bayesian optimization for
molecule design", 2024).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from rdkit import Chem

from molgen.chem.canonical import canonical, scaffold_of
from molgen.core.errors import ConfigError
from molgen.core.seeding import numpy_generator, stream
from molgen.optimize.agent import Lesson
from molgen.optimize.genetic.recombine import from_table
from molgen.optimize.hybrid.acquisition import Patience
from molgen.optimize.hybrid.bandit import Bandit
from molgen.optimize.hybrid.features import Row, featurize
from molgen.optimize.hybrid.params import HybridParams
from molgen.optimize.hybrid.pool import Candidate, Pool, grow, pick
from molgen.optimize.hybrid.proposers import LanguageModel, Proposer, build_proposers
from molgen.optimize.hybrid.surrogate import Surrogate
from molgen.optimize.protocol import Proposal, Result

#: Times the model is asked for what is still missing, before common pieces of ZINC250k have to do.
_DRAWS = 4
#: A win is to be among so many best.
_BEST = 50


class Hybrid:
    """The strategy ``hybrid``, behind ask/tell. Works with every model that draws."""

    name = "hybrid"

    def __init__(self, prior: Any, params: HybridParams, seed: int) -> None:
        self.params, self.seed = params, seed
        self.proposers: list[Proposer] = build_proposers(prior, params, seed)
        if not self.proposers:
            raise ConfigError(
                "optimizer 'hybrid' has nobody to propose: add language_model, genetic or recombination",
                "optimizer.params.parts",
            )
        model = next((p for p in self.proposers if isinstance(p, LanguageModel)), None)
        self.draws = model or LanguageModel(
            prior, params, seed, teach=False
        )  # also begins a search without it
        self.bandit = Bandit({p.name: p.cost for p in self.proposers}, "bandit" in params.parts)
        self.surrogate = Surrogate(params.points, stream(seed, "surrogate"))
        self.patience = Patience(params.patience)
        self.round = self.next_id = 0
        self.smiles: list[str] = []  # of the surrogate's molecules, in its order
        self.ids: dict[str, int] = {}
        self.seen: dict[str, None] = {}
        self.full: dict[str, None] = {}  # scaffolds that earn nothing any more
        self.waiting: list[Candidate] = []  # the pool that the last step left
        self._rows: dict[str, Row] = {}
        self._pending: dict[int, Proposal] = {}
        self._arms: dict[int, str] = {}
        self._made: dict[str, int] = {}
        self._left: list[Candidate] | None = None

    # -- ask -----------------------------------------------------------------------------------------

    def ask(self, n: int) -> list[Proposal]:
        """At most ``n`` molecules, and at most ``paid``: none known; drawn from the model until there is a start."""
        n = min(n, self.params.paid)
        self._made, self._left, self._arms = {}, None, {}
        chosen: list[Candidate] = []
        if self._knows_enough():
            chosen = self._chosen(n) if "surrogate" in self.params.parts else self._unjudged(n)
        chosen += self._drawn(n - len(chosen), {c.smiles for c in chosen})
        proposals = [
            Proposal(self.next_id + i, c.smiles, c.origin, c.ancestors, c.nll) for i, c in enumerate(chosen)
        ]
        self._pending = {p.id: p for p in proposals}
        self._arms = {p.id: c.arm for p, c in zip(proposals, chosen, strict=True)}
        return proposals

    def _knows_enough(self) -> bool:
        """Whether there are enough scores, and not all the same: else there is nothing to climb."""
        scores = self.surrogate.scores
        return len(scores) >= self.params.start and max(scores) > min(scores) + 1e-9

    def _pool(self) -> Pool:
        paid = dict(zip(self.smiles, self.surrogate.scores, strict=True))
        return Pool(self.params, self.patience.factor, paid, self.ids, self.seen)

    def _chosen(self, n: int) -> list[Candidate]:
        """The inner search, and the choice."""
        seed = stream(self.seed, "ask", self.round)
        pool = self._pool()
        for candidate in self.waiting:
            pool.members[candidate.smiles] = candidate
            pool.rows[candidate.smiles] = self._row(candidate.smiles)
        belief = grow(pool, self.proposers, self.bandit, self.surrogate, n, seed)
        if self.full:
            room = [not self._is_full(text) for text in pool.members]
            belief.mean[~np.array(room, dtype=bool)] = -math.inf
        chosen = pick(pool, belief, self.surrogate, n, seed) if pool.members else []
        self._made = dict(pool.made)
        self._left = pool.keep(belief, [c.smiles for c in chosen])
        self._rows = {c.smiles: pool.rows[c.smiles] for c in [*self._left, *chosen]}
        return [c for c in chosen if not self._is_full(c.smiles)]

    def _unjudged(self, n: int) -> list[Candidate]:
        """Without a surrogate: what the proposers make of the best molecules is paid for as it comes."""
        rng = numpy_generator(self.seed, "unjudged", self.round)
        pool = self._pool()
        shares = self.bandit.shares(rng)
        knowledge = pool.knowledge(None, 0.0)
        for proposer in self.proposers:
            share = n * shares[proposer.name]
            number = int(share) + int(rng.random() < share % 1)
            ideas = proposer.propose(number, stream(self.seed, proposer.name, self.round), knowledge)
            pool.take(ideas, proposer.name, knowledge)
        self._made = dict(pool.made)
        return [c for c in pool.members.values() if not self._is_full(c.smiles)][:n]

    def _is_full(self, smiles: str) -> bool:
        return bool(self.full) and scaffold_of(smiles) in self.full

    def _drawn(self, n: int, taken: set[str]) -> list[Candidate]:
        """``n`` molecules of the model, as far as it draws valid new ones; then what pieces of ZINC250k make."""
        found: list[Candidate] = []
        spare: list[Candidate] = []
        for attempt in range(_DRAWS):
            if len(found) == n:
                return found
            for idea in self.draws.propose(n - len(found), stream(self.seed, "draw", self.round, attempt)):
                text = canonical(idea.smiles)
                candidate = Candidate(text or idea.smiles, "prior", (), self.draws.name, idea.nll)
                if text is None or text in self.seen or text in taken:
                    spare.append(candidate)
                else:
                    taken.add(text)
                    found.append(candidate)
        for text in from_table(2 * (n - len(found)), numpy_generator(self.seed, "pieces", self.round)):
            if len(found) < n and text not in self.seen and text not in taken:
                taken.add(text)
                found.append(Candidate(text, "pieces", (), "pieces"))
        return found + spare[: n - len(found)]

    # -- tell ----------------------------------------------------------------------------------------

    def adopt(self, proposals: Sequence[Proposal]) -> None:
        """Take the user's seed compounds: with their scores they are parents like all others."""
        self._pending |= {p.id: p for p in proposals}

    def tell(self, results: Sequence[Result]) -> dict[str, float]:
        """Learn: the surrogate every score, the language model the best, the bandit who made them."""
        unknown = [r.id for r in results if r.id not in self._pending]
        if unknown:
            raise ValueError(f"tell() got ids that were not asked: {unknown[:5]}; pass each result back once")
        ordered = sorted(results, key=lambda r: r.id)
        bar = sorted(self.surrogate.scores)[-_BEST:]
        new: dict[str, tuple[int, float]] = {}
        lessons, winners = [], []
        for result in ordered:
            raw = self._pending[result.id].smiles
            self.seen |= dict.fromkeys(text for text in (raw, result.smiles) if text)
            if result.smiles is None or math.isnan(result.score) or result.smiles in self.ids:
                continue
            if result.score <= 0 < result.total:  # its scaffold is full
                self.full[scaffold_of(result.smiles)] = None
                continue
            new[result.smiles] = (result.id, _seen_as(result.score))
            lessons.append(Lesson(raw, result.smiles, result.score))
            if result.id in self._arms and (len(bar) < _BEST or _seen_as(result.score) > bar[0]):
                winners.append(self._arms[result.id])
        self._take(new)
        self.bandit.tell(self._made, winners)
        metrics: dict[str, float] = {}
        for proposer in self.proposers:
            metrics |= {f"{proposer.name}/{k}": v for k, v in proposer.learn(lessons).items()}
        if self._left is not None:
            self.waiting = self._left
        self.round += 1
        self.next_id = max([self.next_id, *(i + 1 for i in self._pending)])
        self._pending, self._left = {}, None
        metrics["exploration"] = self.params.exploration * self.patience.factor
        made = sum(self._made.values())
        metrics |= {f"share/{arm}": number / made for arm, number in self._made.items()}
        return metrics | {"candidates": float(made), "winners": float(len(winners))}

    def _take(self, new: Mapping[str, tuple[int, float]]) -> None:
        """Give new molecules to the surrogate."""
        rows = [self._row(text) for text in new]
        self.smiles += new
        self.ids |= {text: number for text, (number, _) in new.items()}
        scores = [score for _, score in new.values()]
        if "surrogate" in self.params.parts and len(self.smiles) >= self.params.start:
            self.surrogate.add(rows, scores)
        else:  # nothing is computed before it is needed
            self.surrogate.rows += rows
            self.surrogate.scores += scores
        self.patience.tell(self.surrogate.scores, len(new))

    def revise(self, scores: Mapping[str, float]) -> None:
        """Molecules are worth something else now, or nothing any more."""
        known = {text: score for text, score in scores.items() if not math.isnan(score)}
        self._open(known)
        self.draws.revise(known)
        kept = [i for i, text in enumerate(self.smiles) if text in known]
        changed = {i: _seen_as(known[self.smiles[i]]) for i in kept}
        self.patience = Patience(self.params.patience)  # the best of now are others
        if len(kept) == len(self.smiles):
            self.surrogate.rescore(changed)
            return
        rows = [self.surrogate.rows[i] for i in kept]
        self.smiles = [self.smiles[i] for i in kept]
        self.ids = {text: self.ids[text] for text in self.smiles}  # told again, the others are news
        self.surrogate = Surrogate(self.params.points, self.surrogate.seed)
        self.surrogate.rows, self.surrogate.scores = rows, [changed[i] for i in kept]
        if "surrogate" in self.params.parts and len(rows) >= self.params.start:
            self.surrogate.add([], [])

    def _open(self, scores: Mapping[str, float]) -> None:
        """Scaffolds have room again whose molecules are worth something now, or are not known any more."""
        closed = {scaffold_of(text) for text, score in scores.items() if score <= 0 and text not in self.ids}
        self.full = dict.fromkeys(scaffold for scaffold in self.full if scaffold in closed)

    def _row(self, smiles: str) -> Row:
        if smiles not in self._rows:
            self._rows[smiles] = featurize(Chem.MolFromSmiles(smiles))
        return self._rows[smiles]

    # -- keeping -------------------------------------------------------------------------------------

    def model(self) -> Any | None:
        """The language model that was taught, None if there is none."""
        return self.draws.model()

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """All that is known, the pool that waits, and the states of the parts."""
        values: dict[str, Any] = {name: getattr(self, name) for name in ("round", "next_id")}
        values |= {
            "known": [[t, self.ids[t], s] for t, s in zip(self.smiles, self.surrogate.scores, strict=True)],
            "ids": dict(self.ids),
            "seen": list(self.seen),
            "full": list(self.full),
            "waiting": [[c.smiles, c.origin, list(c.ancestors), c.arm, c.nll] for c in self.waiting],
            "surrogate": self.surrogate.state(),
            "bandit": self.bandit.state(),
            "patience": self.patience.state(),
        }
        tensors: dict[str, Any] = {}
        for proposer in self.proposers:
            own, held = proposer.state()
            values[proposer.name] = own
            tensors |= {f"{proposer.name}/{key}": tensor for key, tensor in held.items()}
        return values, tensors

    def load_state(self, values: dict[str, Any], tensors: dict[str, Any]) -> None:
        """Inverse of :meth:`state`."""
        self.round, self.next_id = values["round"], values["next_id"]
        self.smiles = [text for text, _, _ in values["known"]]
        self.ids = dict(values["ids"])
        self.seen, self.full = dict.fromkeys(values["seen"]), dict.fromkeys(values["full"])
        self.waiting = [
            Candidate(text, origin, tuple(ancestors), arm, nll)
            for text, origin, ancestors, arm, nll in values["waiting"]
        ]
        self._rows = {}
        rows = [featurize(Chem.MolFromSmiles(text)) for text in self.smiles]
        scores = [float(score) for _, _, score in values["known"]]
        self.surrogate.load_state(values["surrogate"], rows, scores)
        self.bandit.load_state(values["bandit"])
        self.patience.load_state(values["patience"])
        for proposer in self.proposers:
            start = f"{proposer.name}/"
            held = {key[len(start) :]: t for key, t in tensors.items() if key.startswith(start)}
            proposer.load_state(values[proposer.name], held)


def _seen_as(score: float) -> float:
    """The score as the surrogate sees it: by its root, differences between poor molecules count more.

    Products of desirabilities are easier to predict that way (measured: docs/decisions.md).
    """
    return math.sqrt(max(score, 0.0))
