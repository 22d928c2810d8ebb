"""What a run leaves behind for people: candidates as CSV, SDF and XLSX, and the report page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from molgen.core.schema import OptimizeConfig
    from molgen.optimize.protocol import Delivery

__all__ = ["write_results"]


class HasResults(Protocol):
    """Anything with a folder for results, such as a run folder."""

    @property
    def results(self) -> Path: ...


def write_results(
    folder: HasResults,
    delivery: Delivery,
    *,
    config: OptimizeConfig | None = None,
    stereoisomers: int | None = None,
) -> dict[str, Path]:
    """Write ``candidates.csv``, ``.sdf``, ``.xlsx`` and ``report.html`` into ``folder.results``.

    Each file is written whole or not at all, and the same delivery gives the same bytes. ``config`` adds the sentence
    on what was asked and the thresholds of the filters. ``stereoisomers``: up to that many of each molecule that leaves
    some open, in ``stereoisomers.csv`` and ``.sdf``; default: what ``config`` says. Returns ``{"csv" | "sdf" | "xlsx" |
    "html": path}``, and ``"stereoisomers"``; raises RunError where a file cannot be written.
    """
    from molgen.report.csv import to_csv
    from molgen.report.page import to_html
    from molgen.report.sdf import to_sdf
    from molgen.report.stereoisomers import isomer_table
    from molgen.report.table import build_table
    from molgen.report.xlsx import to_xlsx
    from molgen.run.files import explained, write_atomic

    table = build_table(delivery)
    results = Path(folder.results)
    with explained(results, "create"):
        results.mkdir(parents=True, exist_ok=True)
    contents: dict[str, tuple[str, bytes | str]] = {
        "csv": ("candidates.csv", to_csv(table)),
        "sdf": ("candidates.sdf", to_sdf(table, delivery.poses)),
        "xlsx": ("candidates.xlsx", to_xlsx(table, delivery)),
        "html": ("report.html", to_html(delivery, config)),
    }
    most = (config.output.stereoisomers if config else 0) if stereoisomers is None else stereoisomers
    if most:
        isomers = isomer_table(delivery.candidates, most)
        contents["stereoisomers"] = ("stereoisomers.csv", to_csv(isomers))
        contents["stereoisomers_sdf"] = ("stereoisomers.sdf", to_sdf(isomers))
    for name, content in contents.values():
        write_atomic(results / name, content)
    return {key: results / name for key, (name, _) in contents.items()}
