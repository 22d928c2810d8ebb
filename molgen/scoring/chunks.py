"""Cuts a batch into chunks and runs components on them, here or in worker processes, journaling what is dear."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from molgen.core.errors import Interrupted
from molgen.scoring.cache import ScoreCache
from molgen.scoring.evaluate import Block, Component, Value, evaluate
from molgen.scoring.pool import Pool
from molgen.scoring.protocol import StopCheck

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule

_CHUNK_SECONDS = (
    0.25  # aim of a chunk: long beside the cost of sending it, short beside the patience of a Ctrl-C
)
_SENT_SECONDS = 0.1  # the same for workers: short, so that none waits long for the other's last chunk
_SMALLEST, _LARGEST = 1, 500
_NOT_WORTH_SENDING = 0.02  # CPU seconds of a batch that is scored here even if there are workers


class Runner:
    """Runs the components of an objective; ``pool`` None: all in this process."""

    def __init__(self, components: Sequence[Component], cache: ScoreCache, pool: Pool | None) -> None:
        self._components = components
        self.cache = cache
        self.pool = pool

    def is_remote(self, index: int) -> bool:
        """Whether a component runs where the workers are; components that do are run together."""
        return self.pool is None or self._components[index].remote

    def run(
        self,
        which: list[int],
        mols: list[Molecule],
        block: Block,
        everything: bool,
        stop: StopCheck | None,
        progress: Callable[[int], object] | None,
    ) -> None:
        """Run some components on all molecules, chunk by chunk, into ``block``."""
        cost = sum(self._components[index].scorer.cost for index in which)
        remote = self.pool is not None and self.is_remote(which[0]) and cost * len(mols) > _NOT_WORTH_SENDING
        seconds = _SENT_SECONDS if remote else _CHUNK_SECONDS
        size = int(np.clip(seconds / max(cost, 1e-9), _SMALLEST, _LARGEST))
        # A scorer that asks elsewhere has batches of its own, and notices a stop while it waits.
        size = max(size, *(getattr(self._components[index].scorer, "chunk", 1) for index in which))
        if remote:
            assert self.pool is not None
            size = min(size, max(1, -(-len(mols) // (2 * self.pool.workers))))
        chunks = [range(first, min(first + size, len(mols))) for first in range(0, len(mols), size)]
        if remote:
            self._run_remote(which, mols, block, everything, stop, progress, chunks)
            return
        for chunk in chunks:
            if stop is not None and (name := stop()):
                raise Interrupted(name)
            part = [mols[position] for position in chunk]
            found = evaluate(
                self._components,
                which,
                part,
                known=self._known(which, part),
                alive=block.alive[chunk.start : chunk.stop],
                everything=everything,
                sink=_JournalSink(self.cache, self._components, part),
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
        assert self.pool is not None
        sinks: dict[int, _JournalSink] = {}

        def task(number: int, positions: list[int]) -> dict[str, Any]:
            part = [mols[position] for position in positions]
            sinks[number] = _JournalSink(self.cache, self._components, part)
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
        for sent, answer in self.pool.run(tasks, hear, stop):
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
            component = self._components[index]
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
