"""The main program of a helper process (:mod:`molgen.scoring.process`): tasks in and out as JSON lines."""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from molgen.core.errors import MolgenError
from molgen.core.schema import ComponentConfig

_Send = Callable[[dict[str, Any]], None]


def main() -> None:
    """Serve until the input ends; the process never outlives the one that started it."""
    # The terminal's Ctrl-C and a batch system's warning go to the whole group; our parent decides what
    # happens.
    for name in ("SIGINT", "SIGTERM", "SIGUSR1"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    tasks, send = _claim_streams()
    setup = tasks.get()
    try:
        serve = {"function": _functions, "docking": _docking}.get(setup["kind"], _objective)(setup)
    except (MolgenError, ImportError, OSError) as error:
        send({"error": str(error)})
        return
    send({"ready": True})
    while True:
        task = tasks.get()
        try:
            for message in serve(task, send):
                send(message)
        except MolgenError as error:
            send({"error": str(error), "type": type(error).__name__})


def _claim_streams() -> tuple[queue.Queue[Any], _Send]:
    """Take stdin and stdout for ourselves; what a user's function prints goes to stderr."""
    source: BinaryIO = os.fdopen(os.dup(0), "rb")
    sink: BinaryIO = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    tasks: queue.Queue[Any] = queue.Queue()

    def read() -> None:
        for line in source:
            tasks.put(json.loads(line))
        os._exit(0)  # our parent is gone or done with us, even if a scorer is stuck

    threading.Thread(target=read, daemon=True).start()

    def send(message: dict[str, Any]) -> None:
        try:
            sink.write(json.dumps(message).encode() + b"\n")
            sink.flush()
        except OSError:
            os._exit(0)

    return tasks, send


def _functions(setup: dict[str, Any]) -> Callable[[dict[str, Any], _Send], Iterator[dict[str, Any]]]:
    """Run one function of a user; each task is a list of SMILES, each answer a list of [value, error]."""
    from molgen.scoring.user_file import load_function
    from molgen.scoring.user_function import molecules

    function = load_function(Path(setup["path"]), setup["function"], setup["params"])

    def serve(task: dict[str, Any], send: _Send) -> Iterator[dict[str, Any]]:
        yield {"values": [list(pair) for pair in function.call(molecules(task["smiles"], task["policy"]))]}

    return serve


def _objective(setup: dict[str, Any]) -> Callable[[dict[str, Any], _Send], Iterator[dict[str, Any]]]:
    """Run the components of an objective on chunks of molecules."""
    import numpy as np

    from molgen.scoring.build import build_components
    from molgen.scoring.evaluate import Value, evaluate
    from molgen.scoring.user_function import molecules

    configs = [None if c is None else ComponentConfig.model_validate(c) for c in setup["components"]]
    components, problems = build_components(configs, Path(setup["base_dir"]), setup["policy"], {})
    assert not problems, problems  # the parent built the same ones

    def serve(task: dict[str, Any], send: _Send) -> Iterator[dict[str, Any]]:
        known = {
            int(index): {int(position): Value(*value) for position, value in values.items()}
            for index, values in task["known"].items()
        }
        block = evaluate(
            components,  # type: ignore[arg-type]
            task["which"],
            molecules(task["smiles"], setup["policy"]),
            known=known,
            everything=task["everything"],
            sink=_RemoteSink(send, task["id"]),
        )
        yield {
            "id": task["id"],
            "values": {index: block.values[index].tolist() for index in task["which"]},
            "errors": {index: block.errors[index] for index in task["which"]},
            "notes": {index: block.notes[index] for index in task["which"]},
            "alive": np.flatnonzero(block.alive).tolist(),
        }

    return serve


def _docking(setup: dict[str, Any]) -> Callable[[dict[str, Any], _Send], Iterator[dict[str, Any]]]:
    """Dock one molecule a task: {"smiles"} in, {"value", "block"} or {"error"} out."""
    from importlib import import_module

    from molgen.core.errors import MoleculeError, ScorerError

    try:
        engine = import_module(setup["engine"]).Engine(setup)
    except (RuntimeError, ValueError, TypeError) as error:  # what Vina says of a receptor that it cannot use
        raise ScorerError(str(error)) from error

    def serve(task: dict[str, Any], send: _Send) -> Iterator[dict[str, Any]]:
        try:
            value, block = engine.dock(task["smiles"])
        except MoleculeError as error:
            yield {"error": error.detail}
        except (
            Exception
        ) as error:  # somebody else's code, and this molecule's fault: the next one may be fine
            yield {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"}
        else:
            yield {"value": value, "block": block} if abs(value) < 1e6 else {"error": f"affinity {value}"}

    return serve


class _RemoteSink:
    """Tells the parent of each value that it must journal."""

    def __init__(self, send: _Send, task: int) -> None:
        self._send = send
        self._task = task

    def started(self, component: int, positions: Sequence[int]) -> None:
        self._send({"id": self._task, "started": [component, list(positions)]})

    def finished(self, component: int, position: int, value: Any) -> None:
        self._send({"id": self._task, "finished": [component, position, list(value)]})
