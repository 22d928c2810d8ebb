"""Filters with reasons: molecules x named rules, and the rules themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule
    from molgen.chem.rules.rule import Rule as Rule
    from molgen.workflows.filter_result import FilterResult, FilterSummary


def filter_molecules(
    molecules: Sequence[str | Molecule],
    preset: str = "default",
    *,
    relax: Sequence[str] = (),
    policy: str = "default",
    hazards: bool = True,
    **rules: Any,
) -> FilterResult:
    """Judge a list by the rules of a preset (``default``, ``strict``, ``lead-like``, ``none``), every reason in words.

    ``relax``: groups or rules that may be broken. ``rules``: more parameters of ``filter_preset`` (docs/filters.md):
    ``add``, ``show``, ``limits``, ``elements``, ``windows``, ``own``, ``allow_inherited_from``, ``rescue_rings``.
    ``hazards`` False: nothing is withheld by the hazard screen, and the notes say so. ``.to_frame()``, ``.kept`` and
    ``.matrix()`` of the result are what came out. Raises ConfigError with all problems.
    """
    from molgen.workflows.filter import filter_molecules as judge

    options = _options({"preset": preset, "relax": list(relax), **rules}, policy)
    return judge(molecules, options, policy=policy, hazards=hazards)


def filter_file(
    file: str | Path,
    kept: Path | str | TextIO | None = None,
    rejected: Path | str | TextIO | None = None,
    *,
    preset: str = "default",
    relax: Sequence[str] = (),
    policy: str = "default",
    smiles_column: str | None = None,
    id_column: str | None = None,
    hazards: bool = True,
    workers: int = 1,
    json_lines: bool = False,
    quiet: bool = False,
    **rules: Any,
) -> FilterSummary:
    """Judge a file (a path, "-" for standard input) of any size: in = kept + rejected, each with its columns.

    ``kept`` and ``rejected``: files (CSV, TSV, SMI, JSON Lines, also .gz) or open streams; None writes nothing. The
    other arguments are those of :func:`filter_molecules`. Raises ConfigError and DataError.
    """
    from molgen.workflows.filter import filter_file as run

    return run(
        file,
        _options({"preset": preset, "relax": list(relax), **rules}, policy),
        kept=Path(kept) if isinstance(kept, str) else kept,
        rejected=Path(rejected) if isinstance(rejected, str) else rejected,
        policy=policy,
        smiles_column=smiles_column,
        id_column=id_column,
        hazards=hazards,
        workers=workers,
        json_lines=json_lines,
        quiet=quiet,
    )


def filter_rules(preset: str | None = None, **rules: Any) -> list[Rule]:
    """Every rule that there is, or those of a preset: name, group, severity, source, and what it asks."""
    from molgen.chem.rules.book import Book, Options
    from molgen.chem.rules.ruleset import RuleSet

    if preset is not None or rules:
        return list(RuleSet(_options({"preset": preset or "none", **rules}, "default")).rules)
    book = Book(Options())
    return [rule for name in book.names for rule in book.group(name).rules]


def _options(given: Mapping[str, Any], policy: str) -> Any:
    """The options of the rules; raises ConfigError with the keys of what is wrong."""
    from molgen.core.errors import ConfigError
    from molgen.scoring.filter_params import FilterPresetParams
    from molgen.scoring.filter_preset import options_of
    from molgen.scoring.registry import SCORERS

    params, problems = SCORERS["filter_preset"].check_params(given, "filter")
    if problems:
        raise ConfigError(problems, "filter")
    assert isinstance(params, FilterPresetParams)
    return options_of(params, Path.cwd(), policy)[0]
