"""Which proposer gets how much of the effort: shares drawn by Thompson sampling from wins per candidate made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

_FORGET = 0.97  # of wins and effort, in each step: what worked early need not work late
_PRIOR_WINS, _PRIOR_EFFORT = 1.0, 50.0
_LEAST = 0.05  # share that each proposer keeps


class Bandit:
    """Discounted wins and effort of each arm; the rate of an arm has a gamma posterior.

    A win is a paid molecule among the best that were known; effort is candidates made, times what one costs.
    """

    def __init__(self, costs: Mapping[str, float], learns: bool = True) -> None:
        self.costs = dict(costs)
        self.learns = learns
        self.wins = dict.fromkeys(costs, 0.0)
        self.effort = dict.fromkeys(costs, 0.0)

    def shares(self, rng: np.random.Generator) -> dict[str, float]:
        """Share of the candidates for each arm, summing to 1; equal effort if it does not learn."""
        rates = {
            arm: rng.gamma(_PRIOR_WINS + self.wins[arm]) / (_PRIOR_EFFORT + self.effort[arm])
            if self.learns
            else 1.0
            for arm in self.costs
        }
        total = sum(rates.values())
        free = 1.0 - _LEAST * len(rates)
        effort = {arm: _LEAST + free * rate / total for arm, rate in rates.items()}
        made = {arm: effort[arm] / self.costs[arm] for arm in effort}
        return {arm: share / sum(made.values()) for arm, share in made.items()}

    def tell(self, made: Mapping[str, int], winners: Sequence[str]) -> None:
        """``made``: candidates by arm in this step; ``winners``: the arm of each win."""
        for arm in self.costs:
            self.wins[arm] = _FORGET * self.wins[arm] + winners.count(arm)
            self.effort[arm] = _FORGET * self.effort[arm] + made.get(arm, 0) * self.costs[arm]

    def state(self) -> dict[str, Any]:
        """JSON-able."""
        return {"wins": dict(self.wins), "effort": dict(self.effort)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Inverse of :meth:`state`."""
        self.wins, self.effort = dict(state["wins"]), dict(state["effort"])
