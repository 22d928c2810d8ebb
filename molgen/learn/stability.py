"""Watches an adversarial training: is it healthy, has it collapsed, and which weights were the last good ones.

A training tells :class:`StabilityGuard` every few hundred steps how many distinct things its generator draws, how much
of the data they cover, and how large the gradients are. The guard keeps the weights of the last healthy look. On a
collapse it raises the alarm, puts those weights back and lowers the learning rate, a bounded number of times.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Literal

import torch
from torch import Tensor, nn

from molgen.run.progress import say

Status = Literal["learning", "healthy", "suspicious", "collapsed", "given up"]


@dataclass(frozen=True)
class Health:
    """One look at a training. Shares are 0..1; ``gradient_norms`` by the name of the network, before clipping.

    ``uniqueness``: distinct ones among what the generator draws. ``coverage``: how much of the data it reaches.
    """

    uniqueness: float
    coverage: float
    gradient_norms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class StabilityLimits:
    """When a look is bad, and what is done about it.

    Shares are compared with the best that the training has shown, because a generator that begins to learn covers
    little; gradients with the median of the healthy looks. ``grace``: looks at the beginning that are not judged,
    except for numbers that are none. ``patience``: bad looks in a row that are a collapse. ``keep``: weights are kept
    only while both shares are at least so much of the best, since a slow collapse begins with looks that are not bad.
    """

    uniqueness: float = 0.6
    coverage: float = 0.5
    gradient: float = 30.0
    keep: float = 0.85
    grace: int = 3
    patience: int = 2
    rollbacks: int = 3
    slowdown: float = 0.5


@dataclass(frozen=True)
class Verdict:
    """What a look says. ``collapsed``: the weights were put back; ``given up``: likewise, and no try is left."""

    status: Status
    reasons: tuple[str, ...] = ()

    @property
    def rolled_back(self) -> bool:
        """Whether the weights of the last healthy look are in place again."""
        return self.status in ("collapsed", "given up")


@dataclass
class _Record:
    """What the guard remembers, all of it plain numbers."""

    looks: int = 0
    bad: int = 0  # in a row
    alarms: int = 0
    rollbacks: int = 0
    best_uniqueness: float = 0.0
    best_coverage: float = 0.0
    healthy_step: int = -1
    norms: dict[str, list[float]] = field(default_factory=dict)  # of the last healthy looks
    last: dict[str, float] = field(default_factory=dict)


class StabilityGuard(nn.Module):
    """The monitor, with a copy of the last healthy weights; both are part of ``state_dict``, so of checkpoints.

    ``watched`` is what would be put back: the averaged (EMA) generator, and the critic that belongs to it.
    """

    def __init__(self, watched: nn.Module, limits: StabilityLimits | None = None) -> None:
        super().__init__()
        self.limits = limits or StabilityLimits()
        self.kept = copy.deepcopy(watched).requires_grad_(False)
        self.record = _Record()
        self.tell: Callable[[str], None] = say  # where alarms go; a workflow sets its log

    # -- looking ---------------------------------------------------------------------------------------

    def look(self, step: int, health: Health, watched: nn.Module) -> Verdict:
        """Judge; keep ``watched`` if it is healthy, or put the kept weights into it if it has collapsed.

        After ``rolled_back`` the caller copies the averaged weights to the ones that learn, forgets the moments of its
        optimizers, and goes on at :attr:`rate` times its learning rate (ends, if the verdict is ``given up``).
        """
        record, limits = self.record, self.limits
        record.looks += 1
        record.last = {"uniqueness": health.uniqueness, "coverage": health.coverage, **health.gradient_norms}
        fatal, reasons = self._problems(health)
        if not reasons:
            record.bad = 0
            self._keep(step, health, watched)
            return Verdict("learning" if record.looks <= limits.grace else "healthy")
        record.bad += 1
        if not fatal and record.bad < limits.patience:
            return Verdict("suspicious", reasons)
        return self._roll_back(step, reasons, watched)

    def _problems(self, health: Health) -> tuple[bool, tuple[str, ...]]:
        """Whether it cannot go on for a single step, and what is wrong in words."""
        values = {"uniqueness": health.uniqueness, "coverage": health.coverage, **health.gradient_norms}
        none = tuple(f"{name} is {value}" for name, value in values.items() if not math.isfinite(value))
        if none:
            return True, none
        found: list[str] = []
        record, limits = self.record, self.limits
        if record.looks <= limits.grace:
            return False, ()
        for name, best, share in (
            ("uniqueness", record.best_uniqueness, limits.uniqueness),
            ("coverage", record.best_coverage, limits.coverage),
        ):
            if values[name] < share * best:
                found.append(f"{name} {values[name]:.3f}, the best was {best:.3f}")
        for name, norm in health.gradient_norms.items():
            usual = median(record.norms.get(name) or [math.inf])
            if norm > limits.gradient * max(usual, 1e-6):
                found.append(f"gradient norm of {name} {norm:.3g}, usual is {usual:.3g}")
        return False, tuple(found)

    def _keep(self, step: int, health: Health, watched: nn.Module) -> None:
        record = self.record
        record.best_uniqueness = max(record.best_uniqueness, health.uniqueness)
        record.best_coverage = max(record.best_coverage, health.coverage)
        for name, norm in health.gradient_norms.items():
            record.norms[name] = [*record.norms.get(name, []), norm][-20:]
        least = self.limits.keep
        if health.uniqueness >= least * record.best_uniqueness and (
            health.coverage >= least * record.best_coverage
        ):
            record.healthy_step = step
            self.kept.load_state_dict(watched.state_dict())

    def _roll_back(self, step: int, reasons: tuple[str, ...], watched: nn.Module) -> Verdict:
        record = self.record
        record.alarms += 1
        record.bad = 0
        watched.load_state_dict(self.kept.state_dict())
        words = f"step {step}: the training has collapsed ({'; '.join(reasons)}); back to step {record.healthy_step}"
        if record.rollbacks >= self.limits.rollbacks:
            self.tell(f"{words}, where it ends: {record.rollbacks} times was enough; lower the learning rate")
            return Verdict("given up", reasons)
        record.rollbacks += 1
        self.tell(f"{words}, learning rate times {self.rate:g} from here on")
        return Verdict("collapsed", reasons)

    # -- telling ---------------------------------------------------------------------------------------

    @property
    def rate(self) -> float:
        """What the learning rate is to be multiplied by."""
        return float(self.limits.slowdown**self.record.rollbacks)

    @property
    def given_up(self) -> bool:
        """Whether it has collapsed once more than it may be rolled back."""
        return self.record.alarms > self.limits.rollbacks

    def metrics(self) -> dict[str, float]:
        """The last look, and how often the alarm was raised: for the log and MLflow."""
        record = self.record
        found = {f"stability_{name}": value for name, value in record.last.items()}
        return found | {"collapse_alarms": float(record.alarms), "rollbacks": float(record.rollbacks)}

    # -- keeping ---------------------------------------------------------------------------------------

    def get_extra_state(self) -> Tensor:
        """The numbers as bytes: checkpoints hold nothing but tensors."""
        return torch.frombuffer(bytearray(json.dumps(asdict(self.record)).encode()), dtype=torch.uint8)

    def set_extra_state(self, state: Tensor) -> None:
        """Inverse of :meth:`get_extra_state`."""
        self.record = _Record(**json.loads(bytes(state.cpu().numpy()).decode()))


#: An attribute of the optimizer, not of its state: a look at the last step only.
_NORM = "norm_before_clipping"


def note_norm(optimizer: torch.optim.Optimizer, norm: float) -> None:
    """Keep what the norm of the gradients was before they were clipped; the training loop does."""
    setattr(getattr(optimizer, "optimizer", optimizer), _NORM, norm)  # Fabric hands out wrappers


@torch.no_grad()
def gradient_norm(optimizer: torch.optim.Optimizer) -> float:
    """Norm of the gradients of the last step, before clipping where they were clipped; 0 before the first step."""
    noted: float | None = getattr(optimizer, _NORM, None)
    if noted is not None:
        return noted
    found = [p.grad.norm() for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
    return float(torch.stack(found).norm()) if found else 0.0
