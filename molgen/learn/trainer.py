"""The one training loop: batches, schedule, mixed precision, clipping, validation, checkpoints, resume.

A family says what its optimizers and its training step are; everything else is here, on Lightning Fabric, so that
a CPU and a GPU run the same lines. The order of the batches is a pure function of (seed, epoch), which is
what makes a resumed training see exactly the molecules that an uninterrupted one would have seen.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor

from molgen.core.errors import ConfigError, Interrupted, ModelError
from molgen.core.schema import TrainerConfig
from molgen.core.seeding import stream
from molgen.learn.slots import put_back, tensors_of
from molgen.learn.stability import note_norm
from molgen.run import checkpoint
from molgen.run.interrupt import Stop
from molgen.run.progress import Progress
from molgen.run.resources import bf16_supported


class TrainingSet(Protocol):
    """Molecules as a family wants them."""

    def __len__(self) -> int: ...

    def plan(self, batch_size: int, seed: int) -> list[np.ndarray]:
        """The batches of an epoch as row numbers, a pure function of ``seed``."""
        ...

    def batch(self, rows: np.ndarray, seed: int = 0) -> Any:
        """The batch of ``rows``; it has ``to(device)``. ``seed`` is for augmentation."""
        ...


class Trainable(Protocol):
    """What a family gives the loop. A training step yields (optimizer name, loss, metrics), once per optimizer."""

    def optimizers(self, learning_rate: float, weight_decay: float) -> dict[str, torch.optim.Optimizer]:
        """The optimizers by name; the loop sets their learning rate."""
        ...

    def training_step(self, batch: Any) -> Iterator[tuple[str, Tensor, dict[str, float]]]:
        """Forward pass of one batch, one yield per optimizer."""
        ...


@dataclass
class Progressed:
    """Where a training stands: what a checkpoint stores beside the tensors."""

    step: int = 0
    epoch: int = 0
    batch: int = 0  # next batch of the epoch
    molecules: int = 0
    seconds: float = 0.0  # training time of all sessions together
    best: float | None = None
    since_best: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """The end of a training: why it ended, and where it stood."""

    reason: str
    state: Progressed


def learning_rate_factor(progress: float, warmup: float, final: float) -> float:
    """Linear warm-up, then linear decay to ``final`` (share of the peak); ``progress`` in 0..1.

    Decay to zero beats a cosine at fixed compute (Bergsma et al. 2025, arXiv:2502.15938).
    """
    if progress < warmup:
        return max(progress / warmup, 1e-3)
    rest = (progress - warmup) / (1 - warmup)
    return 1 - (1 - final) * min(rest, 1.0)


class Trainer:
    """Runs one training in ``folder`` (checkpoints go to ``folder/checkpoints``).

    ``log`` receives one dict of metrics at every validation and about every 50 steps; ``validate(model)`` returns the
    metrics of a validation, of which ``validation_loss`` decides about the best weights and the early stop.
    """

    def __init__(
        self,
        config: TrainerConfig,
        folder: Path,
        *,
        seed: int,
        device: str = "cpu",
        log: Callable[[dict[str, float], int], None] = lambda metrics, step: None,
        progress: Callable[..., Progress] = Progress,
    ) -> None:
        self.config = config
        self.folder = folder
        self.seed = seed
        self.log = log
        self.make_progress = progress
        accelerator = torch.device(device).type
        low = config.precision == "bf16" or (config.precision == "auto" and bf16_supported(device))
        self.fabric = Fabric(accelerator=accelerator, devices=1, precision="bf16-mixed" if low else "32-true")

    def fit(
        self,
        model: torch.nn.Module,
        data: TrainingSet,
        validate: Callable[[torch.nn.Module], dict[str, float]],
        *,
        stop: Stop | None = None,
    ) -> Outcome:
        """Train until the epochs, the minutes or the patience are used up; resumes from the newest checkpoint.

        Raises :class:`Interrupted` after saving when ``stop`` is requested, :class:`ModelError` on a loss that is
        not a number. At the end ``model`` holds the best validated weights.
        """
        if len(data) == 0:
            raise ConfigError("no molecule is left to train on; see the reasons in the data report")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream(self.seed, "training"))
            return self._fit(model, data, validate, stop)

    def _fit(self, model: torch.nn.Module, data: TrainingSet, validate: Any, stop: Stop | None) -> Outcome:
        config = self.config
        torch.set_num_threads(config.threads)
        optimizers: dict[str, torch.optim.Optimizer] = model.optimizers(  # type: ignore[operator]
            config.learning_rate, config.weight_decay
        )
        state = self._restore(model, optimizers)
        active = dict(zip(optimizers, self.fabric.setup(model, *optimizers.values())[1:], strict=True))
        per_epoch = math.ceil(len(data) / config.batch_size)
        total = max(1, round(config.epochs * per_epoch))
        started, before, saved = time.monotonic(), state.seconds, time.monotonic()
        running: dict[str, float] = {}
        with self.make_progress(total=total - state.step, unit="steps", desc="training") as bar:
            while True:
                plan = data.plan(config.batch_size, stream(self.seed, "order", state.epoch))
                while state.batch < len(plan):
                    state.seconds = before + time.monotonic() - started
                    share = self._share(state, total)
                    if share >= 1 or self._out_of_patience(state) or getattr(model, "given_up", False):
                        return self._finish(model, optimizers, state, validate, share)
                    factor = learning_rate_factor(share, config.warmup, config.final_learning_rate)
                    rows = plan[state.batch]
                    batch = data.batch(rows, stream(self.seed, "rows", state.epoch)).to(self.fabric.device)
                    metrics = self._step(model, active, batch, config.learning_rate * factor)
                    state.step, state.batch = state.step + 1, state.batch + 1
                    state.molecules += len(rows)
                    for key, value in metrics.items():
                        running[key] = value if key not in running else 0.98 * running[key] + 0.02 * value
                    if state.step % 50 == 0:
                        self.log({**running, "share": share, "seconds": state.seconds}, state.step)
                    bar.total = bar.count + 1 + _steps_left(state.step, share, total)
                    bar.advance(1, **running)
                    if state.step % config.validate_every == 0:
                        self._validate(model, state, validate)
                    if stop is not None and stop.requested:
                        self._save(model, optimizers, state)
                        raise Interrupted(stop.requested)
                    if time.monotonic() - saved > 60 * config.checkpoint_minutes:
                        self._save(model, optimizers, state)
                        saved = time.monotonic()
                state.epoch, state.batch = state.epoch + 1, 0

    def _step(
        self, model: Any, optimizers: Mapping[str, Any], batch: Any, learning_rate: float
    ) -> dict[str, float]:
        seen: dict[str, float] = {}
        steps = model.training_step(batch)
        while True:
            with (
                self.fabric.autocast()
            ):  # around the forward pass only, which the generator runs up to its yield
                try:
                    name, loss, metrics = next(steps)
                except StopIteration:
                    break
            if not torch.isfinite(loss):
                raise ModelError(
                    f"the loss of {name!r} is {float(loss.detach())}: lower trainer.learning_rate, "
                    "or set trainer.clip_norm"
                )
            optimizer = optimizers[name]
            optimizer.zero_grad()
            self.fabric.backward(loss)
            if self.config.clip_norm is not None:
                norm = torch.nn.utils.clip_grad_norm_(
                    [p for group in optimizer.param_groups for p in group["params"]], self.config.clip_norm
                )
                seen["gradient_norm"] = float(norm)
                note_norm(optimizer, float(norm))
            for group in optimizer.param_groups:
                group["lr"] = learning_rate * group.get("lr_factor", 1.0)
            optimizer.step()
            seen.update(metrics)
        seen["learning_rate"] = learning_rate
        return seen

    def _share(self, state: Progressed, total: int) -> float:
        by_time = state.seconds / (60 * self.config.minutes) if self.config.minutes else 0.0
        return max(state.step / total, by_time)

    def _out_of_patience(self, state: Progressed) -> bool:
        return self.config.patience is not None and state.since_best >= self.config.patience

    def _validate(self, model: torch.nn.Module, state: Progressed, validate: Any) -> None:
        model.eval()
        with torch.no_grad(), self.fabric.autocast():
            metrics = validate(model)
        model.train()
        state.history.append({"step": state.step, "molecules": state.molecules, **metrics})
        self.log({f"validation/{k}": v for k, v in metrics.items()}, state.step)
        if state.best is None or metrics["validation_loss"] < state.best:
            state.best, state.since_best = metrics["validation_loss"], 0
            if self.config.patience is not None:
                checkpoint.save(
                    self.folder / "checkpoints" / "best", state.step, model.state_dict(), {}, keep=1
                )
        else:
            state.since_best += 1

    def _finish(
        self,
        model: torch.nn.Module,
        optimizers: Mapping[str, Any],
        state: Progressed,
        validate: Any,
        share: float,
    ) -> Outcome:
        self._validate(model, state, validate)
        self._save(model, optimizers, state)
        reason = "the schedule is complete" if share >= 1 else "the validation loss no longer falls"
        if getattr(model, "given_up", False):
            reason = "it collapsed too often; these are the last healthy weights"
        best = checkpoint.latest(self.folder / "checkpoints" / "best") if self.config.patience else None
        if best is not None:
            model.load_state_dict(best.tensors)
        return Outcome(reason, state)

    def _save(self, model: torch.nn.Module, optimizers: Mapping[str, Any], state: Progressed) -> None:
        tensors = {f"model/{k}": v for k, v in model.state_dict().items()}
        for name, optimizer in optimizers.items():
            tensors |= tensors_of(optimizer, f"optimizer/{name}")
        tensors["random_state"] = torch.get_rng_state()
        checkpoint.save(self.folder / "checkpoints", state.step, tensors, {"trainer": vars(state)}, keep=2)

    def _restore(self, model: torch.nn.Module, optimizers: Mapping[str, Any]) -> Progressed:
        found = checkpoint.latest(self.folder / "checkpoints")
        if found is None:
            return Progressed()
        groups = _by_prefix(found.tensors)
        model.load_state_dict(groups["model"])
        for name, optimizer in optimizers.items():
            put_back(optimizer, found.tensors, f"optimizer/{name}")
        torch.set_rng_state(groups["random_state"][""])
        return Progressed(**found.state["trainer"])


def _steps_left(step: int, share: float, total: int) -> int:
    """How many steps are to come: the schedule may follow the clock, and end long before ``total``."""
    end = min(total, round(step / share)) if share > 0 else total
    return max(0, end - step)


def _by_prefix(tensors: Mapping[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    groups: dict[str, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        prefix, _, rest = key.partition("/")
        groups.setdefault(prefix, {})[rest] = value
    return groups


@torch.no_grad()
def mean_loss(model: Any, data: TrainingSet, batch_size: int = 512) -> float:
    """Mean loss per molecule over ``data``, without gradients, in the units of the training step."""
    total = 0.0
    plan: Sequence[np.ndarray] = data.plan(batch_size, 0)
    for rows in plan:
        for _, loss, _ in model.training_step(data.batch(rows).to(next(model.parameters()).device)):
            total += float(loss) * len(rows)
    return total / max(1, len(data))
