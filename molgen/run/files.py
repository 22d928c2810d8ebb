"""Files that are either whole or absent, and errors of the file system in words.

Every small file of a run (manifest, state, markers) goes through :func:`write_atomic`: a temporary file in
the same folder, fsync, rename. A reader never sees half a file, whatever killed the writer.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import uuid
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from molgen.core.errors import RunError

_CURES = {
    errno.ENOSPC: "the disk is full; free some space or choose another disk, then go on with: molgen resume",
    errno.EDQUOT: "your disk quota is used up; free some space, then go on with: molgen resume",
    errno.EACCES: "no permission; choose a folder that you may write to, or have its permissions changed",
    errno.EPERM: "no permission; choose a folder that you may write to, or have its permissions changed",
    errno.EROFS: "the file system is read-only; choose a folder that you may write to",
    errno.ENOTDIR: "a part of this path is a file, not a folder; choose another path",
    errno.ENOENT: "it does not exist (any more); check the path, and whether the disk is still mounted",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.EIO: "the disk reports a hardware or network error; check it before going on",
    errno.ESTALE: "the network file system lost it; check the mount, then go on with: molgen resume",
}


def explain(error: OSError, path: Path | str, doing: str) -> RunError:
    """A :class:`RunError` that says what failed on which path, and what to do next."""
    code = error.errno if error.errno is not None else -1
    cure = _CURES.get(code, "check the disk and the permissions of the folder")
    return RunError(f"cannot {doing} {path}: {error.strerror or error}: {cure}")


@contextlib.contextmanager
def explained(path: Path | str, doing: str = "write") -> Iterator[None]:
    """Turn an ``OSError`` of the block into a :class:`RunError` about ``path``."""
    try:
        yield
    except OSError as error:
        raise explain(error, path, doing) from error


def sync_folder(path: Path) -> None:
    """Make renames and new names in ``path`` durable, where the file system can do that."""
    # Some network file systems refuse to open or sync a folder; the files themselves are synced already.
    with contextlib.suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_atomic(path: Path, data: bytes | str) -> None:
    """Write ``data`` (text as UTF-8) so that ``path`` holds either the old or the new content, never a part.

    Raises:
        RunError: the disk is full, the folder unwritable ...; the old file is untouched and nothing is left
            behind.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.tmp")
    with explained(path):
        try:
            with open(temporary, "wb") as file:
                file.write(data.encode() if isinstance(data, str) else data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
    sync_folder(path.parent)


def write_json(path: Path, value: dict[str, Any]) -> None:
    """:func:`write_atomic` of a JSON object, readable by people; NaN is refused (``ValueError``)."""
    write_atomic(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path, *, newest: int) -> dict[str, Any]:
    """Read a JSON object that carries a ``format`` number of at most ``newest``.

    Raises:
        RunError: missing, not a JSON object, or written by a newer molgen.
    """
    with explained(path, "read"):
        raw = path.read_bytes()
    try:
        value = json.loads(raw)
    except ValueError as error:
        raise RunError(
            f"{path} is damaged: not JSON ({error}); restore it from a copy of the run folder"
        ) from error
    if not isinstance(value, dict):
        raise RunError(f"{path} is damaged: expected a JSON object; restore it from a copy of the run folder")
    check_format(value.get("format"), path, newest)
    return value


def check_format(found: object, path: Path, newest: int) -> None:
    """Refuse a file without a format number, or of a newer format than this molgen knows."""
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise RunError(f"{path} has no format number: it was not written by molgen, or it is damaged")
    if found > newest:
        raise RunError(
            f"{path} has format {found}, this molgen reads up to {newest}: "
            "it was written by a newer molgen; update with: pip install -U molgen-toolkit"
        )


def sha256_file(path: Path | str) -> str:
    """Hex sha256 of a file, read in pieces. Raises ``OSError``."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_path(path: Path) -> str:
    """Hex sha256 of a file, or of a folder: the digest over its sorted relative names and file digests."""
    if not path.is_dir():
        return sha256_file(path)
    total = hashlib.sha256()
    for file in sorted(item for item in path.rglob("*") if item.is_file()):
        total.update(f"{file.relative_to(path).as_posix()}\0{sha256_file(file)}\n".encode())
    return total.hexdigest()


def short_names(paths: Iterable[Path | str], taken: Collection[str] = ()) -> dict[str, Path]:
    """Name -> file: its last part, and where files share that, or it is ``taken``, with the folders that differ.

    ``a/card.json`` and ``b/card.json`` keep those names, ``my_scores.py`` alone is just that.
    """
    distinct = list(dict.fromkeys(Path(path) for path in paths))

    def tail(path: Path, parts: int) -> str:
        return "/".join(path.parts[-parts:]).lstrip("/")

    found = {}
    for path in distinct:
        others = [other for other in distinct if other != path]
        parts = 1
        while parts < len(path.parts) and (
            tail(path, parts) in taken or any(tail(path, parts) == tail(other, parts) for other in others)
        ):
            parts += 1
        found[tail(path, parts)] = path
    return found
