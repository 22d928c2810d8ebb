"""The public data sets by name: what there is, where it lies once fetched, and what the user imported.

Everything lies in one cache directory (environment variable ``MOLGEN_DATA``, else the platform's cache directory for
molgen). Nothing here touches the network; :mod:`molgen.data.fetch` does.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from molgen.core.errors import DataError
from molgen.data.cache import cache_dir as cache_dir
from molgen.data.imported import import_file, imported, imported_path
from molgen.data.reader import Table
from molgen.run.files import sha256_file

FORMAT = 1


@dataclass(frozen=True)
class Entry:
    """One data set, one file. A member of a Python wheel (``package`` ...), a download (``url``), or imported.

    ``convert`` ("module:function") makes the file out of a member of ``member_sha256`` that nobody should open as
    it is, such as a pickle; ``sha256`` is then that of the result. ``also``: checksums of other forms of the same
    data that are taken in its place, and what each one is.
    """

    name: str
    title: str
    filename: str
    license: str = "unknown"
    citation: str = ""
    official: str = ""
    package: str = ""
    version: str = ""
    wheel: str = ""
    wheel_sha256: str = ""
    member: str = ""
    member_sha256: str = ""
    convert: str = ""
    url: str = ""
    sha256: str = ""
    also: Mapping[str, str] = field(default_factory=dict, hash=False)
    bytes: int = 0
    rows: int = 0
    columns: tuple[str, ...] = ()
    smiles_column: str | None = None

    @property
    def origin(self) -> str:
        """Where it comes from, in words."""
        if self.package:
            return f"Python package {self.package} {self.version}"
        return self.url or "imported by the user"


@cache
def _catalog() -> dict[str, Entry]:
    content = tomllib.loads(files("molgen.data").joinpath("catalog.toml").read_text(encoding="utf-8"))
    assert content.pop("format") == FORMAT
    return {
        name: Entry(name=name, **{**fields, "columns": tuple(fields.get("columns", ()))})
        for name, fields in content.items()
    }


def list_entries() -> list[Entry]:
    """All data sets of the catalog, then those the user imported."""
    own = [
        Entry(
            name=name,
            title=record["title"],
            filename=record["file"],
            license=record["license"],
            sha256=record["sha256"],
            rows=record["rows"],
            smiles_column=record["smiles_column"],
        )
        for name, record in imported(cache_dir()).items()
    ]
    return [*_catalog().values(), *own]


def get_entry(name: str) -> Entry:
    """The entry of that name. Raises DataError with the nearest names."""
    entries = {entry.name: entry for entry in list_entries()}
    if name not in entries:
        near = difflib.get_close_matches(name, entries, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "."
        raise DataError(f"no data set {name!r}{hint} There are: {', '.join(entries)}")
    return entries[name]


def is_fetched(name: str) -> bool:
    """Whether the file lies in the cache (its checksum is verified by :func:`locate`)."""
    return path_of(get_entry(name)).is_file()


def locate(name: str) -> Path:
    """The file of a data set in the cache, checksum verified; no network. Raises DataError with the line to run."""
    entry = get_entry(name)
    path = path_of(entry)
    if not path.is_file():
        raise DataError(f"data set {name!r} is not here yet; get it with: molgen data fetch {name}")
    if not is_intact(entry, path):
        raise DataError(
            f"data set {name!r}: {path} is damaged (checksum differs); delete it and run: molgen data fetch {name}"
        )
    return path


def path_of(entry: Entry) -> Path:
    """Where the file of this entry lies, or would lie, in the cache."""
    if not entry.package and not entry.url:
        return imported_path(cache_dir(), entry.filename)
    return cache_dir() / entry.filename


def recorded_checksum(path: Path) -> Path:
    """Where the checksum of a file without a known one is kept, to notice later damage."""
    return path.with_name(f"{path.name}.sha256")


def is_intact(entry: Entry, path: Path) -> bool:
    """Whether a file has the checksum of its entry, or the one recorded when it was fetched."""
    expected = entry.sha256
    if not expected and recorded_checksum(path).is_file():
        expected = recorded_checksum(path).read_text(encoding="ascii").strip()
    if not expected:
        return True
    found = sha256_file(path)
    return found == expected or found in entry.also


def import_data(name: str, path: str | Path, **options: Any) -> Table:
    """Keep a checked copy of the user's file as data set ``name``; see :func:`molgen.data.imported.import_file`."""
    return import_file(name, path, cache=cache_dir(), taken=frozenset(_catalog()), **options)
