"""REINFORCE towards an augmented likelihood: the agent learns what the objective likes without forgetting the prior.

The loss of a string is ``(log p_prior + sigma * score - log p_agent)^2`` (Olivecrona et al., J. Cheminf. 2017,
doi:10.1186/s13321-017-0235-x), averaged over the strings of the step and the best ones remembered (experience
replay; Blaschke et al., J. Chem. Inf. Model. 2020).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from molgen.core.errors import ConfigError
from molgen.core.seeding import stream
from molgen.models.protocol import HasLikelihood
from molgen.optimize.protocol import Proposal, Result
from molgen.optimize.registry import ReinforceParams
from molgen.run.resources import bf16_supported


@dataclass(frozen=True)
class Remembered:
    """A string of the replay memory: its reward and its likelihood under the prior."""

    raw: str
    smiles: str
    score: float
    prior: float


class Reinforce:
    """An agent (a copy of ``prior``) and its replay memory, behind ask/tell."""

    name = "reinforce"

    def __init__(self, prior: Any, params: ReinforceParams, seed: int) -> None:
        if not isinstance(prior, HasLikelihood):
            raise ConfigError(
                f"optimizer 'reinforce' needs a model with a likelihood, {prior.family!r} has none; "
                "choose an autoregressive model"
            )
        self.prior = prior
        prior.requires_grad_(False)  # type: ignore[attr-defined]
        self.agent: Any = copy.deepcopy(prior).requires_grad_(True)  # type: ignore[attr-defined]
        self.params = params
        self.seed = seed
        self.round = 0
        self.next_id = 0
        self.replay: list[Remembered] = []
        self.optimizer = torch.optim.Adam(self.agent.parameters(), lr=params.learning_rate)
        self._pending: dict[int, Proposal] = {}

    def ask(self, n: int) -> list[Proposal]:
        """Draw ``n`` strings from the agent. Nothing is learned and no state changes until :meth:`tell`."""
        drawn = self.agent.sample(
            n, seed=stream(self.seed, "ask", self.round), temperature=self.params.temperature, batch_size=n
        )
        nll = [-float(value) for value in drawn.log_likelihood]
        proposals = [
            Proposal(self.next_id + i, text, self.name, nll=nll[i]) for i, text in enumerate(drawn.smiles)
        ]
        self._pending = {p.id: p for p in proposals}
        return proposals

    def adopt(self, proposals: Sequence[Proposal]) -> None:
        """Take proposals of others (the user's seed compounds) into the coming :meth:`tell`."""
        self._pending |= {p.id: p for p in proposals}

    def tell(self, results: Sequence[Result]) -> dict[str, float]:
        """One gradient step on the results and the replayed strings; metrics of the step.

        An invalid string earns 0; a result without a value (status ``failed``) teaches nothing.
        """
        unknown = [r.id for r in results if r.id not in self._pending]
        if unknown:
            raise ValueError(f"tell() got ids that were not asked: {unknown[:5]}; pass each result back once")
        rewards = {r.id: 0.0 if r.status == "invalid" else r.score for r in results}
        taught = [(self._pending[r.id], r) for r in results if not math.isnan(rewards[r.id])]
        texts = [proposal.smiles for proposal, _ in taught]
        scores = [rewards[r.id] for _, r in taught]
        with torch.no_grad(), self._precision():
            prior = self.prior.log_likelihood(texts).float().cpu()
        replayed = self._draw_replay()
        metrics = self._learn(
            texts + [m.raw for m in replayed],
            torch.cat([prior, torch.tensor([m.prior for m in replayed])]),
            torch.tensor(scores + [m.score for m in replayed], dtype=torch.float32),
        )
        self._remember(taught, prior.tolist())
        self.round += 1
        self.next_id = max([self.next_id, *(i + 1 for i in self._pending)])
        self._pending = {}
        return metrics

    def _precision(self) -> torch.autocast:
        device = self.agent.device
        return torch.autocast(device.type, torch.bfloat16, enabled=bf16_supported(str(device)))

    def _learn(self, texts: list[str], prior: Tensor, scores: Tensor) -> dict[str, float]:
        with self._precision():
            agent = self.agent.log_likelihood(texts, batch_size=max(1, len(texts)))
        known = torch.isfinite(agent.detach()) & torch.isfinite(prior.to(agent.device))
        if not bool(known.any()):
            return {"loss": math.nan}
        target = prior.to(agent.device) + self.params.sigma * scores.to(agent.device)
        loss = (target[known] - agent[known]).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.agent.parameters(), self.params.clip_norm)
        self.optimizer.step()
        drift = (agent.detach() - prior.to(agent.device))[known].mean()
        return {
            "loss": float(loss.detach()),
            "gradient_norm": float(norm),
            "agent_nll": -float(agent.detach()[known].mean()),
            "drift_from_prior": float(
                drift
            ),  # nats that the agent likes these strings more than the prior does
        }

    def _draw_replay(self) -> list[Remembered]:
        k = min(self.params.replay_sample, len(self.replay))
        if k == 0:
            return []
        weights = np.array([m.score for m in self.replay]) + 1e-6
        rng = np.random.default_rng(stream(self.seed, "replay", self.round))
        return [
            self.replay[i] for i in rng.choice(len(self.replay), k, replace=False, p=weights / weights.sum())
        ]

    def _remember(self, taught: Sequence[tuple[Proposal, Result]], prior: Sequence[float]) -> None:
        known = {m.smiles for m in self.replay}
        for (proposal, result), likelihood in zip(taught, prior, strict=True):
            worth = result.smiles is not None and result.score > 0 and math.isfinite(likelihood)
            if worth and result.smiles not in known:
                self.replay.append(Remembered(proposal.smiles, str(result.smiles), result.score, likelihood))
                known.add(str(result.smiles))
        self.replay.sort(key=lambda m: -m.score)  # stable: among equals the earlier one stays
        del self.replay[self.params.replay_size :]

    def model(self) -> Any:
        """The agent."""
        return self.agent

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Everything of before the pending ask: (JSON-able values, tensors)."""
        tensors = {f"agent/{k}": v for k, v in self.agent.state_dict().items()}
        for index, slots in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{k}": v for k, v in slots.items()}
        values = {
            "round": self.round,
            "next_id": self.next_id,
            "replay": [[m.raw, m.smiles, m.score, m.prior] for m in self.replay],
        }
        return values, tensors

    def load_state(self, values: Mapping[str, Any], tensors: Mapping[str, Any]) -> None:
        """Inverse of :meth:`state`."""
        self.round, self.next_id = values["round"], values["next_id"]
        self.replay = [Remembered(*item) for item in values["replay"]]
        slots: dict[int, dict[str, Tensor]] = {}
        agent = {}
        for key, value in tensors.items():
            kind, _, rest = key.partition("/")
            if kind == "agent":
                agent[rest] = value
            elif kind == "optimizer":
                index, _, slot = rest.partition("/")
                slots.setdefault(int(index), {})[slot] = value
        self.agent.load_state_dict(agent)
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": slots, "param_groups": groups})
