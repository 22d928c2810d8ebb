"""A search by an agent that is taught: draw what is new, learn from its worth, begin again when nothing is new."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from molgen.chem.canonical import canonical, scaffold_of
from molgen.core.seeding import stream
from molgen.optimize.agent import Agent, Lesson
from molgen.optimize.agent_params import SearchParams
from molgen.optimize.protocol import Proposal, Result

HOTTER = 1.15  # temperature of a further draw, relative to the one before
WINDOW = 10  # steps over which the share of new molecules is watched
NEW = frozenset({"scored", "filtered", "failed"})  # statuses of molecules that the run had not seen


class TaughtSearch:
    """An :class:`Agent` behind ask/tell; ``name`` is the strategy's, and the origin of its proposals."""

    def __init__(self, name: str, prior: Any, params: SearchParams, seed: int) -> None:
        self.name = name
        self.params = params
        self.seed = seed
        self.agent = Agent(prior, params, seed, owner=name)
        self.round = 0
        self.next_id = 0
        self.restarts = 0
        self._seen: set[int] = set()  # of the molecules that were told
        self._new: deque[float] = deque(maxlen=WINDOW)
        self._pending: dict[int, Proposal] = {}

    def ask(self, n: int) -> list[Proposal]:
        """``n`` strings of the agent; what is known or drawn twice gives way to what is new, as far as ``draws`` goes.

        Nothing is learned and no state changes until :meth:`tell`.
        """
        kept: list[tuple[str, float]] = []
        spare: list[tuple[str, float]] = []
        taken: set[int] = set()
        wanted, temperature = n, self.params.temperature
        for attempt in range(self.params.draws):
            drawn = self.agent.draw(wanted, stream(self.seed, "ask", self.round, attempt), temperature)
            for item in zip(drawn.smiles, drawn.nll, strict=True):
                key = _key(item[0])
                if key in taken or key in self._seen:
                    spare.append(item)
                elif key is not None:
                    taken.add(key)
                    kept.append(item)
                elif attempt == 0:  # not to be drawn again: an invalid string earns nothing
                    kept.append(item)
            if len(kept) >= n:
                break
            wanted = min(n, max(8, 2 * (n - len(kept))))
            temperature *= HOTTER
        chosen = [*kept, *spare][:n]
        chosen += [("", 0.0)] * (n - len(chosen))
        proposals = [
            Proposal(self.next_id + i, text, self.name, nll=nll) for i, (text, nll) in enumerate(chosen)
        ]
        self._pending = {p.id: p for p in proposals}
        return proposals

    def adopt(self, proposals: Sequence[Proposal]) -> None:
        """Take proposals of others (the user's seed compounds) into the coming :meth:`tell`."""
        self._pending |= {p.id: p for p in proposals}

    def tell(self, results: Sequence[Result]) -> dict[str, float]:
        """Teach the agent; metrics of the step.

        An invalid string earns 0; a result without a value (status ``failed``) teaches nothing, nor does a molecule
        that was found before, unless ``repeats`` is set. Molecules whose scaffold the diversity memory has filled
        earn 0, and what is remembered of that scaffold is forgotten.
        """
        unknown = [r.id for r in results if r.id not in self._pending]
        if unknown:
            raise ValueError(f"tell() got ids that were not asked: {unknown[:5]}; pass each result back once")
        told = sorted(results, key=lambda r: r.id)
        lessons = [
            Lesson(self._pending[r.id].smiles, r.smiles, 0.0 if r.status == "invalid" else r.score)
            for r in told
            if r.status != "duplicate" or self.params.repeats
        ]
        full = {str(r.smiles) for r in told if r.smiles and r.total > 0 and r.score == 0}
        metrics = self.agent.learn(lessons, full={scaffold_of(smiles) for smiles in full})
        self._seen |= {_hash(r.smiles) for r in told if r.smiles}
        self.round += 1
        self.next_id = max([self.next_id, *(i + 1 for i in self._pending)])
        self._pending = {}
        self._watch(told)
        return metrics | {"restarts": float(self.restarts)}

    def _watch(self, told: Sequence[Result]) -> None:
        """Back to the prior when hardly anything is new: the agent has collapsed onto a few molecules."""
        self._new.append(sum(r.status in NEW for r in told) / max(1, len(told)))
        if len(self._new) == WINDOW and sum(self._new) < self.params.restart * WINDOW:
            self.agent.back_to_prior()
            self.restarts += 1
            self._new.clear()

    def revise(self, scores: Mapping[str, float]) -> None:
        """What is remembered has other scores now, and what is not known any more may be drawn again."""
        self.agent.replay.revise(scores)
        self._seen = {_hash(smiles) for smiles in scores}

    def model(self) -> Any:
        """The model that the agent has become."""
        return self.agent.model

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Everything of before the pending ask: (JSON-able values, tensors)."""
        values, tensors = self.agent.state()
        values |= {
            "round": self.round,
            "next_id": self.next_id,
            "restarts": self.restarts,
            "new": list(self._new),
        }
        return values, tensors | {"seen": torch.tensor(sorted(self._seen), dtype=torch.int64)}

    def load_state(self, values: Mapping[str, Any], tensors: Mapping[str, Any]) -> None:
        """Inverse of :meth:`state`."""
        self.agent.load_state(values, tensors)
        self.round, self.next_id, self.restarts = values["round"], values["next_id"], values["restarts"]
        self._new = deque(values["new"], maxlen=WINDOW)
        self._seen = set(tensors["seen"].tolist())


def _hash(smiles: str) -> int:
    """64 bits of a molecule: 10,000 of them are 80 kB in a checkpoint."""
    return int.from_bytes(hashlib.blake2b(smiles.encode(), digest_size=8).digest(), "big", signed=True)


def _key(raw: str) -> int | None:
    smiles = canonical(raw)
    return None if smiles is None else _hash(smiles)
