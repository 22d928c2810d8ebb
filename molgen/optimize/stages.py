"""A curriculum: which stage a search is in, when it is over, and what known molecules are worth in the next one.

Nothing is paid twice. A raw value that an earlier stage has bought is used again wherever the same scorer (code, model,
parameters) stands in a later one; cheap scorers are computed anew. A molecule that lacks a dear value is forgotten by
the memory: proposed again, the objective is asked about it, and only the missing value is paid. The best of those are
the first step of the stage, so that a strategy whose knowledge is molecules begins with good ones.
All of it follows from the ledger, so that a resumed run forgets the same molecules.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from molgen.chem.molecule import Molecule
from molgen.core.stage_schema import UntilConfig
from molgen.optimize.fate import fate
from molgen.optimize.memory import Entry, Memory
from molgen.optimize.reward import ParetoReward, Reward, TotalReward
from molgen.optimize.watch import Watch
from molgen.scoring.evaluate import CACHE_COST, Component, Value, evaluate
from molgen.scoring.objective import Objective
from molgen.scoring.table import make_table


@dataclass(frozen=True)
class Stage:
    """A stage with its objective; ``until`` None: the last one."""

    name: str
    objective: Objective
    until: UntilConfig | None = None


def build_reward(objective: Objective) -> Reward:
    """What the strategy learns from under this objective."""
    if objective.config.reward == "total":
        return TotalReward()
    return ParetoReward([c.name for c in objective.components if c.role in ("score", "penalty")])


class Stages:
    """The stages of a run in their order; ``at`` is the number of the present one."""

    def __init__(self, stages: Sequence[Stage]) -> None:
        assert stages
        assert stages[-1].until is None
        self.stages = list(stages)
        self.at = 0
        self.since_step = self.since_calls = 0
        self._began = [0]
        self.lacking: list[Entry] = []  # of the stage before, best first: good, but a value must be paid for
        self._raw: dict[str, dict[str, float]] = {}  # SMILES -> scorer -> value, of all stages so far

    @property
    def name(self) -> str:
        """Of the present stage."""
        return self.stages[self.at].name

    @property
    def began(self) -> list[tuple[str, int]]:
        """The stages so far, and after how many steps each began."""
        return [(self.stages[k].name, step) for k, step in enumerate(self._began)]

    @property
    def objective(self) -> Objective:
        """Of the present stage."""
        return self.stages[self.at].objective

    @property
    def last(self) -> bool:
        """Whether the objective of the run itself judges."""
        return self.at == len(self.stages) - 1

    def reward(self) -> Reward:
        """A new one for the present stage."""
        return build_reward(self.objective)

    def over(self, step: int, calls: int, watch: Watch) -> str:
        """Why the present stage is over, or ""."""
        until = self.stages[self.at].until
        if until is None:
            return ""
        limits = {
            f"{until.molecules} molecules are scored": _reached(calls - self.since_calls, until.molecules),
            f"{until.steps} steps are done": _reached(step - self.since_step, until.steps),
            f"the target of {until.target} is reached": watch.reached(until.target),
            f"no better mean for {until.patience} steps": watch.tired(until.patience),
            "nothing new is drawn any more": watch.exhausted,
        }
        why = next((words for words, reached in limits.items() if reached), "")
        return f"stage {self.name!r} is over: {why}" if why else ""

    def advance(self, step: int, memory: Memory, policy: str) -> str:
        """Begin the next stage and judge the memory by its objective; what became of it, in words."""
        before = self.objective
        for smiles, entry in memory.first.items():
            kept = self._raw.setdefault(smiles, {})
            for key, name in zip(_keys(before), before.names, strict=True):
                if not math.isnan(value := entry.values.get(name, math.nan)):
                    kept[key] = value
        before.close()
        self.at += 1
        self.since_step, self.since_calls = step, memory.calls
        self._began.append(step)
        judged = judge_again(memory.first, self._raw, self.objective, policy)
        lacking = [entry for smiles, entry in memory.first.items() if judged[smiles] is None]
        good = [entry for entry in lacking if entry.status == "scored" and entry.total > 0]
        self.lacking = sorted(good, key=lambda entry: (-entry.total, entry.id))
        memory.revalue(judged)
        again = sum(entry is None for entry in judged.values())
        rest = f", {again:,} lack a value that must be paid for and are forgotten" if again else ""
        return f"stage {self.name!r} begins: {len(judged) - again:,} known molecules are judged by its objective{rest}"

    def state(self) -> dict[str, Any]:
        """JSON-able; the values of molecules come from the ledger."""
        names = ("at", "since_step", "since_calls")
        return {name: getattr(self, name) for name in names} | {"began": list(self._began)}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Inverse of :meth:`state`."""
        self._began = list(state["began"])
        self.at, self.since_step, self.since_calls = (
            state[key] for key in ("at", "since_step", "since_calls")
        )


def judge_again(
    entries: Mapping[str, Entry],
    raw: Mapping[str, Mapping[str, float]],
    objective: Objective,
    policy: str,
) -> dict[str, Entry | None]:
    """New entries by SMILES under ``objective``; None where a dear value (:data:`CACHE_COST`) is not in ``raw``."""
    components, keys = objective.components, _keys(objective)
    mols = [Molecule(smiles, policy) for smiles in entries]
    known = {
        index: {k: Value(raw[s][key]) for k, s in enumerate(entries) if key in raw.get(s, {})}
        for index, key in enumerate(keys)
    }
    alive, lacking = _survivors(components, known, mols)
    kept = [k for k in range(len(mols)) if not (alive[k] and lacking[k])]
    given: dict[int, dict[int, Value]] = {}
    for i, component in enumerate(components):
        # Rejected already: what has not been bought for it stays unknown.
        unknown = (
            {} if component.scorer.cost < CACHE_COST else {at: Value(math.nan) for at in range(len(kept))}
        )
        given[i] = unknown | {at: known[i][k] for at, k in enumerate(kept) if k in known[i]}
    turn = {"filter": 0, "control": 2}
    order = sorted(
        range(len(components)), key=lambda i: (turn.get(components[i].role, 1), components[i].scorer.cost)
    )
    block = evaluate(components, order, [mols[k] for k in kept], known=given)
    table = make_table(components, block, objective.config.aggregate)
    found: dict[str, Entry | None] = dict.fromkeys(entries)
    for at, k in enumerate(kept):
        smiles = mols[k].smiles
        found[smiles] = entries[smiles].replace(**fate(table, at), room=1.0)
    return found


def _survivors(
    components: Sequence[Component], known: Mapping[int, Mapping[int, Value]], mols: Sequence[Molecule]
) -> tuple[np.ndarray, np.ndarray]:
    """Bool ``[n]``: those that no filter rejects as far as that is known for free, and those that lack a dear value."""
    cheap = [i for i, c in enumerate(components) if c.role == "filter" and c.scorer.cost < CACHE_COST]
    alive = evaluate(components, cheap, mols, known=known).alive
    lacking = np.zeros(len(mols), dtype=bool)
    for i, component in enumerate(components):
        if component.scorer.cost < CACHE_COST:
            continue
        for k in range(len(mols)):
            value = known[i].get(k)
            if value is None:
                lacking[k] = True
            elif component.role == "filter":
                alive[k] &= bool(component.passes(np.array([value.value]))[0])
    return alive, lacking


def _keys(objective: Objective) -> list[str]:
    """What the raw values of each component depend on besides the molecule."""
    return [
        component.fingerprint or json.dumps([part.use, part.params], sort_keys=True, default=str)
        for component, part in zip(objective.components, objective.config.components, strict=True)
    ]


def _reached(value: int, limit: int | None) -> bool:
    return limit is not None and value >= limit
