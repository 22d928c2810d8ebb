"""Runs components over one chunk of molecules: filters first, cheap before dear, nothing for rejects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from molgen.core.errors import Interrupted, ScorerError
from molgen.scoring.protocol import Scored, Scorer, StopCheck
from molgen.scoring.transforms import Transform

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule

#: Scorers at least this dear (CPU seconds per molecule) are worth a line in the journal.
CACHE_COST = 2e-3


class Value(NamedTuple):
    """One value of one scorer for one molecule; NaN comes with the error that says why."""

    value: float
    error: str = ""
    note: str = ""


@dataclass(frozen=True)
class Component:
    """One line of the objective, ready to run.

    ``fingerprint`` names everything that its raw values depend on besides the molecule; None: not known, so
    values are never cached. ``remote``: worker processes can build it too (a scorer that was handed in stays
    in ours).
    """

    name: str
    use: str
    role: str
    weight: float
    scorer: Scorer
    transform: Transform
    threshold: float
    on_missing: str
    fingerprint: str | None
    remote: bool
    summary: str = ""
    watches: str = ""  # role control: the component that it is held against; "": the total

    @property
    def cached(self) -> bool:
        """Whether raw values are kept and journaled: cheap ones are computed again instead."""
        return self.fingerprint is not None and self.scorer.cost >= CACHE_COST

    def passes(self, raw: np.ndarray) -> np.ndarray:
        """Bool ``[n]``: the molecules that this component, as a filter, lets through."""
        desirability = self.transform(raw)
        missing = np.isnan(desirability)
        return np.where(missing, self.on_missing == "ignore", np.nan_to_num(desirability) >= self.threshold)


class Sink(Protocol):
    """Hears of every value that is worth keeping as soon as it exists; positions count within the chunk."""

    def started(self, component: int, positions: Sequence[int]) -> None:
        """These calls are about to be made."""
        ...

    def finished(self, component: int, position: int, value: Value) -> None:
        """This call was answered."""
        ...


@dataclass
class Block:
    """Raw values of a chunk, float64 ``[components, n]``, words by component and position, survivors."""

    values: np.ndarray
    errors: list[dict[int, str]]
    notes: list[dict[int, str]]
    alive: np.ndarray

    @classmethod
    def empty(cls, components: int, n: int) -> Block:
        """All NaN, all alive."""
        values = np.full((components, n), np.nan)
        alive = np.ones(n, dtype=bool)
        return cls(values, [{} for _ in range(components)], [{} for _ in range(components)], alive)

    def set(self, component: int, position: int, value: Value) -> None:
        """Store one value."""
        self.values[component, position] = value.value
        if value.error:
            self.errors[component][position] = value.error
        if value.note:
            self.notes[component][position] = value.note


def evaluate(
    components: Sequence[Component],
    which: Sequence[int],
    mols: Sequence[Molecule],
    *,
    known: Mapping[int, Mapping[int, Value]] | None = None,
    alive: np.ndarray | None = None,
    everything: bool = False,
    sink: Sink | None = None,
    stop: StopCheck | None = None,
) -> Block:
    """Run the components ``which`` (indices, in the order to run) on a chunk.

    ``known[component][position]`` are values that need not be computed. A molecule that fails a filter, or
    has no value for a component that must have one, is not computed further, unless ``everything`` is asked
    for.
    """
    block = Block.empty(len(components), len(mols))
    if alive is not None:
        block.alive = alive.copy()
    for index in which:
        component = components[index]
        todo = np.arange(len(mols)) if everything else np.flatnonzero(block.alive)
        have = known.get(index, {}) if known else {}
        missing = []
        for position in todo.tolist():
            value = have.get(position)
            if value is None:
                missing.append(position)
            else:
                block.set(index, position, value)
        if missing:
            _compute(component, index, mols, missing, block, sink if component.cached else None, stop)
        raw = block.values[index][todo]
        if component.role == "filter":
            block.alive[todo] &= component.passes(raw)
        elif component.on_missing == "reject" and component.role != "control":
            block.alive[todo] &= ~np.isnan(component.transform(raw))
    return block


def _compute(
    component: Component,
    index: int,
    mols: Sequence[Molecule],
    positions: list[int],
    block: Block,
    sink: Sink | None,
    stop: StopCheck | None,
) -> None:
    chosen = [mols[position] for position in positions]
    heed = getattr(component.scorer, "heed", None)
    if heed is not None:
        heed(stop)
    stream = getattr(component.scorer, "stream", None)
    if stream is None:
        if sink is not None:
            sink.started(index, positions)
        scored = checked(component.name, component.scorer(chosen), len(chosen))
        for k, position in enumerate(positions):
            value = Value(float(scored.values[k]), scored.errors.get(k, ""), scored.notes.get(k, ""))
            block.set(index, position, value)
            if sink is not None:
                sink.finished(index, position, value)
        return
    mark = None if sink is None else lambda which: sink.started(index, [positions[k] for k in which])
    for k, number, error, note in stream(chosen, mark):
        value = Value(number, error, note)
        block.set(index, positions[k], value)
        if sink is not None:
            sink.finished(index, positions[k], value)
        if stop is not None and (name := stop()):
            raise Interrupted(name)


def checked(name: str, scored: Scored, n: int) -> Scored:
    """Hold a scorer to its contract; raises ScorerError naming it and what it returned instead."""
    if not isinstance(scored, Scored):
        raise ScorerError(f"scorer {name!r} returned {type(scored).__name__}; it must return a Scored")
    values = np.asarray(scored.values)
    if values.dtype != np.float64 or values.shape != (n,):
        raise ScorerError(
            f"scorer {name!r} returned {values.dtype} values of shape {values.shape} for {n} molecules; "
            f"it must return float64 of shape ({n},)"
        )
    endless = np.flatnonzero(np.isinf(values))
    if endless.size:
        values = np.where(np.isinf(values), np.nan, values)
        errors = {**scored.errors, **{int(i): "infinite value" for i in endless}}
        return Scored(values, errors, scored.notes)
    return scored
