"""Whether a list of the user's knows the molecules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from molgen.workflows.novelty import NoveltyResult


def novelty(
    file: str | Path | Sequence[str],
    against: str | Path,
    *,
    cores: Sequence[str] | Mapping[str, str] = (),
    out: str | Path | None = None,
    patents: bool = False,
    **options: Any,
) -> NoveltyResult:
    """Compare molecules with a list of known compounds: exact, same_compound, same_skeleton, near, core, clear.

    ``file``: molecules, or SMILES; ``against``: structures, or InChIKeys only (then near cannot be told). ``cores``:
    SMARTS, as a list or as name: SMARTS. ``out``: CSV, TSV or JSON Lines, written row by row, so that a million rows
    need no memory; without it the rows are in the result. ``patents``: columns that say whether scaffold and skeleton
    were seen in patents. Other options: ``smiles_column``, ``id_column``, ``against_smiles_column``,
    ``against_id_column``, ``hazards`` (False: the hazard screen is off, and the notes say so), ``workers``, ``quiet``.
    "clear" is no match in the list given, and says nothing about rights. Raises ConfigError, DataError.
    """
    from molgen.workflows.novelty import novelty as compare

    path = None if out is None else Path(out)
    return compare(file, against, cores=cores, out=path, patents=patents, **options)
