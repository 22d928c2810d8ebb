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

from molgen.chem.canonical import scaffold_of
from molgen.core.errors import ConfigError
from molgen.core.seeding import numpy_generator, stream
from molgen.optimize.agent import Lesson
from molgen.optimize.hybrid.attempts import Patience, begins_with, together
from molgen.optimize.hybrid.bandit import Bandit
from molgen.optimize.hybrid.begun import Begun
from molgen.optimize.hybrid.draws import drawn
from molgen.optimize.hybrid.features import Row, featurize
from molgen.optimize.hybrid.params import HybridParams
from molgen.optimize.hybrid.pool import Candidate, Pool, fill, grow, pick
from molgen.optimize.hybrid.proposers import LanguageModel, Proposer, build_proposers
from molgen.optimize.hybrid.surrogate import Surrogate, seen_as
from molgen.optimize.protocol import Proposal, Result

#: A win is to be among so many best.
_BEST = 50
#: Times the points of the surrogate: known molecules that a common attempt begins with, at most.
_TOGETHER = 2


class Hybrid:
    """The strategy ``hybrid``, behind ask/tell. Works with every model that draws."""

    name = "hybrid"

    def __init__(self, prior: Any, params: HybridParams, seed: int) -> None:
        self.prior, self.params, self.seed = prior, params, seed
        self.round = self.next_id = self.attempt = 0
        self.begun = Begun()
        self.ids: dict[str, int] = {}
        self.seen: dict[str, None] = {}
        self.elsewhere: dict[str, float] = {}  # scores of what the present attempt does not know of
        self.full: dict[str, None] = {}  # scaffolds that earn nothing any more
        self._begin()
        self._pending: dict[int, Proposal] = {}
        self._arms: dict[int, str] = {}
        self._made: dict[str, int] = {}
        self._left: list[Candidate] | None = None
        self._notes: list[str] = []

    def _begin(self, smiles: Sequence[str] = (), scores: Sequence[float] = ()) -> None:
        """An attempt that knows no more than these molecules, with everybody who takes part as on the first day."""
        params, seed = self.params, stream(self.seed, "attempt", self.attempt) if self.attempt else self.seed
        self.proposers: list[Proposer] = build_proposers(self.prior, params, seed)
        if not self.proposers:
            raise ConfigError(
                "optimizer 'hybrid' has nobody to propose: add language_model, genetic or recombination",
                "optimizer.params.parts",
            )
        model = next((p for p in self.proposers if isinstance(p, LanguageModel)), None)
        # also begins a search without it
        self.draws = model or LanguageModel(self.prior, params, seed, teach=False)
        self.bandit = Bandit({p.name: p.cost for p in self.proposers}, "bandit" in params.parts)
        self.surrogate = Surrogate(params.points, stream(seed, "surrogate"))
        self.patience = Patience(params.patience)
        self.smiles = list(smiles)  # of the surrogate's molecules, in its order
        self.waiting: list[Candidate] = []  # the pool that the last step left
        self._rows: dict[str, Row] = {}
        self._learn([self._row(text) for text in smiles], scores)

    def _begin_anew(self) -> None:
        """The next attempt: on its own, or with all that is known."""
        known = self.elsewhere | dict(zip(self.smiles, self.surrogate.scores, strict=True))
        self.attempt += 1
        rng = numpy_generator(self.seed, "together", self.attempt)
        own = begins_with(self.attempt, known, self.begun.seeds, _TOGETHER * self.params.points, rng)
        self._notes = [
            f"the ten best have stood still for {self.params.patience} molecules: "
            + (f"{len(own):,} of all go on together" if together(self.attempt) else "the search begins anew")
        ]
        self.elsewhere = {text: score for text, score in known.items() if text not in own}
        self._begin(list(own), list(own.values()))

    # -- ask -----------------------------------------------------------------------------------------

    def ask(self, n: int) -> list[Proposal]:
        """At most ``n`` molecules, and at most ``paid``: none known; drawn from the model until there is a start."""
        n = min(n, self.params.paid)
        self._made, self._left, self._arms = {}, None, {}
        chosen: list[Candidate] = []
        if self._knows_enough():
            chosen = self._chosen(n) if "surrogate" in self.params.parts else self._unjudged(n)
        chosen += drawn(
            self.draws, n - len(chosen), (self.seen, {c.smiles for c in chosen}), self.seed, self.round
        )
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
        return Pool(self.params, paid, self.ids, self.seen, self.begun)

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
        pool = self._pool()
        fill(pool, self.proposers, self.bandit, n, self.seed, self.round)
        self._made = dict(pool.made)
        return [c for c in pool.members.values() if not self._is_full(c.smiles)][:n]

    def _is_full(self, smiles: str) -> bool:
        return bool(self.full) and scaffold_of(smiles) in self.full

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
            self.begun.take(
                result.smiles, self._pending[result.id].origin, adopted=result.id not in self._arms
            )
            if result.score <= 0 < result.total:  # its scaffold is full
                self.full[scaffold_of(result.smiles)] = None
                continue
            new[result.smiles] = (result.id, seen_as(result.score))
            lessons.append(Lesson(raw, result.smiles, result.score))
            if result.id in self._arms and (len(bar) < _BEST or seen_as(result.score) > bar[0]):
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
        self._pending, self._left, self._notes = {}, None, []
        metrics["attempt"] = float(self.attempt)
        if self.patience.exhausted:
            self._begin_anew()
        made = sum(self._made.values())
        metrics |= {f"share/{arm}": number / made for arm, number in self._made.items()}
        return metrics | {"candidates": float(made), "winners": float(len(winners))}

    def notes(self) -> list[str]:
        """Whether the last step was the last of an attempt."""
        return self._notes

    def _take(self, new: Mapping[str, tuple[int, float]]) -> None:
        """Give new molecules to the surrogate."""
        rows = [self._row(text) for text in new]
        self.smiles += new
        self.ids |= {text: number for text, (number, _) in new.items()}
        self._learn(rows, [score for _, score in new.values()])
        self.patience.tell(self.surrogate.scores, len(new))

    def _learn(self, rows: Sequence[Row], scores: Sequence[float]) -> None:
        if "surrogate" in self.params.parts and len(self.smiles) >= self.params.start:
            self.surrogate.add(rows, scores)
        else:  # nothing is computed before it is needed
            self.surrogate.rows += rows
            self.surrogate.scores += scores

    def revise(self, scores: Mapping[str, float]) -> None:
        """Molecules are worth something else now, or nothing any more."""
        known = {text: score for text, score in scores.items() if not math.isnan(score)}
        self._open(known)
        self.draws.revise(known)
        self.patience = Patience(self.params.patience)  # the best of now are others
        self.elsewhere = {text: seen_as(known[text]) for text in self.elsewhere if text in known}
        kept = [i for i, text in enumerate(self.smiles) if text in known]
        changed = {i: seen_as(known[self.smiles[i]]) for i in kept}
        if len(kept) == len(self.smiles):
            self.surrogate.rescore(changed)
        else:
            rows = [self.surrogate.rows[i] for i in kept]
            self.smiles = [self.smiles[i] for i in kept]
            self.surrogate = Surrogate(self.params.points, self.surrogate.seed)
            self._learn(rows, [changed[i] for i in kept])
        # told again, the others are news
        self.ids = {text: self.ids[text] for text in (*self.smiles, *self.elsewhere)}

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
        values: dict[str, Any] = {name: getattr(self, name) for name in ("round", "next_id", "attempt")}
        values |= {
            "known": [[t, self.ids[t], s] for t, s in zip(self.smiles, self.surrogate.scores, strict=True)],
            "ids": dict(self.ids),
            "seen": list(self.seen),
            "begun": self.begun.state(),
            "elsewhere": [[text, score] for text, score in self.elsewhere.items()],
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
        self.round, self.next_id, self.attempt = values["round"], values["next_id"], values["attempt"]
        self._begin()
        self.smiles = [text for text, _, _ in values["known"]]
        self.ids = dict(values["ids"])
        self.seen, self.full = dict.fromkeys(values["seen"]), dict.fromkeys(values["full"])
        # a run that was begun before there was a largest size goes on with what it knows
        self.begun.load_state(values.get("begun") or {"seeds": values["seeds"], "largest": 0})
        self.elsewhere = {text: float(score) for text, score in values["elsewhere"]}
        self.waiting = [
            Candidate(text, origin, tuple(ancestors), arm, nll)
            for text, origin, ancestors, arm, nll in values["waiting"]
        ]
        rows = [featurize(Chem.MolFromSmiles(text)) for text in self.smiles]
        scores = [float(score) for _, _, score in values["known"]]
        self.surrogate.load_state(values["surrogate"], rows, scores)
        self.bandit.load_state(values["bandit"])
        self.patience.load_state(values["patience"])
        for proposer in self.proposers:
            start = f"{proposer.name}/"
            held = {key[len(start) :]: t for key, t in tensors.items() if key.startswith(start)}
            proposer.load_state(values[proposer.name], held)
