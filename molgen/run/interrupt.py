"""Stopping on request: SIGTERM, SIGUSR1, Ctrl-C set a flag, the run saves and ends; second Ctrl-C aborts.

with stop_signals() as stop:
    for step in steps:
        with stop.droppable():          # a signal ends this block at once
            scores = objective(molecules)
        if stop.requested:
            break                       # save, then: stop.raise_if_requested("molgen resume RUN")
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from molgen.core.errors import Interrupted
from molgen.run.progress import say

_NAMES = ("SIGTERM", "SIGUSR1", "SIGINT")  # SIGUSR1: Slurm's --signal=USR1@60 before the time limit


class CallsDropped(BaseException):
    """Raised by a stop signal within :meth:`Stop.droppable`: the calls in flight are given up.

    Not an ``Exception``, so that a user's ``except Exception`` in a scorer does not swallow it.
    """


class Stop:
    """Whether, and by which signal, the run was asked to stop."""

    def __init__(self) -> None:
        self.requested: str | None = None
        self._droppable = False

    def request(self, name: str) -> None:
        """Ask to stop, as a signal does (also from another thread)."""
        if self.requested is None:
            self.requested = name

    @contextlib.contextmanager
    def droppable(self) -> Iterator[None]:
        """A block that a stop signal ends at once with :class:`CallsDropped` (main thread only)."""
        if self.requested:
            raise CallsDropped(self.requested)
        self._droppable = True
        try:
            if self.requested:  # the signal came between the two lines above
                raise CallsDropped(self.requested)
            yield
        finally:
            self._droppable = False

    def raise_if_requested(self, resume_hint: str = "") -> None:
        """Raise :class:`~molgen.core.errors.Interrupted` (exit code 75; Ctrl-C: 130) if asked to stop."""
        if self.requested:
            raise Interrupted(self.requested, resume_hint)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        if self.requested == "SIGINT" and name == "SIGINT":
            raise KeyboardInterrupt
        first = self.requested is None
        if first or name == "SIGINT":  # Ctrl-C after a SIGTERM is no abort yet, but the next one is
            self.requested = name
        if first:
            again = "; Ctrl-C again stops at once, without saving" if name == "SIGINT" else ""
            # RuntimeError: the signal came in the middle of another write to stderr
            with contextlib.suppress(RuntimeError):
                say(f"{name} received: saving and stopping{again}")
            if self._droppable:  # only the first time: a second SIGTERM must not break the saving
                raise CallsDropped(name)


@contextlib.contextmanager
def stop_signals() -> Iterator[Stop]:
    """Catch stop signals while the block runs; the handlers of before are put back at its end.

    Outside the main thread Python delivers no signals: the block then runs with :meth:`Stop.request` only. In
    Jupyter the interrupt button is a SIGINT and works the same: first click saves, second raises
    KeyboardInterrupt.
    """
    stop = Stop()
    before: dict[int, object] = {}
    if threading.current_thread() is threading.main_thread():
        for name in _NAMES:
            number = getattr(signal, name, None)  # no SIGUSR1 on Windows
            if number is not None:
                before[number] = signal.signal(number, stop._handle)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            # None: a handler that was not installed from Python; it cannot be put back
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # type: ignore[arg-type]
