"""What a generator or a list of molecules is worth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from molgen.api.generation import load

if TYPE_CHECKING:
    from molgen.benchmark.board import BoardResult
    from molgen.benchmark.result import BenchmarkResult
    from molgen.metrics.evaluation import Evaluation


def evaluate(
    molecules: str | Path | Sequence[str],
    out: Path | str | None = None,
    *,
    suites: Sequence[str] = ("all",),
    model: str | Path | None = None,
    **options: Any,
) -> Evaluation:
    """What a list from any generator is worth: suites of ``moses, guacamol, general, audit``, verdicts first.

    ``molecules``: a file, or the raw strings. ``out``: folder for page, CSV and JSON. ``model``: also the nats per
    molecule that this model needs, and how smooth its latent space is. The other options (``reference``, ``training``,
    ``n``, ``seed``, ``workers``, ``track`` ...) are those of :func:`molgen.workflows.evaluation.run.evaluate`.
    Raises ConfigError, DataError.
    """
    from molgen.workflows.evaluation.run import evaluate as run
    from molgen.workflows.evaluation.subject import subject_of

    subject = None if model is None else subject_of(load(model))
    return run(molecules, None if out is None else Path(out), suites=suites, subject=subject, **options)


def benchmark(
    suite: Literal["guacamol", "pmo"],
    out: Path | str,
    *,
    version: Literal["1.1.14", "0.3.6"] = "1.1.14",
    inverted_deco_hop: bool = False,
    **options: Any,
) -> BenchmarkResult:
    """Run the goal-directed tasks of a suite; ``options``: see :func:`molgen.workflows.benchmark.benchmark`."""
    from molgen.benchmark.oracle import Suite
    from molgen.workflows.benchmark import benchmark as run

    return run(Suite(suite, version, inverted_deco_hop), Path(out), **options)


def benchmark_queue(
    suite: Literal["guacamol", "pmo"],
    out: Path | str,
    *,
    version: Literal["1.1.14", "0.3.6"] = "1.1.14",
    inverted_deco_hop: bool = False,
    **options: Any,
) -> BoardResult:
    """Tasks times seeds, a process for each; ``options``: see :func:`molgen.workflows.benchmark_queue.queue`."""
    from molgen.benchmark.oracle import Suite
    from molgen.workflows.benchmark_queue import queue

    return queue(Suite(suite, version, inverted_deco_hop), Path(out), **options)


def benchmark_so_far(
    suite: Literal["guacamol", "pmo"],
    out: Path | str,
    *,
    version: Literal["1.1.14", "0.3.6"] = "1.1.14",
    inverted_deco_hop: bool = False,
    tasks: Sequence[str] = (),
) -> BoardResult:
    """What the runs in a folder have by now; see :func:`molgen.workflows.benchmark_so_far.so_far`."""
    from molgen.benchmark.oracle import Suite
    from molgen.workflows.benchmark_so_far import so_far

    return so_far(Suite(suite, version, inverted_deco_hop), Path(out), tasks=tasks)
