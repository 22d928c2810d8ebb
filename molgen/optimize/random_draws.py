"""Drawing from the prior and learning nothing: what a search is worth is what it finds beyond this."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from molgen.core.seeding import stream
from molgen.optimize.protocol import Proposal, Result
from molgen.optimize.registry import RandomParams


class RandomDraws:
    """The strategy ``random``: strings of the prior, a new draw in each step, behind ask/tell."""

    name = "random"

    def __init__(self, prior: Any, params: RandomParams, seed: int) -> None:
        self.prior = prior
        self.params = params
        self.seed = seed
        self.round = 0
        self.next_id = 0

    def ask(self, n: int) -> list[Proposal]:
        """Draw ``n`` strings; the same ones until told."""
        drawn = self.prior.sample(
            n, seed=stream(self.seed, "ask", self.round), temperature=self.params.temperature, batch_size=n
        )
        likelihood = drawn.log_likelihood
        return [
            Proposal(
                self.next_id + i, text, self.name, nll=None if likelihood is None else -float(likelihood[i])
            )
            for i, text in enumerate(drawn.smiles)
        ]

    def adopt(self, proposals: Sequence[Proposal]) -> None:
        """Ids of others' proposals (the user's seed compounds) are not given again."""

    def tell(self, results: Sequence[Result]) -> dict[str, float]:
        """Move on to the next draw."""
        self.round += 1
        self.next_id = max([self.next_id, *(result.id + 1 for result in results)])
        return {}

    def model(self) -> None:
        """Nothing was taught."""

    def state(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Two counters."""
        return {"round": self.round, "next_id": self.next_id}, {}

    def load_state(self, values: dict[str, Any], tensors: dict[str, Any]) -> None:
        """Inverse of :meth:`state`."""
        self.round, self.next_id = values["round"], values["next_id"]
