"""The runs in a folder: what each is, how far it came, and what it found so far."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from molgen.core.errors import RunError
from molgen.run.folder import RunFolder

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class RunInfo:
    """One line of ``molgen runs``. ``metrics`` is the last step that was logged."""

    path: Path
    kind: str
    status: str
    created: str
    metrics: dict[str, Any]

    def row(self) -> dict[str, Any]:
        """The columns that are shown."""
        shown = ("step", "calls", "mean_score", "best_score", "validation_loss")
        last = {key.rpartition("/")[2]: value for key, value in self.metrics.items()}
        return {
            "run": str(self.path),
            "kind": self.kind,
            "status": self.status,
            "created": self.created[:16].replace("T", " "),
            **{key: last.get(key) for key in shown},
        }


class Runs(list[RunInfo]):
    """A list of runs, newest first, that shows itself as a table."""

    def to_frame(self) -> pd.DataFrame:
        """One row per run."""
        import pandas as pd

        return pd.DataFrame([run.row() for run in self])

    def _repr_html_(self) -> str:
        return str(self.to_frame().to_html(index=False, na_rep=""))


def find_runs(root: Path, *, depth: int = 3) -> Runs:
    """All run folders below ``root`` (itself included), newest first. Damaged ones are listed as such."""
    if not root.is_dir():
        raise RunError(f"no folder {root}; runs are looked for below it")
    found = Runs()
    for pattern in ["*/" * level + "manifest.json" for level in range(depth + 1)]:
        for manifest in root.glob(pattern):
            found.append(_info(manifest.parent))
    found.sort(key=lambda run: run.created, reverse=True)
    return found


def _info(path: Path) -> RunInfo:
    try:
        folder = RunFolder.open(path)
    except RunError:
        return RunInfo(path, "?", "damaged", "", {})
    last: dict[str, Any] = {}
    for row in folder.metrics.rows():
        last = {**last, **row}
    return RunInfo(path, folder.kind, folder.status, str(folder.manifest.get("created", "")), last)
