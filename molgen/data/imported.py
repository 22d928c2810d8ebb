"""The user's own data sets in the cache: a checked copy of a file under a name, with a small record beside it."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from molgen.core.errors import DataError
from molgen.data.reader import Table, read
from molgen.run.files import sha256_file

FORMAT = 1
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


def imported_path(cache: Path, filename: str) -> Path:
    """Where the copy of an imported file lies."""
    return cache / "imported" / filename


def imported(cache: Path) -> dict[str, dict[str, Any]]:
    """The records of all imported data sets by name. Raises DataError for a damaged record."""
    records: dict[str, dict[str, Any]] = {}
    for path in sorted((cache / "imported").glob("*.json")):
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            if record["format"] != FORMAT:
                raise DataError(f"{path}: format {record['format']}, this version of molgen reads {FORMAT}")
            records[record["name"]] = record
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise DataError(
                f"{path}: damaged record of an imported data set; delete it and import again"
            ) from error
    return records


def import_file(
    name: str,
    path: str | Path,
    *,
    cache: Path,
    taken: frozenset[str] | set[str] = frozenset(),
    smiles_column: str | None = None,
    title: str = "",
    license: str = "not stated",
    overwrite: bool = False,
) -> Table:
    """Read the whole file once as a check, then keep a copy of it in ``cache`` under ``name``.

    Raises DataError for a bad or taken name, and where not one row of the file gives a molecule.
    """
    if not _NAME.fullmatch(name):
        raise DataError(f"{name!r} is no name for a data set: small letters, digits, '.', '_' and '-'")
    if name in taken or (name in imported(cache) and not overwrite):
        raise DataError(
            f"there is a data set {name!r} already; choose another name (or --overwrite your own)"
        )
    table = read(path, smiles_column=smiles_column)
    if not table.molecules:
        raise DataError(f"{path}: not one usable molecule. {table.summary()}")
    source = Path(path)
    target = imported_path(
        cache, name + "".join(source.suffixes[-2:] if source.suffix == ".gz" else source.suffixes[-1:])
    )
    record = {
        "format": FORMAT,
        "name": name,
        "title": title or f"imported from {source.name}",
        "file": target.name,
        "sha256": sha256_file(source),
        "rows": table.n_rows,
        "rejected": table.reasons,
        "smiles_column": table.smiles_column if table.columns else None,
        "license": license,
    }
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        scratch = target.with_name(f".{target.name}.{os.getpid()}")
        shutil.copyfile(source, scratch)
        os.replace(scratch, target)
        note = target.with_name(f".{name}.json.{os.getpid()}")
        note.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        os.replace(note, target.with_name(f"{name}.json"))
    except OSError as error:
        raise DataError(
            f"cannot write to {target.parent}: {error}; set MOLGEN_DATA to another directory"
        ) from error
    return table
