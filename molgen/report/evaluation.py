"""What an evaluation leaves behind: JSON for programs, CSV for tables, one HTML page for people."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from molgen.metrics.evaluation import Evaluation
from molgen.report.evaluation_page import to_html
from molgen.run.files import explained, write_atomic

COLUMNS = ("suite", "name", "value", "low", "high", "floor", "n", "note")


def write_evaluation(folder: Path, result: Evaluation) -> dict[str, Path]:
    """Write ``evaluation.json``, ``metrics.csv``, ``funnel.csv`` and ``report.html`` into ``folder``, each whole.

    Returns name -> path; raises RunError where a file cannot be written.
    """
    with explained(folder, "create"):
        folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "evaluation.json": json.dumps(result.to_dict(), indent=2, ensure_ascii=False) + "\n",
        "metrics.csv": metrics_csv(result),
        "report.html": to_html(result),
    }
    if result.funnel is not None:
        contents["funnel.csv"] = funnel_csv(result)
    for name, content in contents.items():
        write_atomic(folder / name, content)
    return {name: folder / name for name in contents}


def metrics_csv(result: Evaluation) -> str:
    """One line per metric; nothing where there is no value. Numbers have all their digits."""
    stream = io.StringIO()
    table = csv.DictWriter(stream, COLUMNS, lineterminator="\n", extrasaction="ignore")
    table.writeheader()
    for row in result.rows():
        table.writerow({key: "" if value is None else value for key, value in row.items()})
    return stream.getvalue()


def funnel_csv(result: Evaluation) -> str:
    """One line per step and reason: what was lost where, and what was left."""
    assert result.funnel is not None
    stream = io.StringIO()
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(("step", "reason", "lost", "left"))
    for step in result.funnel.steps:
        table.writerow((step.name, "all", step.lost, step.kept))
        for reason, lost in step.reasons.items():
            table.writerow((step.name, reason, lost, ""))
    return stream.getvalue()
