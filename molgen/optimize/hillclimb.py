"""The strategy `hillclimb`: keep the best molecules of all, and fine-tune the agent on them again and again."""

from __future__ import annotations

from typing import Any

from molgen.optimize.agent_params import HillclimbParams
from molgen.optimize.taught import TaughtSearch


def hillclimb(prior: Any, params: HillclimbParams, seed: int) -> TaughtSearch:
    """An agent that is shown the best (Segler et al., ACS Cent. Sci. 2018; Neil et al., ICLR workshop 2018)."""
    return TaughtSearch("hillclimb", prior, params, seed)
