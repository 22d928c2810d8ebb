"""A helper process of ours that talks JSON lines: started fresh (never forked), killable, gone when we are
gone.

The standard pools import the user's main script again in every child; a script without ``if __name__ ==
"__main__"`` then starts itself over. This one runs :mod:`molgen.scoring.worker` and nothing else, and only
strings and numbers cross the pipe.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import sys
import threading
import weakref
from typing import IO, Any

_START = (
    "import sys, json; sys.path[:] = json.loads(sys.argv[1]); from molgen.scoring.worker import main; main()"
)
#: Seconds that a fresh interpreter may take to be ready, on a busy network file system.
START_TIMEOUT = 300.0
_ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class WorkerDied(Exception):
    """The process ended by itself; the text says how."""


class WorkerTimeout(Exception):
    """No answer in time."""


class WorkerProcess:
    """One helper process. Messages are dicts; answers arrive in ``inbox`` as (worker, dict), (worker, None)
    at its end.

    ``setup`` is the first message it gets; it answers ``{"ready": true}`` or ``{"error": words}``.
    """

    def __init__(self, setup: dict[str, Any], inbox: queue.Queue[Any] | None = None) -> None:
        self.inbox: queue.Queue[Any] = queue.Queue() if inbox is None else inbox
        path = [entry or os.getcwd() for entry in sys.path]
        environment = {**os.environ, **dict.fromkeys(_ONE_THREAD, "1"), "PYTHONIOENCODING": "utf-8"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _START, json.dumps(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        reader = threading.Thread(
            target=_read, args=(self._process.stdout, weakref.ref(self), self.inbox), daemon=True
        )
        reader.start()
        self._finalizer = weakref.finalize(self, _end, self._process, reader)
        self.send(setup)

    def send(self, message: dict[str, Any]) -> None:
        """Hand a message over; a dead process is noticed when its answer is awaited."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        except (BrokenPipeError, OSError, ValueError):
            pass  # the reader thread reports the end of the process

    def receive(self, timeout: float | None = None) -> dict[str, Any]:
        """The next answer of a worker with its own inbox; raises WorkerDied or WorkerTimeout."""
        try:
            _, message = self.inbox.get(timeout=timeout)
        except queue.Empty:
            raise WorkerTimeout from None
        if message is None:
            raise WorkerDied(self.epitaph())
        return message

    def epitaph(self) -> str:
        """How a process that is gone ended."""
        try:
            code = self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            return "the worker process closed its output"
        if code < 0:
            return f"the worker process was killed by signal {-code}" + (
                " (out of memory?)" if code == -9 else ""
            )
        return f"the worker process ended with exit code {code}"

    def kill(self) -> None:
        """End it now, whatever it is doing."""
        self._process.kill()
        self.close()

    def close(self) -> None:
        """End it: closing its input makes it leave; it is killed if it does not."""
        self._finalizer()


def _read(stream: IO[bytes], worker: weakref.ref[WorkerProcess], inbox: queue.Queue[Any]) -> None:
    for line in stream:
        inbox.put((worker(), json.loads(line)))
    inbox.put((worker(), None))


def _end(process: subprocess.Popen[bytes], reader: threading.Thread) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    with contextlib.suppress(OSError):
        process.stdin.close()
    try:
        process.wait(timeout=2)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if reader is not threading.current_thread():
        reader.join(timeout=2)
    process.stdout.close()
