"""A few worker processes that live as long as the run and score chunks of molecules."""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from molgen.core.errors import Interrupted, ScorerError
from molgen.scoring.process import START_TIMEOUT, WorkerProcess
from molgen.scoring.protocol import StopCheck

_POLL = 0.2  # seconds between looks at the stop flag


class Pool:
    """``workers`` processes set up with ``setup``, started when first needed, kept until :meth:`close`."""

    def __init__(self, workers: int, setup: dict[str, Any]) -> None:
        assert workers >= 1
        self.workers = workers
        self._setup = setup
        self._inbox: queue.Queue[Any] = queue.Queue()
        self._idle: list[WorkerProcess] = []

    def run(
        self,
        tasks: deque[dict[str, Any]],
        hear: Callable[[dict[str, Any]], None],
        stop: StopCheck | None = None,
    ) -> Iterator[tuple[dict[str, Any], dict[str, Any] | str]]:
        """Yield (task, answer) as answers come; a task whose worker died comes with words instead of an
        answer.

        ``tasks`` may be appended to while it is consumed. ``hear`` gets the messages that workers send on the
        way. Raises ScorerError when a scorer broke its contract or no worker can be started, Interrupted when
        ``stop`` names a signal; calls in flight are dropped then.
        """
        busy: dict[WorkerProcess, dict[str, Any] | None] = {}  # None: still starting
        deadline = time.monotonic() + START_TIMEOUT
        try:
            while tasks or busy:
                while tasks and self._idle:
                    worker = self._idle.pop()
                    busy[worker] = tasks.popleft()
                    worker.send(busy[worker])  # type: ignore[arg-type]
                while len(busy) < min(self.workers, len(busy) + len(tasks)) and not self._idle:
                    busy[WorkerProcess(self._setup, self._inbox)] = None
                    deadline = time.monotonic() + START_TIMEOUT
                if stop is not None and (name := stop()):
                    raise Interrupted(name)
                try:
                    worker, message = self._inbox.get(timeout=_POLL)
                except queue.Empty:
                    if None in busy.values() and time.monotonic() > deadline:
                        raise ScorerError(f"a scoring worker did not start in {START_TIMEOUT:g} s") from None
                    continue
                if worker not in busy:  # last words of one that was killed, or that died while idle
                    self._idle = [other for other in self._idle if other is not worker]
                    continue
                task = busy[worker]
                if message is None:
                    del busy[worker]
                    words = worker.epitaph()
                    worker.close()
                    if task is None:
                        raise ScorerError(f"a scoring worker could not start: {words}; its output is above")
                    yield task, words
                elif "error" in message:
                    raise ScorerError(message["error"])
                elif "ready" in message:
                    del busy[worker]
                    self._idle.append(worker)
                elif "started" in message or "finished" in message:
                    hear(message)
                else:
                    assert task is not None
                    del busy[worker]
                    self._idle.append(worker)
                    yield task, message
        finally:
            for (
                worker
            ) in busy:  # an exception or an abandoned loop: their answers would confuse the next call
                worker.kill()

    def close(self) -> None:
        """End all workers."""
        while self._idle:
            self._idle.pop().close()
