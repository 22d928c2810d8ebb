"""Reading molecules, and the catalog of public data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from molgen.data.catalog import Entry
    from molgen.data.dataset import Prepared
    from molgen.data.reader import Table


def read(
    path: Path | str, *, smiles_column: str | None = None, policy: str = "default", **options: Any
) -> Table:
    """Molecules of a CSV, TSV, SMI, SDF (also .gz), Parquet or XLSX file; see :func:`molgen.data.reader.read`."""
    from molgen.data.reader import read as read_file

    return read_file(path, smiles_column=smiles_column, policy=policy, **options)


def data_list() -> list[Entry]:
    """The public data sets of the catalog and the user's imported ones."""
    from molgen.data.catalog import list_entries

    return list_entries()


def data_fetch(
    name: str,
    *,
    dest: Path | str | None = None,
    source: Path | str | None = None,
    progress: Callable[[str], Any] | None = None,
) -> Path:
    """Bring a data set of the catalog here: the only function that uses the network. ``source``: a file instead."""
    from molgen.data.fetch import fetch

    return fetch(name, dest=dest, source=source, progress=progress)


def data_prepare(
    inputs: Sequence[str | Path],
    out: str | Path,
    *,
    policy: str = "default",
    smiles_column: str | None = None,
    workers: int = 1,
    overwrite: bool = False,
    quiet: bool = False,
) -> Prepared:
    """Standardize and deduplicate files of any size into one ``.smi.gz``, with a report and the rejected rows."""
    from molgen.data.dataset import prepare
    from molgen.run.progress import Progress

    with Progress(None, "rows", "preparing", quiet=quiet) as bar:
        return prepare(
            inputs,
            out,
            policy,
            smiles_column=smiles_column,
            workers=workers,
            overwrite=overwrite,
            progress=bar.advance,
        )


def data_import(name: str, file: str | Path, **options: Any) -> Table:
    """Keep a checked copy of the user's file under a name that configurations can use."""
    from molgen.data.catalog import import_data

    return import_data(name, file, **options)
