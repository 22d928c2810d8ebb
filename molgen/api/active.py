"""Active learning: which molecules to measure next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from molgen.workflows.measure import ToMeasure


def measure(
    run_or_file: str | Path,
    n: int = 24,
    *,
    model: str | Path | None = None,
    rule: str = "improvement",
    pool: int = 500,
) -> ToMeasure:
    """The ``n`` molecules whose measurement helps most, chosen by the activity model of a run, or by ``model``.

    ``run_or_file``: a run folder (its ``pool`` best molecules through all filters are considered; ``model`` is then the
    name of a component ``qsar``, default: the first), or a table of structures with ``model`` a folder. ``rule``:
    ``improvement`` (expected improvement on the best measured one: finds actives) or ``knowledge`` (what tells most
    about all the others: teaches the model). Never two that are alike. The table has an empty column to fill in
    and is then what ``resume(run, feedback=...)`` takes. Raises ConfigError, DataError, ModelError.
    """
    from molgen.workflows.measure import measure as choose

    return choose(run_or_file, n, model=model, rule=rule, pool=pool)
