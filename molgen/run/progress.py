"""Progress on stderr: one live line in a terminal or notebook, a plain line every 30 s in a batch log.

Never prints to stdout: that is for data.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Literal, TextIO

Mode = Literal["terminal", "notebook", "log", "quiet"]
_INTERVAL = {"terminal": 0.1, "notebook": 0.5, "log": 30.0}
_WINDOW = 30.0  # seconds over which the rate is measured, so that a slow start does not spoil the time left
_CLEAR = "\r\x1b[2K"
_lock = threading.RLock()
_active: list[Progress] = []
_hushed: ContextVar[bool] = ContextVar("hushed", default=False)


@contextlib.contextmanager
def hushed(quiet: bool = True) -> Iterator[None]:
    """No bar inside shows anything, if ``quiet``: for work that is too deep down to be handed the user's wish."""
    token = _hushed.set(quiet or _hushed.get())
    try:
        yield
    finally:
        _hushed.reset(token)


def say(message: str, stream: TextIO | None = None) -> None:
    """Write one message line to stderr, above a live progress line if there is one."""
    stream = stream or sys.stderr
    with _lock:
        live = [bar for bar in _active if bar.mode == "terminal" and bar.stream is stream]
        if live:
            stream.write(_CLEAR)
        # A closed pipe (`molgen ... 2>&1 | head`) must not end the run.
        with contextlib.suppress(BrokenPipeError):
            stream.write(f"{message}\n")
            for bar in live:
                bar._draw(final=False)
            stream.flush()


def detect_mode(stream: TextIO) -> Mode:
    """How progress can be shown: in a notebook, a terminal, or as lines of a log."""
    ipython = sys.modules.get("IPython")  # not imported: then this is no notebook
    shell = ipython.get_ipython() if ipython is not None else None
    if type(shell).__name__ == "ZMQInteractiveShell":
        return "notebook"
    return "terminal" if stream.isatty() else "log"


def duration(seconds: float) -> str:
    """Seconds in words: ``42 s``, ``3 min 05 s``, ``2 h 07 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class Progress:
    """Counts ``unit`` up to ``total`` and shows rate, time left and what ``advance`` is told.

    Args:
        total: how many there will be; None: not known, no time left is shown.
        unit: what is counted, plural (``molecules``).
        desc: what is being done.
        quiet: show nothing.
        stream: default: the stderr of the moment.
        mode: default: found out by :func:`detect_mode`.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        total: int | None = None,
        unit: str = "molecules",
        desc: str = "",
        *,
        quiet: bool = False,
        stream: TextIO | None = None,
        mode: Mode | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.total = total
        self.unit = unit
        self.desc = desc
        self.count = 0
        self.stream = stream or sys.stderr
        self.mode: Mode = "quiet" if quiet or _hushed.get() else mode or detect_mode(self.stream)
        self._clock = clock
        self._info: dict[str, Any] = {}
        self._start = self._shown = clock()
        self._history: deque[tuple[float, int]] = deque([(self._start, 0)])
        self._display: Any = None
        self._closed = False

    def __enter__(self) -> Progress:
        with _lock:
            _active.append(self)
            self._show()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def advance(self, n: int = 1, **info: Any) -> None:
        """``n`` more are done; ``info`` (floats are shown with three digits) stays until replaced."""
        with _lock:
            self.count += n
            self._info.update(info)
            now = self._clock()
            interval = _INTERVAL.get(self.mode)
            if interval is None or now - self._shown < interval:
                return
            self._history.append((now, self.count))
            while len(self._history) > 2 and self._history[1][0] <= now - _WINDOW:
                self._history.popleft()
            self._shown = now
            self._show()

    def close(self) -> None:
        """Show the last line: how many in which time."""
        with _lock:
            if self in _active:
                _active.remove(self)
            if not self._closed and self.mode != "quiet":
                self._show(final=True)
            self._closed = True

    def rate(self) -> float:
        """Units per second over the last half minute; 0 before the first can be told."""
        since, count = self._history[0]
        elapsed = self._clock() - since
        return (self.count - count) / elapsed if elapsed > 0 else 0.0

    def line(self, final: bool = False) -> str:
        """The text of the progress line."""
        elapsed = self._clock() - self._start
        parts = [
            f"{self.count:,}" + (f" of {self.total:,}" if self.total is not None else "") + f" {self.unit}"
        ]
        rate = (self.count / elapsed if elapsed > 0 else 0.0) if final else self.rate()
        if final:
            parts[0] += f" in {duration(elapsed)}"
        elif self.total:
            parts[0] += f" ({100 * self.count / self.total:.0f} %)"
        if rate > 0:
            parts.append(f"{rate:.3g}/s" if rate < 1000 else f"{rate:,.0f}/s")
            if not final and self.total is not None and self.count < self.total:
                parts.append(f"{duration((self.total - self.count) / rate)} left")
        parts += [f"{key} {_text(value)}" for key, value in self._info.items()]
        return (f"{self.desc}: " if self.desc else "") + ", ".join(parts)

    def _show(self, final: bool = False) -> None:
        if self.mode == "notebook":
            self._show_in_notebook(self.line(final))
        elif self.mode == "terminal":
            self._draw(final)
        elif self.mode == "log" and (final or self.count):
            self._write(f"{self.line(final)}\n")

    def _draw(self, final: bool) -> None:
        width = max(20, shutil.get_terminal_size().columns - 1)
        self._write(_CLEAR + (f"{self.line(final)}\n" if final else self.line()[:width]))

    def _write(self, text: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.stream.write(text)
            self.stream.flush()

    def _show_in_notebook(self, text: str) -> None:
        from IPython.display import display

        content = {"text/plain": text}
        if self._display is None:
            self._display = display(content, raw=True, display_id=True)
        else:
            self._display.update(content, raw=True)


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
