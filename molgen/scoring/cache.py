"""Raw scores that are already known, journaled line by line so that a killed run pays for nothing twice.

The journal is JSON Lines. Line 1: ``{"format": 1, "kind": "scores"}``. Then, in the order of events,

* ``{"start": [smiles, ...], "p": policy, "s": scorer fingerprint}``: these calls are in flight from here on;
* ``{"m": smiles, "p": policy, "s": scorer fingerprint, "v": value or null, "e": why no value, "n": note}``.

Calls that were started and never answered were lost with their process; :attr:`ScoreCache.lost` counts them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from molgen.core.errors import RunError
from molgen.scoring.evaluate import Value

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule

FORMAT = 1
_Key = tuple[str, str, str]  # scorer fingerprint, policy, smiles


class ScoreCache:
    """Values by (molecule and its policy, scorer fingerprint), in memory and, with a path, in a journal.

    One process writes a journal at a time (the run's lock sees to that). Past ``max_entries`` the oldest
    values leave the memory, not the journal. Attributes: ``hits``, ``misses``, ``lost`` (calls in flight
    whenever a process that wrote this journal died), ``repaired`` (bytes of a torn last line that were cut
    off at opening).

    Raises RunError when the journal is damaged other than at its end, of another format, or cannot be
    written.
    """

    def __init__(self, journal: Path | str | None = None, *, max_entries: int = 1_000_000) -> None:
        self.path = None if journal is None else Path(journal)
        self.max_entries = max_entries
        self.hits = self.misses = self.lost = self.repaired = 0
        self._values: dict[_Key, Value] = {}
        self._file: BinaryIO | None = None
        if self.path is not None:
            self._open(self.path)

    def __len__(self) -> int:
        return len(self._values)

    def get(self, fingerprint: str, mol: Molecule) -> Value | None:
        """The known value, or None."""
        value = self._values.get((fingerprint, mol.policy, mol.smiles))
        if value is None:
            self.misses += 1
        else:
            self.hits += 1
        return value

    def start(self, fingerprint: str, mols: Sequence[Molecule]) -> None:
        """Note that these calls are about to be paid for."""
        if self._file is not None and mols:
            self._write({"start": [mol.smiles for mol in mols], "p": mols[0].policy, "s": fingerprint})

    def put(self, fingerprint: str, mol: Molecule, value: Value) -> None:
        """Keep a value (also "no value", with its reason) and journal it at once."""
        self._keep((fingerprint, mol.policy, mol.smiles), value)
        if self._file is not None:
            row: dict[str, Any] = {"m": mol.smiles, "p": mol.policy, "s": fingerprint}
            row["v"] = None if math.isnan(value.value) else value.value
            if value.error:
                row["e"] = value.error
            if value.note:
                row["n"] = value.note
            self._write(row)

    def close(self) -> None:
        """Close the journal; what is in memory stays readable."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def __enter__(self) -> ScoreCache:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _keep(self, key: _Key, value: Value) -> None:
        if key not in self._values and len(self._values) >= self.max_entries:
            del self._values[next(iter(self._values))]
        self._values[key] = value

    def _write(self, row: dict[str, Any]) -> None:
        assert self._file is not None
        line = json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        try:
            self._file.write(line)  # unbuffered: it is out of this process when the call returns
        except OSError as error:
            raise RunError(
                f"cannot write the score journal {self.path}: {error}; free some space, then resume the run"
            ) from error

    def _open(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
            good = self._load(path)
            self.repaired = self._file.tell() - good
            if self.repaired:
                self._file.truncate(good)
        except OSError as error:
            self.close()
            raise RunError(f"cannot open the score journal {path}: {error}") from error
        except RunError:
            self.close()
            raise
        if good == 0:
            self._write({"format": FORMAT, "kind": "scores"})

    def _load(self, path: Path) -> int:
        """Read the journal; returns the length in bytes of its whole lines."""
        good = 0
        started: dict[_Key, int] = {}
        answered: set[_Key] = set()
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    break  # torn: its value was never seen by anyone
                try:
                    row = json.loads(line)
                    if number == 1:
                        self._check_header(row)
                    elif "start" in row:
                        for smiles in row["start"]:
                            key = (row["s"], row["p"], smiles)
                            started[key] = started.get(key, 0) + 1
                    else:
                        key = (row["s"], row["p"], row["m"])
                        answered.add(key)
                        number_or_nan = math.nan if row["v"] is None else float(row["v"])
                        self._keep(key, Value(number_or_nan, row.get("e", ""), row.get("n", "")))
                except (ValueError, KeyError, TypeError) as error:
                    raise RunError(
                        f"{path}: line {number} is damaged ({error}); delete the lines from there on "
                        "to go on with what is before them"
                    ) from error
                good += len(line)
        self.lost = sum(count - (key in answered) for key, count in started.items())
        return good

    def _check_header(self, row: Any) -> None:
        if not isinstance(row, dict) or row.get("kind") != "scores":
            raise RunError(f"{self.path} is not a score journal")
        if row.get("format") != FORMAT:
            raise RunError(
                f"{self.path} has format {row.get('format')}, this version of molgen reads format {FORMAT}"
            )
