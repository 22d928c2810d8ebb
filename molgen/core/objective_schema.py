"""What an objective is made of: components, their curves and roles, and how they are combined."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values are frozen once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())


class TransformConfig(Section):
    """How a raw value becomes a desirability in 0..1 (higher is better only after this step)."""

    type: Literal[
        "identity",
        "sigmoid",
        "reverse_sigmoid",
        "double_sigmoid",
        "step",
        "linear",
        "reverse_linear",
        "gaussian",
    ] = Field("identity", description="shape of the desirability curve")
    low: float | None = Field(None, description="lower end of the window, in the unit of the component")
    high: float | None = Field(None, description="upper end of the window, in the unit of the component")
    target: float | None = Field(None, description="gaussian: the value that is worth 1")
    width: float | None = Field(
        None, gt=0, description="gaussian: sigma; sigmoids: distance over which 0.1 rises to 0.9"
    )


class ComponentConfig(Section):
    """One line of the objective: a scorer, its parameters, its curve and its role."""

    use: str = Field(description="scorer name (molgen new --list shows all) or 'file.py:function'")
    name: str | None = Field(None, description="column name in the results; default: the scorer's name")
    role: Literal["score", "filter", "penalty", "control"] = Field(
        "score",
        description="score enters the mean; filter gates and stays out of it; penalty multiplies it; control is only "
        "watched",
    )
    watches: str | None = Field(
        None,
        description="role control: component that it is held against; default: the first score with the same scorer, "
        "else the total",
    )
    weight: float = Field(1.0, gt=0, description="weight in the mean (role score only)")
    params: dict[str, Any] = Field(default_factory=dict, description="parameters of the scorer")
    transform: TransformConfig | None = Field(
        None, description="desirability curve; default: the scorer's own (identity for 0..1 values)"
    )
    threshold: float = Field(0.5, ge=0, le=1, description="filter: smallest desirability that passes")
    on_missing: Literal["reject", "ignore"] = Field(
        "reject",
        description="no value: the molecule gets no total (reject) or the mean leaves it out (ignore)",
    )
    timeout: float | None = Field(None, gt=0, description="own functions: seconds allowed per molecule")


class ObjectiveConfig(Section):
    """What the run optimizes: components and how they are combined."""

    aggregate: Literal["geometric_mean", "arithmetic_mean"] = Field(
        "geometric_mean",
        description="geometric: one bad component spoils the total; arithmetic: they trade off",
    )
    reward: Literal["total", "pareto"] = Field(
        "total",
        description="what the strategy learns from: the total, or the place beside the Pareto front of the "
        "desirabilities",
    )
    components: list[ComponentConfig] = Field(min_length=1, description="the scorers, cheap ones run first")

    @property
    def names(self) -> list[str]:
        """Names of the components, in their order."""
        return [part.name or part.use.rpartition(":")[2] for part in self.components]
