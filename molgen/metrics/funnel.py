"""The funnel from raw strings to what a chemist would accept: steps whose counts add up, and why each was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from molgen.metrics.gates import GATES, STAGES, Rejection


@dataclass(frozen=True)
class Step:
    """``kept`` are left after the step, ``lost`` at it; ``reasons`` of the losses sum to ``lost``."""

    name: str
    kept: int
    lost: int
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Funnel:
    """raw -> parsed -> unique -> graph -> ring systems -> motifs -> alerts -> SA -> size and shape = delivered."""

    steps: tuple[Step, ...]

    @property
    def raw(self) -> int:
        """How many strings came in."""
        return self.steps[0].kept

    @property
    def delivered(self) -> int:
        """How many molecules pass everything."""
        return self.steps[-1].kept

    def gates(self) -> dict[str, float]:
        """Share of the unique molecules that passes each gate A to E; empty without molecules."""
        kept = {step.name: step.kept for step in self.steps}
        if not kept["unique"]:
            return {}
        last = {gate: stage for stage, (gate, _) in STAGES.items()}  # the last stage of each gate
        return {gate: kept["delivered" if gate == "E" else last[gate]] / kept["unique"] for gate in GATES}


def build_funnel(
    n_raw: int,
    rejected: Mapping[str, int],
    n_duplicates: int,
    judged: Sequence[Rejection | None],
) -> Funnel:
    """Put the counts together.

    Args:
        n_raw: raw strings.
        rejected: reason -> strings that gave no molecule.
        n_duplicates: molecules that had come before.
        judged: for each unique molecule the first reason to reject it, or None.
    """
    parsed = n_raw - sum(rejected.values())
    unique = parsed - n_duplicates
    assert unique == len(judged), (n_raw, dict(rejected), n_duplicates, len(judged))
    steps = [
        Step("raw", n_raw, 0),
        Step("parsed", parsed, n_raw - parsed, dict(rejected)),
        Step("unique", unique, n_duplicates, {"same molecule again": n_duplicates} if n_duplicates else {}),
    ]
    left = unique
    for stage in STAGES:
        reasons = Counter(one.kind or one.reason for one in judged if one is not None and one.stage == stage)
        lost = sum(reasons.values())
        left -= lost
        steps.append(Step(stage, left, lost, dict(reasons.most_common())))
    steps.append(Step("delivered", left, 0))
    return Funnel(tuple(steps))
