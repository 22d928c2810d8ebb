"""The objective: components, curves and a mean, from a list of molecules to a table of scores."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from molgen.core.errors import ConfigError, Interrupted
from molgen.core.schema import ObjectiveConfig
from molgen.scoring.build import build_components, objective_fingerprint
from molgen.scoring.cache import ScoreCache
from molgen.scoring.evaluate import Block, Component, Value, evaluate
from molgen.scoring.pool import Pool
from molgen.scoring.protocol import Scorer, StopCheck
from molgen.scoring.table import ScoreTable, make_table

if TYPE_CHECKING:
    import pandas as pd

    from molgen.chem.molecule import Molecule

_CHUNK_SECONDS = (
    0.25  # aim of a chunk: long beside the cost of sending it, short beside the patience of a Ctrl-C
)
_SMALLEST, _LARGEST = 1, 500
_NOT_WORTH_SENDING = 0.02  # CPU seconds of a batch that is scored here even if there are workers

__all__ = ["Objective", "ScoreTable", "build_objective", "score_table"]


def build_objective(
    config: ObjectiveConfig,
    *,
    base_dir: Path | str = ".",
    policy: str = "default",
    workers: int = 1,
    cache: ScoreCache | None = None,
    handed_in: Mapping[str, Scorer] | None = None,
) -> Objective:
    """Build all scorers of a configuration; raises ConfigError with all problems, keys as
    ``objective.components[i]``.

    ``base_dir``: where relative paths start. ``handed_in``: scorers that this package cannot build (they need
    a model), by the ``name`` or the ``use`` of their component; they run in this process. ``workers`` > 1:
    the others run in that many processes, with the same values.
    """
    base_dir = Path(base_dir).resolve()
    components, problems = build_components(config.components, base_dir, policy, handed_in or {})
    if problems:
        raise ConfigError(problems, "objective")
    ready = [component for component in components if component is not None]
    setup = {
        "kind": "objective",
        "base_dir": str(base_dir),
        "policy": policy,
        "components": [
            entry.model_dump(mode="json") if component.remote else None
            for entry, component in zip(config.components, ready, strict=True)
        ],
    }
    return Objective(config, ready, policy, Pool(workers, setup) if workers > 1 else None, cache)


class Objective:
    """Call it with molecules, get a :class:`ScoreTable`; :meth:`close` ends its worker processes.

    ``names``: the components, in the order of the configuration. ``fingerprint``: sha256 of everything that
    determines the totals. ``user_files``: path -> sha256 of the files of the user's that it read (own
    functions and what they import, reference molecules): copy them and the objective can be built again.
    """

    def __init__(
        self,
        config: ObjectiveConfig,
        components: list[Component],
        policy: str,
        pool: Pool | None = None,
        cache: ScoreCache | None = None,
    ) -> None:
        self.config = config
        self.components = components
        self.policy = policy
        self.cache = ScoreCache() if cache is None else cache
        self.names = [component.name for component in components]
        self.fingerprint = objective_fingerprint(config, components, policy)
        self.user_files: dict[str, str] = {}
        for component in components:
            self.user_files |= getattr(component.scorer, "files", {})
        self._pool = pool
        # Filters before the rest, cheap before dear; the order in the file decides between equals.
        self._order = sorted(
            range(len(components)), key=lambda i: (components[i].role != "filter", components[i].scorer.cost)
        )

    def __call__(
        self,
        mols: Sequence[Molecule],
        *,
        everything: bool = False,
        stop: StopCheck | None = None,
        progress: Callable[[int], object] | None = None,
    ) -> ScoreTable:
        """Score molecules; a molecule's values do not depend on the others in the list, nor on the workers.

        ``everything``: compute all components also for molecules that a filter rejects, so that all reasons
        are known; totals stay the same. ``stop``: asked a few times per second for the name of a signal; then
        Interrupted is raised, values so far are in the journal. ``progress``: called with the number of
        distinct molecules done, at the end of each chunk. Raises ScorerError when a scorer breaks its
        contract.
        """
        distinct = list(dict.fromkeys(mols))
        block = Block.empty(len(self.components), len(distinct))
        groups = [list(group) for _, group in groupby(self._order, key=self._is_remote)]
        for number, which in enumerate(groups):
            counted = progress if number == len(groups) - 1 else None
            self._run(which, distinct, block, everything, stop, counted)
        if len(distinct) < len(mols):
            block = _spread(block, distinct, mols)
        return make_table(self.components, block, self.config.aggregate)

    def close(self) -> None:
        """End worker processes and guarded functions; the cache belongs to whoever opened it."""
        if self._pool is not None:
            self._pool.close()
        for component in self.components:
            close = getattr(component.scorer, "close", None)
            if close is not None:
                close()

    def __enter__(self) -> Objective:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def describe(self) -> list[dict[str, Any]]:
        """One dict per component for reports: name, use, role, weight, unit, transform (dict), summary."""
        return [
            {
                "name": c.name,
                "use": c.use,
                "role": c.role,
                "weight": c.weight,
                "unit": c.scorer.unit,
                "transform": c.transform.config.model_dump(exclude_none=True),
                "summary": c.summary,
            }
            for c in self.components
        ]

    def _is_remote(self, index: int) -> bool:
        return self._pool is None or self.components[index].remote

    def _run(
        self,
        which: list[int],
        mols: list[Molecule],
        block: Block,
        everything: bool,
        stop: StopCheck | None,
        progress: Callable[[int], object] | None,
    ) -> None:
        """Run some components on all molecules, chunk by chunk, into ``block``."""
        cost = sum(self.components[index].scorer.cost for index in which)
        size = int(np.clip(_CHUNK_SECONDS / max(cost, 1e-9), _SMALLEST, _LARGEST))
        remote = (
            self._pool is not None and self._is_remote(which[0]) and cost * len(mols) > _NOT_WORTH_SENDING
        )
        if remote:
            assert self._pool is not None
            size = min(size, max(1, -(-len(mols) // (2 * self._pool.workers))))
        chunks = [range(first, min(first + size, len(mols))) for first in range(0, len(mols), size)]
        if remote:
            self._run_remote(which, mols, block, everything, stop, progress, chunks)
            return
        for chunk in chunks:
            if stop is not None and (name := stop()):
                raise Interrupted(name)
            part = [mols[position] for position in chunk]
            found = evaluate(
                self.components,
                which,
                part,
                known=self._known(which, part),
                alive=block.alive[chunk.start : chunk.stop],
                everything=everything,
                sink=_JournalSink(self.cache, self.components, part),
                stop=stop,
            )
            for index in which:
                _merge(block, chunk, index, found.values[index], found.errors[index], found.notes[index])
            block.alive[chunk.start : chunk.stop] = found.alive
            if progress is not None:
                progress(len(chunk))

    def _run_remote(
        self,
        which: list[int],
        mols: list[Molecule],
        block: Block,
        everything: bool,
        stop: StopCheck | None,
        progress: Callable[[int], object] | None,
        chunks: list[range],
    ) -> None:
        """The same in worker processes; a chunk whose worker dies is tried again molecule by molecule."""
        assert self._pool is not None
        sinks: dict[int, _JournalSink] = {}

        def task(number: int, positions: list[int]) -> dict[str, Any]:
            part = [mols[position] for position in positions]
            sinks[number] = _JournalSink(self.cache, self.components, part)
            known = self._known(which, part)
            return {
                "id": number,
                "which": which,
                "smiles": [mol.smiles for mol in part],
                "known": {index: {k: list(v) for k, v in values.items()} for index, values in known.items()},
                "everything": everything,
            }

        def hear(message: dict[str, Any]) -> None:
            sink = sinks[message["id"]]
            if "started" in message:
                sink.started(*message["started"])
            else:
                index, position, value = message["finished"]
                sink.finished(index, position, Value(*value))

        todo: dict[int, list[int]] = {}
        tasks: deque[dict[str, Any]] = deque()

        def add(positions: list[int]) -> None:
            alive = [p for p in positions if everything or block.alive[p]]
            if progress is not None:
                progress(len(positions) - len(alive))
            if alive:
                todo[len(todo)] = alive
                tasks.append(task(len(todo) - 1, alive))

        for chunk in chunks:
            add(list(chunk))
        for sent, answer in self._pool.run(tasks, hear, stop):
            positions = todo[sent["id"]]
            sinks.pop(sent["id"])
            if isinstance(answer, str):
                if len(positions) > 1:
                    for position in positions:
                        add([position])
                    continue
                block.alive[positions] = False
                for index in which:
                    block.errors[index][positions[0]] = answer
            else:
                alive = set(answer["alive"])
                for index in which:
                    key = str(index)
                    words = [
                        {int(k): v for k, v in answer[kind][key].items()} for kind in ("errors", "notes")
                    ]
                    _merge(block, positions, index, np.array(answer["values"][key], dtype=np.float64), *words)
                for k, position in enumerate(positions):
                    block.alive[position] &= k in alive
            if progress is not None:
                progress(len(positions))

    def _known(self, which: Sequence[int], mols: Sequence[Molecule]) -> dict[int, dict[int, Value]]:
        known: dict[int, dict[int, Value]] = {}
        for index in which:
            component = self.components[index]
            if component.cached:
                assert component.fingerprint is not None
                found = ((k, self.cache.get(component.fingerprint, mol)) for k, mol in enumerate(mols))
                known[index] = {k: value for k, value in found if value is not None}
        return known


class _JournalSink:
    """Keeps values of a chunk in the cache as soon as they exist."""

    def __init__(self, cache: ScoreCache, components: Sequence[Component], mols: Sequence[Molecule]) -> None:
        self._cache = cache
        self._components = components
        self._mols = mols

    def started(self, component: int, positions: Sequence[int]) -> None:
        self._cache.start(self._components[component].fingerprint or "", [self._mols[p] for p in positions])

    def finished(self, component: int, position: int, value: Value) -> None:
        self._cache.put(self._components[component].fingerprint or "", self._mols[position], value)


def score_table(
    mols: Sequence[Molecule], objective: Objective | ObjectiveConfig, *, everything: bool = False
) -> pd.DataFrame:
    """Score molecules and return a DataFrame with their ids, other columns, totals, values and reasons."""
    if isinstance(objective, ObjectiveConfig):
        policy = mols[0].policy if mols else "default"
        with build_objective(objective, policy=policy) as built:
            return built(mols, everything=everything).to_frame(mols)
    return objective(mols, everything=everything).to_frame(mols)


def _merge(
    block: Block,
    positions: Sequence[int],
    index: int,
    values: np.ndarray,
    errors: Mapping[int, str],
    notes: Mapping[int, str],
) -> None:
    block.values[index, list(positions)] = values
    block.errors[index].update({positions[k]: words for k, words in errors.items()})
    block.notes[index].update({positions[k]: words for k, words in notes.items()})


def _spread(block: Block, distinct: Sequence[Molecule], mols: Sequence[Molecule]) -> Block:
    """Give the values of distinct molecules to every place where they stand."""
    place = {mol: k for k, mol in enumerate(distinct)}
    source = [place[mol] for mol in mols]

    def words(of: list[dict[int, str]]) -> list[dict[int, str]]:
        return [{i: entry[k] for i, k in enumerate(source) if k in entry} for entry in of]

    return Block(block.values[:, source], words(block.errors), words(block.notes), block.alive[source])
