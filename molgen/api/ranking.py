"""Ranking again what was scored before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molgen.api.source import Config, source

if TYPE_CHECKING:
    from molgen.workflows.ranking import RankResult


def rank(
    run_or_file: str | Path,
    out: str | Path | None = None,
    *,
    weights: Mapping[str, float] | None = None,
    objective: Config | None = None,
    aggregate: str | None = None,
    output: Mapping[str, Any] | None = None,
    references: str | Path | None = None,
    smiles_column: str | None = None,
    id_column: str | None = None,
    policy: str | None = None,
    evidence: bool = True,
    overwrite: bool = False,
    quiet: bool = False,
) -> RankResult:
    """Rank a run, or a file that ``score`` wrote, again: other weights, curves, ranking or selection, no scoring.

    Writes candidates.csv, .sdf, .xlsx and report.html into the folder ``out`` (default: RUN/ranked, or FILE-ranked).
    ``weights``: component -> weight, 0 takes it out of the mean. ``objective``: other components and curves, by the
    names of values that there are. ``output``: keys of the section output of a run (n, ranking, select ...).
    ``references``: file of compounds to name the nearest of, and not to deliver. ``evidence``: ask the scorers, where
    they can be built here, for what stands behind the delivered values. Raises ConfigError, DataError, RunError.
    """
    from molgen.workflows.ranking import rank as rank_again

    return rank_again(
        run_or_file,
        out,
        weights=weights,
        objective=None if objective is None else source(objective),
        aggregate=aggregate,
        output=output,
        references=references,
        smiles_column=smiles_column,
        id_column=id_column,
        policy=policy,
        evidence=evidence,
        overwrite=overwrite,
        quiet=quiet,
    )
