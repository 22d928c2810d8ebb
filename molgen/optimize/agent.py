"""The agent: a copy of a language model that learns from scored strings, alone or as a proposer in another strategy.

``draw`` writes strings, ``learn`` takes (string, molecule, score) and updates the copy; the strings may come from
anybody (a genetic operator, the user's compounds). What it does with them is said by :class:`AgentParams`:

- the augmented likelihood: ``(log p_prior + sigma * score - log p_agent)^2`` for each string (Olivecrona et al.,
  J. Cheminf. 2017, doi:10.1186/s13321-017-0235-x), or plain likelihood of what is shown (Segler et al. 2018);
- experience replay (Blaschke et al. 2020), and further updates on the memory alone, respelled if wanted (augmented
  memory; Guo and Schwaller, JACS Au 2024, doi:10.1021/jacsau.4c00066);
- an anchor: the likelihood of the prior's own strings. The other direction, KL(agent, prior) on the agent's strings,
  is in the augmented likelihood already: its square adds up with the loss to one of a smaller sigma.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from molgen.chem.canonical import scaffold_of
from molgen.chem.randomize import random_smiles, rooted_smiles
from molgen.core.errors import ConfigError
from molgen.core.seeding import stream
from molgen.learn.slots import put_back, tensors_of
from molgen.models.protocol import HasLikelihood
from molgen.optimize.agent_params import AgentParams
from molgen.optimize.replay import Remembered, Replay
from molgen.run.resources import bf16_supported

ANCHORS = 512  # strings of the prior that the anchor chooses from


@dataclass(frozen=True)
class Drawn:
    """Raw strings and their negative log-likelihood under the agent, nats at temperature 1."""

    smiles: list[str]
    nll: list[float]


@dataclass(frozen=True)
class Lesson:
    """A string and its reward in 0..1; ``smiles`` is the molecule that it spells, None if it spells none."""

    raw: str
    smiles: str | None
    score: float


class Agent:
    """A copy of ``prior`` that is taught; the prior itself stays as it is.

    Everything random is a function of ``seed`` and the seed of the call. Raises ConfigError for a model without a
    likelihood.
    """

    def __init__(self, prior: Any, params: AgentParams, seed: int, *, owner: str = "agent") -> None:
        if not isinstance(prior, HasLikelihood):
            raise ConfigError(
                f"optimizer {owner!r} needs a model with a likelihood, {prior.family!r} has none; "
                "choose an autoregressive model"
            )
        self.prior: Any = prior
        model: Any = prior
        self.model: Any = copy.deepcopy(model.requires_grad_(False)).requires_grad_(True)
        self.params = params
        self.seed = seed
        self.lessons = 0  # calls of learn(), for the streams
        self.replay = Replay(params.replay_size, params.replay_weight, params.replay_per_scaffold)
        self._adam = torch.optim.Adam(self.model.parameters(), lr=params.learning_rate, fused=True)
        self._anchors: list[str] = []

    # -- proposing --------------------------------------------------------------------------------

    def draw(self, n: int, seed: int, temperature: float | None = None) -> Drawn:
        """``n`` raw strings; a pure function of the state and ``seed``. Default temperature: that of the parameters."""
        drawn = self.model.sample(
            n, seed=seed, temperature=temperature or self.params.temperature, batch_size=max(1, n)
        )
        return Drawn(drawn.smiles, [-float(value) for value in drawn.log_likelihood])

    # -- learning ---------------------------------------------------------------------------------

    def learn(
        self, lessons: Sequence[Lesson], *, full: set[str] | frozenset[str] = frozenset()
    ) -> dict[str, float]:
        """One update on the best share of ``lessons`` and on remembered molecules, then the further ones.

        Lessons without a score (NaN) teach nothing. ``full``: scaffolds that earn nothing any more; what is remembered
        of them is forgotten. Returns metrics.
        """
        params, number = self.params, self.lessons
        self.lessons += 1
        purged = self.replay.purge(set(full)) if full else 0
        told = [lesson for lesson in lessons if not math.isnan(lesson.score)]
        best = sorted(told, key=lambda lesson: -lesson.score)[: math.ceil(params.share * len(told))]
        chosen = {id(lesson) for lesson in best}
        shown = [lesson for lesson in told if id(lesson) in chosen]
        wanted = [x for x in told if id(x) in chosen or (x.smiles and self.replay.could_take(x.score))]
        prior = dict(zip((x.raw for x in wanted), self._prior([x.raw for x in wanted]), strict=True))
        if params.share == 0:  # what is new is shown as part of the memory
            self._remember(wanted, prior)
        before = self.replay.draw(params.replay_sample, stream(self.seed, "replay", number))
        metrics = self._update(
            [x.raw for x in shown] + [m.raw for m in before],
            [prior[x.raw] for x in shown] + [m.prior for m in before],
            [x.score for x in shown] + [m.score for m in before],
            stream(self.seed, "anchor", number),
        )
        self._remember(wanted, prior)
        for k in range(params.rounds):
            self._again(number, k)
        return metrics | {"remembered": float(len(self.replay)), "purged": float(purged)}

    def back_to_prior(self) -> None:
        """Unlearn everything but the memory: the agent is the prior again."""
        self.model.load_state_dict(self.prior.state_dict())
        self._adam = torch.optim.Adam(self.model.parameters(), lr=self.params.learning_rate, fused=True)

    def _again(self, number: int, k: int) -> None:
        """A further update on remembered molecules alone, in the spelling that ``randomize`` says."""
        seed = stream(self.seed, "again", number, k)
        drawn = self.replay.draw(self.params.replay_sample, seed)
        if not drawn:
            return
        raw, prior = [m.raw for m in drawn], [m.prior for m in drawn]
        if self.params.randomize != "none":
            spell = rooted_smiles if self.params.randomize == "rooted" else random_smiles
            raw = [spell(m.smiles, stream(seed, i)) for i, m in enumerate(drawn)]
            prior = self._prior(raw)
        self._update(raw, prior, [m.score for m in drawn], stream(seed, "anchor"))

    def _precision(self) -> torch.autocast:
        device = self.model.device
        return torch.autocast(device.type, torch.bfloat16, enabled=bf16_supported(str(device)))

    def _prior(self, texts: Sequence[str]) -> list[float]:
        if not texts:
            return []
        with torch.no_grad(), self._precision():
            return self.prior.log_likelihood(list(texts)).float().cpu().tolist()  # type: ignore[no-any-return]

    def _update(
        self, texts: list[str], prior: Sequence[float], scores: Sequence[float], seed: int
    ) -> dict[str, float]:
        """One step of Adam; metrics over the strings that both models can write, NaN if there are none."""
        params, device = self.params, self.model.device
        anchors = self._some_anchors(seed)
        with self._precision():
            agent = self.model.log_likelihood(texts + anchors, batch_size=max(1, len(texts + anchors)))
        held, agent = agent[len(texts) :], agent[: len(texts)]
        expected = torch.tensor(prior, dtype=torch.float32, device=device)
        known = torch.isfinite(agent.detach()) & torch.isfinite(expected)
        if not bool(known.any()):
            return {"loss": math.nan}
        if params.loss == "likelihood":
            loss = -agent[known].mean()
        else:
            target = expected + params.sigma * torch.tensor(scores, dtype=torch.float32, device=device)
            loss = (target[known] - agent[known]).square().mean()
        metrics = {"loss": float(loss.detach())}
        if anchors:
            kept = -held[torch.isfinite(held.detach())].mean()
            loss = loss + params.anchor * kept
            metrics["anchor_nll"] = float(kept.detach())
        self._adam.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), params.clip_norm)
        self._adam.step()
        return metrics | {
            "gradient_norm": float(norm),
            "agent_nll": -float(agent.detach()[known].mean()),
            # nats that the agent likes these strings more than the prior does
            "drift_from_prior": float((agent.detach() - expected)[known].mean()),
        }

    def _some_anchors(self, seed: int) -> list[str]:
        if not self.params.anchor:
            return []
        if not self._anchors:  # the same after a restart of the program: nothing of it is stored
            self._anchors = self.prior.sample(
                ANCHORS, seed=stream(self.seed, "prior"), batch_size=ANCHORS
            ).smiles
        order = torch.randperm(len(self._anchors), generator=torch.Generator().manual_seed(seed))
        return [self._anchors[i] for i in order[: self.params.anchor_sample].tolist()]

    def _remember(self, lessons: Sequence[Lesson], prior: Mapping[str, float]) -> None:
        self.replay.add(
            [
                Remembered(x.raw, x.smiles, x.score, prior[x.raw], scaffold_of(x.smiles))
                for x in lessons
                if x.smiles and self.replay.could_take(x.score) and math.isfinite(prior[x.raw])
            ]
        )

    # -- saving -----------------------------------------------------------------------------------

    def state(self) -> tuple[dict[str, Any], dict[str, Tensor]]:
        """(JSON-able values, tensors by name)."""
        tensors = {f"agent/{k}": v for k, v in self.model.state_dict().items()}
        tensors |= tensors_of(self._adam, "optimizer")
        return {"lessons": self.lessons, "replay": self.replay.state()}, tensors

    def load_state(self, values: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
        """Inverse of :meth:`state`; other tensors are left alone."""
        self.lessons = values["lessons"]
        self.replay.load_state(values["replay"])
        own = "agent/"
        self.model.load_state_dict(
            {key.removeprefix(own): value for key, value in tensors.items() if key.startswith(own)}
        )
        put_back(self._adam, tensors, "optimizer")
