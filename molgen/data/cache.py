"""What is slow to make from molecules, kept as compact arrays by content: in the cache, or in a folder to carry along.

Nothing here needs RDKit: on a machine without it a training finds in a carried folder all that RDKit would have made.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from molgen.core.errors import DataError, RunError
from molgen.run.files import write_atomic
from molgen.run.progress import say

Arrays = Mapping[str, np.ndarray]


def cache_dir() -> Path:
    """Where fetched and imported files and kept arrays lie; it need not exist."""
    if chosen := os.environ.get("MOLGEN_DATA"):
        return Path(chosen).expanduser()
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "molgen"
    if os.name == "nt":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "molgen" / "Cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "molgen"


@dataclass(frozen=True)
class Carried:
    """A folder with all arrays of one training. ``rdkit``: the version that made them. ``filling``: not all yet."""

    folder: Path
    rdkit: str
    filling: bool = False


_CARRIED: ContextVar[Carried | None] = ContextVar("molgen_carried_arrays", default=None)


@contextmanager
def carried(place: Carried | None) -> Iterator[None]:
    """Inside of the block :func:`kept` looks there first; where it is not being filled, there only."""
    token = _CARRIED.set(place)
    try:
        yield
    finally:
        _CARRIED.reset(token)


def kept(kind: str, key: str, make: Callable[[], Arrays], *, worth: bool = True) -> Arrays:
    """The arrays called ``key``: as they were kept, else what ``make`` gives, kept from now on if that is ``worth`` it.

    ``key`` (hex) says all that the arrays follow from. They lie in ``<cache folder>/<kind>/<key>.npz``, without pickled
    objects. Raises DataError where a carried folder lacks them.
    """
    name = Path(kind) / f"{key[:32]}.npz"
    place = _CARRIED.get()
    if place is not None:
        found = _read(place.folder / name)
        if found is not None:
            return found
        if not place.filling:
            raise DataError(
                f"{place.folder} lacks {name}: it was prepared for other data, labels or fragments than this "
                "configuration has; prepare it again with: molgen train CONFIG --prepare-only"
            )
    found = _read(cache_dir() / name)
    if found is None:
        found = make()
        if worth:
            try:
                _write(cache_dir() / name, found)
            except (
                OSError,
                RunError,
            ) as error:  # a cache that cannot be written to costs time, not the training
                say(f"note: not kept for the next time: {error}")
    if place is not None:
        _write(place.folder / name, found)
    return found


def _read(path: Path) -> Arrays | None:
    try:
        with np.load(path, allow_pickle=False) as found:
            return dict(found)
    except FileNotFoundError:
        return None
    except (zipfile.BadZipFile, ValueError, EOFError, OSError) as error:
        raise DataError(f"{path} is damaged ({error}); delete it, it will be made again") from None


def _write(path: Path, arrays: Arrays) -> None:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, allow_pickle=False, **arrays)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, buffer.getvalue())


def content_key(*parts: str, texts: Iterable[str] = ()) -> str:
    """Hex digest of ``parts`` and of a long list of strings in its order."""
    digest = hashlib.sha256("\n".join((*parts, "")).encode())
    for text in texts:
        digest.update(text.encode() + b"\n")
    return digest.hexdigest()


def rdkit_version() -> str:
    """The version of RDKit that makes arrays here, or that has made those of the carried folder.

    Raises DataError where there is neither.
    """
    place = _CARRIED.get()
    if place is not None:
        return place.rdkit
    try:
        import rdkit
    except ImportError:
        raise DataError(
            "RDKit is not here: pip install rdkit; or train from a folder that was prepared where it is, with: "
            "molgen train CONFIG --prepare-only"
        ) from None
    return str(rdkit.__version__)


def has_rdkit() -> bool:
    """Whether RDKit can be imported."""
    return importlib.util.find_spec("rdkit") is not None


def pack_texts(texts: Sequence[str]) -> np.ndarray:
    """Strings without line breaks as bytes."""
    return np.frombuffer("\n".join(texts).encode(), np.uint8)


def unpack_texts(data: np.ndarray) -> list[str]:
    """Inverse of :func:`pack_texts`."""
    return data.tobytes().decode().split("\n") if len(data) else []
