"""Parameters of the scorer ``qsar``: pure data, so that a bad one is refused without loading RDKit."""

from __future__ import annotations

from pydantic import Field

from molgen.core.schema import Section


class QsarParams(Section):
    """Which model scores, and what of its prediction is the score."""

    model: str = Field(description="folder that `molgen qsar train` wrote")
    lower_bound: bool = Field(
        False, description="score with the lower end of the interval: uncertain molecules are not rewarded"
    )
    coverage: float | None = Field(
        None,
        gt=0.0,
        lt=1.0,
        description="share of truths that the interval should hold; default: the model's",
    )
