"""The strategy `reinforce`: policy optimization towards an augmented likelihood, with an augmented memory."""

from __future__ import annotations

from typing import Any

from molgen.optimize.agent_params import ReinforceParams
from molgen.optimize.taught import TaughtSearch


def reinforce(prior: Any, params: ReinforceParams, seed: int) -> TaughtSearch:
    """An agent that learns from all that it draws, anchored to the prior's likelihood."""
    return TaughtSearch("reinforce", prior, params, seed)
