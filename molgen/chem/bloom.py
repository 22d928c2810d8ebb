"""Bloom filters of the package molbloom, read without it: sets of strings that forget no member.

The file is that of ``molbloom`` (MIT), format 1 or 2: ``BLOOM``, one byte format, ``uint32`` hash count k, ``uint64``
bit count m, then the bits. Bit ``(h1 + i h2) mod 2^64 mod m`` for i < k, with h1 and h2 two FNV-1a hashes of the UTF-8
text; reading it takes fewer lines than a dependency.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

from molgen.core.errors import DataError

_HEADER = struct.Struct("<5sBIQ")
_MASK = 2**64 - 1
_HASHES = ((14695981039346656037, 1099511628211), (6281386704453804504, 245453790232))


@dataclass(frozen=True)
class BloomFilter:
    """A read-only set of strings that may contain a few more than were put in."""

    hashes: int
    bits: int
    data: bytes

    @classmethod
    def read(cls, path: str | Path) -> BloomFilter:
        """Read a molbloom file of format 1 or 2.

        Raises:
            DataError: missing, truncated or another kind of file.
        """
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror})") from error
        if len(content) < _HEADER.size or content[:5] != b"BLOOM":
            raise DataError(
                f"{path}: not a molbloom file; chembl_ring_system.bloom is part of chembl-gen-check"
            )
        _, version, hashes, bits = _HEADER.unpack_from(content)
        data = content[_HEADER.size :]
        if version not in (1, 2) or not 0 < hashes <= 64 or len(data) != bits // 8:
            raise DataError(
                f"{path}: damaged or an unknown format ({version=}, {hashes} hashes, {bits} bits, {len(data)} bytes)"
            )
        # The writer drops the last bits % 8 bits. They count as set: unknown must not become "not in ChEMBL".
        return cls(hashes, bits, data + b"\xff")

    def __contains__(self, text: str) -> bool:
        first, second = (_fnv(text.encode(), seed, prime) for seed, prime in _HASHES)
        positions = (((first + i * second) & _MASK) % self.bits for i in range(self.hashes))
        return all(self.data[position >> 3] >> (position & 7) & 1 for position in positions)


def _fnv(text: bytes, seed: int, prime: int) -> int:
    value = seed
    for byte in text:
        value = (value ^ byte) * prime & _MASK
    return value
