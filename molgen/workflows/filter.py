"""Filtering a file or a list by named rules: in = kept + rejected, and every rejected row says all that it broke."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

import rdkit

from molgen.chem.hazard import WITHHELD, Screen, hazard
from molgen.chem.molecule import Molecule, parse_all
from molgen.chem.motifs import version as motif_version
from molgen.chem.rings import table_info
from molgen.chem.rules.book import Options
from molgen.chem.rules.rule import Verdict
from molgen.chem.rules.ruleset import RuleSet
from molgen.chem.standardize import get_policy
from molgen.data.parallel import Remote, in_order
from molgen.data.reader import Row, open_source
from molgen.run.progress import Progress
from molgen.scoring.filter_preset import excused
from molgen.workflows.filter_result import (
    EXCUSED,
    HAZARD,
    FilterResult,
    FilterSummary,
    Judged,
    Tally,
    reasons,
)
from molgen.workflows.rowfile import RowFile


def filter_molecules(
    molecules: Sequence[str | Molecule], options: Options, *, policy: str = "default", hazards: bool = True
) -> FilterResult:
    """Judge a list in memory. Raises ConfigError for options that cannot be."""
    rules = RuleSet(options)
    texts = [item.smiles if isinstance(item, Molecule) else item for item in molecules]
    rows = _judge(rules, texts, policy, hazards)
    summary, tally, screen = _summary(rules, policy), Tally(), Screen(on=hazards)
    for row in rows:
        _count(row, summary, tally, screen)
    summary.rules = tally.table(rules)
    summary.notes += screen.notes()
    ids = [item.id if isinstance(item, Molecule) else None for item in molecules]
    return FilterResult(summary, rules, rows, ids)


def filter_file(
    file: str | Path,
    options: Options,
    *,
    kept: Path | TextIO | None = None,
    rejected: Path | TextIO | None = None,
    policy: str = "default",
    smiles_column: str | None = None,
    id_column: str | None = None,
    hazards: bool = True,
    workers: int = 1,
    json_lines: bool = False,
    quiet: bool = False,
) -> FilterSummary:
    """Judge a file row by row, in memory that does not grow with it; both outputs keep ids, columns and order.

    Args:
        file: any table that molgen reads; "-" is standard input.
        kept, rejected: CSV, TSV, SMI or JSON Lines (also .gz) by the name's ending, or an open stream.
        hazards: False: the hazard screen withholds nothing, and the notes say so.
        json_lines: how to write to a stream: JSON Lines instead of CSV.

    Raises:
        ConfigError: options or outputs that cannot be. DataError: an input that cannot be read, with the cure.
    """
    get_policy(policy)
    rules = RuleSet(options)
    source = open_source(file, smiles_column=smiles_column, id_column=id_column)
    others = [name for name in source.columns if name not in (source.smiles_column, source.id_column)]
    excusing = [
        name
        for name, given in zip(EXCUSED, (options.parents, options.relax, options.show), strict=True)
        if given
    ]
    summary, tally, screen = _summary(rules, policy), Tally(), Screen(on=hazards)
    with ExitStack() as stack:
        files = [
            None
            if target is None
            else stack.enter_context(RowFile(target, own + excusing, others, json_lines=json_lines))
            for target, own in (
                (kept, ["id", "smiles"]),
                (rejected, ["line", "id", "smiles", "broken", "rules", "why"]),
            )
        ]
        bar = stack.enter_context(Progress(None, "rows", "filtering", quiet=quiet))
        remote = Remote(_work, _start, (rules.options, policy, hazards))
        for part, judged in in_order(
            lambda texts: _judge(rules, texts, policy, hazards), source.rows, workers=workers, remote=remote
        ):
            for row, answer in zip(part, _with_refusals(part, judged), strict=True):
                _count(answer, summary, tally, screen)
                target = files[0 if answer.passes else 1]
                if target is not None:
                    cells = {"id": row.id or "", "smiles": _structure(row, answer), **reasons(answer)}
                    cells |= {name: getattr(answer, name) for name in excusing}
                    target.write(cells | {"line": row.line}, row.data)
            bar.advance(len(part), kept=summary.kept)
        lost = sum(target.lost_cells for target in files if target is not None)
    summary.rules = tally.table(rules)
    summary.notes += [*source.notes, *screen.notes()]
    if lost:
        summary.notes.append(f"{lost} cells stand to the right of the last column and were not written")
    return summary


def _count(answer: Judged, summary: FilterSummary, tally: Tally, screen: Screen) -> None:
    tally.add(answer, summary)
    if answer.withheld:
        screen.counts[answer.withheld] += 1


def _structure(row: Row, answer: Judged) -> str:
    """What stands in the column ``smiles``: of a row that is no molecule its own text, of a withheld one nothing."""
    return "" if answer.withheld else answer.smiles or row.text


def _summary(rules: RuleSet, policy: str) -> FilterSummary:
    versions = {
        "rdkit": rdkit.__version__,
        "motifs": str(motif_version()),
        "ring table": f"{table_info()['molecules']} molecules",
    }
    groups = list(dict.fromkeys(rule.group for rule in rules.rules))
    return FilterSummary(rules.options.preset, groups, rules.remarks(), policy, versions=versions)


def _judge(rules: RuleSet, texts: Sequence[str], policy: str, hazards: bool) -> list[Judged]:
    parsed = parse_all(texts, policy, first_line=0)
    rows = [Judged("", False)] * len(texts)
    for row in parsed.rejected:
        rows[row.line] = Judged("", False, False, (row.why,), f"{row.why}: {row.detail}")
    for place, molecule in zip(parsed.index, parsed.ok, strict=True):
        if hazards and (danger := hazard(molecule.mol)):
            rows[place] = Judged("", False, True, (HAZARD,), f"{WITHHELD}: {danger}", withheld=danger)
            molecule.release()
            continue
        verdict: Verdict = rules.judge(molecule.mol)
        broken = tuple(dict.fromkeys(hit.rule.id for hit in verdict.broken))
        rows[place] = Judged(molecule.smiles, verdict.passes, True, broken, verdict.why, **excused(verdict))
        molecule.release()
    return rows


_here: tuple[RuleSet, str, bool] | None = None  # of a worker process


def _start(options: Options, policy: str, hazards: bool) -> None:
    global _here  # a worker process has one job: its rules are made once
    _here = RuleSet(options), policy, hazards


def _work(texts: list[str]) -> list[Judged]:
    assert _here is not None
    return _judge(_here[0], texts, *_here[1:])


def _with_refusals(part: list[Row], judged: list[Judged]) -> list[Judged]:
    """Rows that the format itself refused (a truncated record) have their own reason, whatever their text gave."""
    return [
        Judged("", False, False, (row.why,), f"{row.why}: {row.detail}") if row.why else answer
        for row, answer in zip(part, judged, strict=True)
    ]
