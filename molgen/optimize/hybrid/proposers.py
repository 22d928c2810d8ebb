"""Those who propose: a language model, genetic operators, recombined pieces, and points of a latent space."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch

from molgen.core.seeding import numpy_generator, stream, torch_generator
from molgen.models.protocol import HasDecoder, HasEncoder, HasLikelihood
from molgen.optimize.agent import Agent, Lesson
from molgen.optimize.agent_params import AgentParams
from molgen.optimize.genetic.operators import Child, offspring
from molgen.optimize.genetic.recombine import recombine
from molgen.optimize.genetic.tables import Tables
from molgen.optimize.hybrid.params import HybridParams

#: How the language model is taught: by the best molecules whoever proposed them, respelled, few and strong updates.
TEACHING = AgentParams.model_validate(
    {"sigma": 500.0, "share": 0.0, "replay_size": 128, "replay_sample": 48, "replay_weight": "rank"}
    | {"replay_per_scaffold": 16, "rounds": 1, "randomize": "random"}
)
_STEP = 0.35  # of a move in the latent space, in standard deviations of the molecules that it starts from


@dataclass(frozen=True)
class Idea:
    """A raw string that somebody proposes; ``parents``: positions among the parents of the :class:`Knowledge`."""

    smiles: str
    origin: str
    parents: tuple[int, ...] = ()
    nll: float | None = None


@dataclass(frozen=True)
class Knowledge:
    """What a proposer may build on: parents with their worth (paid or believed), and what need not come back."""

    parents: Sequence[str]
    worth: np.ndarray
    known: Collection[str]
    weights: np.ndarray  # of being drawn as a parent
    paid: Sequence[tuple[str, float]]  # the best that were paid for, with their scores
    table: Tables  # what the genetic operators know


class Proposer(Protocol):
    """One way to make candidates. ``propose`` changes nothing; the same state and seed give the same ideas."""

    name: str
    cost: float  # of a candidate, in those of the genetic operators
    once: bool  # proposes in the first round of a step only: nothing new would come of later ones

    def propose(self, n: int, seed: int, knowledge: Knowledge) -> list[Idea]:
        """At most ``n`` ideas, possibly invalid or known."""
        ...

    def learn(self, lessons: Sequence[Lesson]) -> dict[str, float]:
        """Take what was paid for; metrics."""
        ...

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """(JSON-able values, tensors by name)."""
        ...

    def load_state(self, values: Mapping[str, Any], tensors: Mapping[str, Any]) -> None:
        """Inverse of :meth:`state`."""
        ...


class _Untaught:
    """A proposer that has nothing to learn."""

    def learn(self, lessons: Sequence[Lesson]) -> dict[str, float]:
        """Nothing."""
        return {}

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Nothing."""
        return {}, {}

    def load_state(self, values: Mapping[str, Any], tensors: Mapping[str, Any]) -> None:
        """Nothing."""


class LanguageModel:
    """Draws of the prior, taught by the best molecules if it has a likelihood; else as it is."""

    name, cost, once = "language_model", 5.0, True

    def __init__(self, prior: Any, params: HybridParams, seed: int, *, teach: bool = True) -> None:
        self.prior = prior
        self.every = params.teach_every
        can = teach and isinstance(prior, HasLikelihood)
        self.agent = Agent(prior, TEACHING, stream(seed, "agent"), owner="hybrid") if can else None
        self.waiting: list[Lesson] = []

    def propose(self, n: int, seed: int, knowledge: Knowledge | None = None) -> list[Idea]:
        """``n`` strings."""
        if n < 1:
            return []
        if self.agent is not None:
            drawn = self.agent.draw(n, seed)
            return [Idea(text, self.name, (), nll) for text, nll in zip(drawn.smiles, drawn.nll, strict=True)]
        return [Idea(text, "prior") for text in self.prior.sample(n, seed=seed, batch_size=n).smiles]

    def learn(self, lessons: Sequence[Lesson]) -> dict[str, float]:
        """Collect the lessons; when there are enough of them, learn."""
        if self.agent is None:
            return {}
        self.waiting += lessons
        if len(self.waiting) < self.every:
            return {}
        metrics = self.agent.learn(self.waiting)
        self.waiting = []
        return metrics

    def revise(self, scores: Mapping[str, float]) -> None:
        """What is remembered, or waits to be learned, is worth something else now; without a score it is forgotten."""
        if self.agent is not None:
            self.agent.replay.revise(scores)
            self.waiting = [
                Lesson(x.raw, x.smiles, scores[x.smiles])
                for x in self.waiting
                if x.smiles and x.smiles in scores
            ]

    def model(self) -> Any | None:
        """The taught model."""
        return None if self.agent is None else self.agent.model

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The agent and the lessons it has not had yet."""
        if self.agent is None:
            return {}, {}
        values, tensors = self.agent.state()
        return {"agent": values, "waiting": [[x.raw, x.smiles, x.score] for x in self.waiting]}, tensors

    def load_state(self, values: Mapping[str, Any], tensors: Mapping[str, Any]) -> None:
        """Inverse of :meth:`state`."""
        if self.agent is not None:
            self.agent.load_state(values["agent"], tensors)
            self.waiting = [Lesson(*row) for row in values["waiting"]]


class GeneticOperators(_Untaught):
    """Crossover and mutation of parents."""

    name, cost, once = "genetic", 1.0, False

    def __init__(self, params: HybridParams) -> None:
        self.strange = params.strange

    def propose(self, n: int, seed: int, knowledge: Knowledge) -> list[Idea]:
        """Children of parents drawn by weight."""
        rng = numpy_generator(seed)
        made = offspring(
            knowledge.parents, n, rng, weights=knowledge.weights.tolist(), known=knowledge.known,
            strange=self.strange, table=knowledge.table,
        )  # fmt: skip
        return _ideas(made)


class Recombination(_Untaught):
    """Molecules of the best pieces."""

    name, cost, once = "recombination", 1.0, False

    def __init__(self, params: HybridParams) -> None:
        self.strange = params.strange

    def propose(self, n: int, seed: int, knowledge: Knowledge) -> list[Idea]:
        """Pieces of paid molecules, ranked by score, put together anew.

        Not of candidates: each would be cut into pieces once to be believed in for one step, and cutting is the
        most expensive thing here (measured: two thirds of a step).
        """
        made = recombine(
            knowledge.paid,
            n,
            numpy_generator(seed),
            known=knowledge.known,
            strange=self.strange,
            table=knowledge.table,
        )
        place = {text: i for i, text in enumerate(knowledge.parents)}
        parents = [tuple(place.get(knowledge.paid[k][0], -1) for k in child[2]) for child in made]
        return [
            Idea(text, origin, tuple(k for k in at if k >= 0))
            for (text, origin, _), at in zip(made, parents, strict=True)
        ]


class LatentMoves(_Untaught):
    """Points around and between parents in the latent space of a model that encodes and decodes."""

    name, cost, once = "latent", 5.0, True

    def __init__(self, model: Any) -> None:
        self.model = model

    def propose(self, n: int, seed: int, knowledge: Knowledge) -> list[Idea]:
        """Half way between two parents, or beside one."""
        if not len(knowledge.parents) or n < 1:
            return []
        rng = numpy_generator(seed, "pairs")
        chances = knowledge.weights / knowledge.weights.sum()
        drawn = rng.choice(len(knowledge.parents), size=(n, 2), p=chances)
        texts = sorted({knowledge.parents[i] for i in drawn.ravel().tolist()})
        with torch.no_grad():
            points = self.model.encode(texts).float().cpu()
        row = {text: k for k, text in enumerate(texts)}
        ends = [[row[knowledge.parents[i]] for i in pair] for pair in drawn.tolist()]
        a, b = points[[i for i, _ in ends]], points[[j for _, j in ends]]
        usable = ~(a.isnan().any(1) | b.isnan().any(1))
        if not bool(usable.any()):
            return []
        generator = torch_generator(seed, "moves")
        between = torch.rand(n, 1, generator=generator)
        noise = torch.randn(a.shape, generator=generator)
        scale = points[~points.isnan().any(1)].std(dim=0, correction=0).clamp(min=1e-3)
        z = (a + between * (b - a) + _STEP * scale * noise)[usable]
        with torch.no_grad():
            decoded = self.model.decode(z.to(getattr(self.model, "device", "cpu")))
        kept = [pair for pair, ok in zip(drawn.tolist(), usable.tolist(), strict=True) if ok]
        return [
            Idea(text, self.name, tuple(dict.fromkeys(pair)))
            for text, pair in zip(decoded, kept, strict=True)
        ]


def _ideas(made: Sequence[Child]) -> list[Idea]:
    return [Idea(text, origin, parents) for text, origin, parents in made]


def build_proposers(prior: Any, params: HybridParams, seed: int) -> list[Proposer]:
    """Those that take part and that the model can do."""
    found: list[Proposer] = []
    if "language_model" in params.parts:
        found.append(LanguageModel(prior, params, seed))
    if "genetic" in params.parts:
        found.append(GeneticOperators(params))
    if "recombination" in params.parts:
        found.append(Recombination(params))
    if "latent" in params.parts and isinstance(prior, HasEncoder) and isinstance(prior, HasDecoder):
        found.append(LatentMoves(prior))
    return found
