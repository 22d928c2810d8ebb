"""Configurations, recipes, this machine: what one looks at before any work."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from molgen.api.source import Config, source

if TYPE_CHECKING:
    from molgen.diagnose import Report
    from molgen.workflows.check import CheckReport
    from molgen.workflows.runs import Runs


def recipes_list() -> dict[str, str]:
    """The starter configurations: name -> what it is for."""
    from molgen import recipes as starters

    return {name: starters.get(name).summary for name in starters.names()}


def scorers_list() -> dict[str, str]:
    """The scorers that ``use:`` accepts: name -> what it gives, with its unit."""
    from molgen.scoring.registry import find, known_names

    found = {}
    for name in known_names():
        record = find(name)
        assert record is not None
        found[name] = record.summary + (f" [{record.unit}]" if record.unit else "")
    return found


def new(recipe: str = "denovo", level: Literal["short", "full"] = "full") -> str:
    """A commented starter configuration as YAML text; ``full`` also lists every setting with its default."""
    from molgen import recipes as starters

    return starters.get(recipe).write(level)


def check(config: Config, overrides: Sequence[str] = ()) -> CheckReport:
    """Find every mistake of a configuration before any work, and try its scorers on three molecules.

    ``overrides``: ``"budget.molecules=200"`` and the like. Raises ConfigError with all problems, each with line and
    key path.
    """
    from molgen.workflows.check import check as look

    return look(source(config), overrides)


def doctor(folder: Path | str | None = None) -> Report:
    """What this installation can do on this machine, and the line that cures each problem."""
    from molgen.diagnose import examine

    return examine(Path(folder) if folder is not None else None)


def runs(root: Path | str = ".") -> Runs:
    """The runs below a folder, newest first."""
    from molgen.workflows.runs import find_runs

    return find_runs(Path(root))


def track(run: Path | str, uri: str | None = None) -> dict[str, Any]:
    """Mirror a run folder into MLflow afterwards; a second time adds nothing. Returns what was added, and where."""
    from molgen.run.folder import RunFolder
    from molgen.run.mlflow_tracker import replay

    return replay(RunFolder.open(Path(run)), uri)
