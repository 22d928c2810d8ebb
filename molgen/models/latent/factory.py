"""A latent prior by its name."""

from __future__ import annotations

from molgen.models.latent.flow import FlowPrior
from molgen.models.latent.gan import GanPrior
from molgen.models.latent.mixture import MixturePrior
from molgen.models.latent.prior import LatentPrior, NormalPrior

#: What the parameter ``prior`` of a family can say.
PRIORS: dict[str, type[LatentPrior]] = {
    "normal": NormalPrior,
    "mixture": MixturePrior,
    "flow": FlowPrior,
    "gan": GanPrior,
}


def make_prior(kind: str, size: int) -> LatentPrior:
    """The untrained prior called ``kind`` (normal, mixture, flow, gan) over latent vectors of ``size`` numbers."""
    return PRIORS[kind](size)
