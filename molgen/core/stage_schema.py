"""The stages of a curriculum: what each is judged by, and when it is over."""

from __future__ import annotations

from pydantic import Field

from molgen.core.objective_schema import ObjectiveConfig, Section

#: Name of the last stage, the one that the objective of the run judges and that decides what is delivered.
FINAL = "final"


class UntilConfig(Section):
    """When a stage is over; the first limit that is reached counts."""

    molecules: int | None = Field(None, ge=1, description="distinct molecules scored in this stage")
    steps: int | None = Field(None, ge=1, description="steps of this stage")
    target: float | None = Field(
        None, ge=0, le=1, description="mean total of a step, by the stage's own objective"
    )
    patience: int | None = Field(None, ge=1, description="steps without a better running mean")

    @property
    def empty(self) -> bool:
        """Whether nothing ends the stage."""
        return self.molecules is self.steps is self.target is self.patience is None


class StageConfig(Section):
    """A stage before the objective of the run takes over; judged by its own, or by a part of that one."""

    name: str = Field(
        pattern=r"^[A-Za-z0-9._-]+$", description="name of the stage in the ledger and the report"
    )
    objective: ObjectiveConfig | None = Field(None, description="of this stage alone; default: the run's own")
    only: list[str] | None = Field(
        None,
        description="of the run's objective: the scores and penalties that count in this stage, by name; filters stay",
    )
    weights: dict[str, float] = Field(
        default_factory=dict, description="of the run's objective: other weights, by name"
    )
    until: UntilConfig

    def judged_by(self, final: ObjectiveConfig) -> ObjectiveConfig:
        """The objective of this stage, ``final`` being that of the run."""
        if self.objective is not None:
            return self.objective
        parts = [
            part.model_copy(update={"weight": self.weights[name]}) if name in self.weights else part
            for name, part in zip(final.names, final.components, strict=True)
            if self.only is None or part.role not in ("score", "penalty") or name in self.only
        ]
        return final.model_copy(update={"components": parts})
