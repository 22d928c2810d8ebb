"""Reads the arrays of a torch checkpoint without torch and without unpickling it.

A checkpoint is a zip archive: ``*/data.pkl``, a pickle, and ``*/data/N``, the raw bytes of its tensors. Some published
models keep their settings as objects in that pickle, so that ``torch.load(weights_only=True)`` refuses it and
``weights_only=False`` would run it. Here the pickle goes through :mod:`molgen.core.inert_pickle` (nothing is imported,
nothing is called) and the bytes through ``numpy.frombuffer``.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from molgen.core.errors import DataError
from molgen.core.inert_pickle import Call, Name, Stored, read_inert

_TYPES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
}
_LARGEST = 2**31  # bytes of one tensor


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The top-level dict of a checkpoint: plain data, records, and tensors as numpy arrays.

    Raises:
        DataError: not a checkpoint, damaged, compressed, of another byte order, or with tensors of unknown kinds.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            (pickled,) = (name for name in names if name.endswith("/data.pkl"))
            root = pickled.removesuffix("data.pkl")
            if f"{root}byteorder" in names and archive.read(f"{root}byteorder").strip() != b"little":
                raise DataError(f"{path}: tensors are stored in another byte order")
            with archive.open(pickled) as stream:
                found = read_inert(stream, str(path))
            data = _Reader(archive, root, path)(found)
    except (zipfile.BadZipFile, ValueError, KeyError, OSError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: not a readable checkpoint ({error}); install it again") from error
    if not isinstance(data, dict):
        raise DataError(f"{path}: a checkpoint should hold a dict")
    return data


class _Reader:
    """Turns records into plain data: ordered dicts and attribute dicts into dicts, tensors into arrays."""

    def __init__(self, archive: zipfile.ZipFile, root: str, path: Path) -> None:
        self.archive, self.root, self.path = archive, root, path

    def __call__(self, value: Any) -> Any:
        if isinstance(value, Call):
            name = value.callee.name if isinstance(value.callee, Name) else ""
            if name == "_rebuild_tensor_v2":
                return self._tensor(value)
            if name in ("OrderedDict", "AttributeDict"):
                return self(value.items)
            return value
        if isinstance(value, Mapping):
            return {key: self(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self(item) for item in value)
        return value

    def _tensor(self, record: Call) -> np.ndarray:
        stored, offset, shape, stride = record.args[:4]
        if not isinstance(stored, Stored) or len(stored.reference) != 5:
            raise DataError(f"{self.path}: a tensor without its storage")
        _, kind, key, _, count = stored.reference
        dtype = _TYPES.get(kind.name if isinstance(kind, Name) else "")
        if dtype is None or not (isinstance(key, str) and key.isalnum()):
            raise DataError(f"{self.path}: a tensor of unknown kind {kind}")
        info = self.archive.getinfo(f"{self.root}data/{key}")
        size = int(count) * np.dtype(dtype).itemsize
        if info.compress_type != zipfile.ZIP_STORED or info.file_size != size or size > _LARGEST:
            raise DataError(f"{self.path}: a tensor's bytes do not fit its shape")
        flat = np.frombuffer(self.archive.read(info), dtype=dtype)
        wanted = int(np.prod(shape, dtype=np.int64))
        dense = np.cumprod([1, *reversed(shape[1:])])[::-1] if shape else np.array([], dtype=np.int64)
        # Entries along a side of length 1 are never stepped over, so that their stride says nothing.
        if any(n > 1 and have != want for n, have, want in zip(shape, stride, dense, strict=True)):
            raise DataError(f"{self.path}: a tensor is stored transposed or cut")
        if not 0 <= offset <= offset + wanted <= len(flat):
            raise DataError(f"{self.path}: a tensor reaches beyond its storage")
        return flat[offset : offset + wanted].reshape(shape)
