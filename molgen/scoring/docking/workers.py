"""Docks molecules in processes of our own, each with a time limit: past it the process is killed, not asked."""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from molgen.core.errors import Interrupted, ScorerError
from molgen.scoring.process import START_TIMEOUT, WorkerProcess
from molgen.scoring.protocol import StopCheck

_POLL = 0.2  # seconds between looks at the clock and the stop flag


@dataclass(frozen=True)
class Docked:
    """Affinity in kcal/mol and mol block of the pose; or ``error``, and neither."""

    value: float
    block: str
    error: str = ""


class Workers:
    """``parallel`` docking processes with ``setup``, started when needed, kept until :meth:`close`."""

    def __init__(self, setup: dict[str, Any], parallel: int, time_limit: float) -> None:
        self._setup, self._parallel, self._limit = setup, parallel, time_limit
        self._inbox: queue.Queue[Any] = queue.Queue()
        self._idle: list[WorkerProcess] = []

    def run(
        self, smiles: Sequence[str], started: Callable[[int], object], stop: Callable[[], StopCheck | None]
    ) -> Iterator[tuple[int, Docked]]:
        """Yield (position, result) as they come; ``started`` hears each position when its docking begins.

        Raises ScorerError when an engine cannot start, Interrupted when ``stop`` names a signal; dockings in flight
        are killed then, as they are when nobody listens any more.
        """
        todo = deque(range(len(smiles)))
        busy: dict[WorkerProcess, tuple[int | None, float]] = {}  # position (None: starting), deadline
        try:
            while todo or busy:
                while todo and self._idle:
                    worker, position = self._idle.pop(), todo.popleft()
                    busy[worker] = (position, time.monotonic() + self._limit)
                    started(position)
                    worker.send({"smiles": smiles[position]})
                starting = sum(position is None for position, _ in busy.values())
                while len(busy) < self._parallel and starting < len(todo):
                    busy[WorkerProcess(self._setup, self._inbox)] = (None, time.monotonic() + START_TIMEOUT)
                    starting += 1
                check = stop()
                if check is not None and (name := check()):
                    raise Interrupted(name)
                found = self._answer(busy)
                if found is not None:
                    yield found
                yield from self._overdue(busy)
        finally:
            for worker in busy:
                worker.kill()

    def _answer(self, busy: dict[WorkerProcess, tuple[int | None, float]]) -> tuple[int, Docked] | None:
        try:
            worker, message = self._inbox.get(timeout=_POLL)
        except queue.Empty:
            return None
        if worker not in busy:  # last words of one that was killed, or that died while idle
            self._idle = [other for other in self._idle if other is not worker]
            return None
        position, _ = busy.pop(worker)
        if message is None:
            words = worker.epitaph()
            worker.close()
            if position is None:
                raise ScorerError(f"docking could not start: {words}; its output is above")
            return position, Docked(float("nan"), "", f"docking ended: {words}")
        if "error" in message and position is None:
            worker.close()
            raise ScorerError(f"docking could not start: {message['error']}")
        self._idle.append(worker)
        if position is None:
            return None
        if "error" in message:
            return position, Docked(float("nan"), "", message["error"])
        return position, Docked(float(message["value"]), message["block"])

    def _overdue(self, busy: dict[WorkerProcess, tuple[int | None, float]]) -> Iterator[tuple[int, Docked]]:
        now = time.monotonic()
        for worker, (position, deadline) in list(busy.items()):
            if now > deadline:
                del busy[worker]
                worker.kill()
                if position is None:
                    raise ScorerError(f"docking did not start within {START_TIMEOUT:g} s")
                yield position, Docked(float("nan"), "", f"docking took longer than {self._limit:g} s")

    def close(self) -> None:
        """End all processes."""
        while self._idle:
            self._idle.pop().close()
