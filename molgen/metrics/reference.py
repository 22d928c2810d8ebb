"""Everything about a reference set that the MOSES metrics compare with, in one plain .npz file without objects."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from molgen.core.errors import DataError
from molgen.core.inert_pickle import Call, read_inert, to_array, to_counter
from molgen.metrics.fcd import Moments

FORMAT = 1
PROPERTIES = ("logP", "SA", "QED", "weight")


@dataclass(frozen=True)
class ReferenceStatistics:
    """Statistics of a reference set, ``n`` molecules.

    Attributes:
        fcd: mean and covariance of the ChemNet activations; None where they were computed without ChemNet.
        fingerprints: Morgan radius 2, 1,024 bits, packed: ``uint8 [n, 128]``.
        fragments: BRICS fragment counts.
        scaffolds: counts of Murcko scaffolds with at least two rings.
        properties: logP, SA, QED and weight (g/mol), each ``float64 [n]``.
    """

    n: int
    fcd: Moments | None
    fingerprints: np.ndarray
    fragments: Mapping[str, int]
    scaffolds: Mapping[str, int]
    properties: Mapping[str, np.ndarray]

    def save(self, path: str | Path) -> None:
        """Write the statistics; counters go as JSON text so that reading needs no pickle."""
        nothing = np.empty(0)
        arrays: dict[str, np.ndarray] = {
            "mu": self.fcd.mu if self.fcd else nothing,
            "sigma": self.fcd.sigma if self.fcd else nothing,
            "fingerprints": self.fingerprints,
            **{f"property_{name}": values for name, values in self.properties.items()},
        }
        header = {"format": FORMAT, "kind": "reference_statistics", "n": self.n}
        counters = {"header": header, "fragments": dict(self.fragments), "scaffolds": dict(self.scaffolds)}
        for name, value in counters.items():
            arrays[name] = np.frombuffer(json.dumps(value).encode(), dtype=np.uint8)
        part = Path(path).with_suffix(".part.npz")  # written whole or not at all
        np.savez_compressed(part, allow_pickle=False, **arrays)
        part.replace(path)

    @classmethod
    def load(cls, path: str | Path) -> ReferenceStatistics:
        """Read what :meth:`save` wrote.

        Raises:
            DataError: missing, damaged or another format.
        """
        try:
            with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
                texts = {
                    name: json.loads(file[name].tobytes()) for name in ("header", "fragments", "scaffolds")
                }
                if texts["header"].get("format") != FORMAT:
                    raise DataError(
                        f"{path}: format {texts['header'].get('format')!r}, this version reads {FORMAT}"
                    )
                n = int(texts["header"]["n"])
                return cls(
                    n=n,
                    fcd=Moments(file["mu"], file["sigma"], n) if file["mu"].size else None,
                    fingerprints=file["fingerprints"],
                    fragments=texts["fragments"],
                    scaffolds=texts["scaffolds"],
                    properties={name: file[f"property_{name}"] for name in PROPERTIES},
                )
        except (OSError, EOFError, KeyError, ValueError, zipfile.BadZipFile) as error:
            if isinstance(error, DataError):
                raise
            raise DataError(
                f"{path}: not a readable reference file ({error}); compute or convert it again"
            ) from error


def read_moses_statistics(path: str | Path) -> ReferenceStatistics:
    """Read ``test_stats.npz`` or ``test_scaffolds_stats.npz`` of the package molsets 0.3.1.

    They hold one pickled object. It is read without being unpickled (:mod:`molgen.core.inert_pickle`), so nothing
    in the file can run. Takes some ten seconds; :meth:`ReferenceStatistics.save` the result.

    Raises:
        DataError: missing, damaged or not such a file.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            stream = io.BytesIO(archive.read("stats.npy"))
        npy.read_magic(stream)
        npy.read_array_header_1_0(stream)
        content: Any = read_inert(stream, str(path))
        if isinstance(content, Call):  # the 0-dimensional object array around the dictionary
            content = content.state[4][0]
        fingerprints = to_array(content["SNN"]["fps"])
        n = len(fingerprints)
        return ReferenceStatistics(
            n=n,
            fcd=Moments(
                to_array(content["FCD"]["mu"]).astype(np.float64),
                to_array(content["FCD"]["sigma"]).astype(np.float64),
                n,
            ),
            fingerprints=np.packbits(fingerprints.astype(bool), axis=1),
            fragments=to_counter(content["Frag"]["frag"]),
            scaffolds=to_counter(content["Scaf"]["scaf"]),
            properties={name: np.array(content[name]["values"], dtype=np.float64) for name in PROPERTIES},
        )
    except (OSError, KeyError, TypeError, ValueError, IndexError, zipfile.BadZipFile) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{path}: not the statistics of molsets ({error}); fetch the file again") from error
