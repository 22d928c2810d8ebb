"""Training data: the strings of a set of molecules, and how one is made from files (standardize, deduplicate)."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from molgen.chem.standardize import get_policy
from molgen.core.errors import DataError
from molgen.data.reader import open_source, read, stream
from molgen.run.files import sha256_file

#: Version of the report that `molgen data prepare` writes.
FORMAT = 1


@dataclass(frozen=True)
class Dataset:
    """SMILES strings to learn from, and where they came from. ``sha256`` is that of the strings in their order."""

    smiles: Sequence[str]
    name: str = ""
    policy: str = "default"
    info: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.smiles)

    def __getitem__(self, index: int) -> str:
        return self.smiles[index]

    def __iter__(self) -> Iterator[str]:
        return iter(self.smiles)

    @property
    def sha256(self) -> str:
        """Of the strings, one a line."""
        digest = hashlib.sha256()
        for text in self.smiles:
            digest.update(text.encode() + b"\n")
        return digest.hexdigest()

    @classmethod
    def from_file(
        cls, path: str | Path, *, policy: str = "default", smiles_column: str | None = None, workers: int = 1
    ) -> Dataset:
        """All distinct molecules of a file, in their order. Raises DataError where there is none."""
        table = read(path, policy=policy, smiles_column=smiles_column, workers=workers)
        smiles = list(dict.fromkeys(molecule.smiles for molecule in table.molecules))
        if not smiles:
            raise DataError(f"{path}: not one usable molecule. {table.summary()}")
        info = {"rows": table.n_rows, "rejected": table.reasons, "sha256": table.sha256, "notes": table.notes}
        return cls(smiles, str(path), policy, info)


@dataclass(frozen=True)
class Prepared:
    """What :func:`prepare` did: ``rows == written + duplicates + sum(rejected.values())``."""

    path: Path
    report: Path
    rows: int
    written: int
    duplicates: int
    rejected: dict[str, int]
    sha256: str

    def summary(self) -> str:
        """One sentence with the counts."""
        why = "".join(f", {count:,} {reason}" for reason, count in self.rejected.items())
        return f"{self.rows:,} rows = {self.written:,} molecules + {self.duplicates:,} duplicates{why} -> {self.path}"


def prepare(
    inputs: Sequence[str | Path],
    out: str | Path,
    policy: str = "default",
    *,
    smiles_column: str | None = None,
    workers: int = 1,
    overwrite: bool = False,
    progress: Callable[[int], Any] | None = None,
) -> Prepared:
    """Stream files into one standardized, deduplicated ``.smi.gz`` with a JSON report and the rejected rows.

    Beside ``out`` it writes ``<out>.report.json`` (counts by reason, SHA-256 of inputs and output) and
    ``<out>.rejected.tsv`` (file, line, reason, words, text). The first of equal molecules stays, order is kept.
    Memory: some 100 bytes per distinct molecule. Raises DataError; nothing half-written is left behind.
    """
    rules = get_policy(policy)
    out = Path(out)
    report_path, rejected_path = Path(f"{out}.report.json"), Path(f"{out}.rejected.tsv")
    for target in (out, report_path, rejected_path):
        if target.exists() and not overwrite:
            raise DataError(f"{target} exists already; choose another name or say --overwrite")
    if not inputs:
        raise DataError("nothing to prepare: name at least one file or data set")
    scratch = out.with_name(f".{out.name}.{os.getpid()}")
    scratch_rejected = rejected_path.with_name(f".{rejected_path.name}.{os.getpid()}")
    seen: set[bytes] = set()
    rejected: Counter[str] = Counter()
    sources: list[dict[str, Any]] = []
    rows = duplicates = 0
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with (
            scratch.open("wb") as raw,
            gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed,  # no name, no time: same input, same bytes
            scratch_rejected.open("w", encoding="utf-8") as refused,
        ):
            refused.write("file\tline\twhy\tdetail\ttext\n")
            for path in inputs:
                source = open_source(path, smiles_column=smiles_column)
                before = rows
                for parsed in stream(source, policy=rules.name, workers=workers, progress=progress):
                    rows += len(parsed.ok) + len(parsed.rejected)
                    for row in parsed.rejected:
                        rejected[row.why] += 1
                        cells = (row.file, str(row.line), row.why, row.detail, row.text)
                        refused.write("\t".join(" ".join(cell.split()) for cell in cells) + "\n")
                    for molecule in parsed.ok:
                        mark = hashlib.blake2b(molecule.smiles.encode(), digest_size=16).digest()
                        if mark in seen:
                            duplicates += 1
                            continue
                        seen.add(mark)
                        packed.write(molecule.smiles.encode() + b"\n")
                sources.append(
                    {
                        "path": str(path),
                        "rows": rows - before,
                        "sha256": sha256_file(path),
                        "notes": source.notes,
                    }
                )
        if not seen:
            raise DataError(f"not one usable molecule in {', '.join(map(str, inputs))}: {dict(rejected)}")
        assert rows == len(seen) + duplicates + sum(rejected.values())
        sha256 = sha256_file(scratch)
        report = {
            "format": FORMAT,
            "policy": rules.tag,
            "inputs": sources,
            "rows": rows,
            "written": len(seen),
            "duplicates": duplicates,
            "rejected": dict(rejected.most_common()),
            "output": {"path": out.name, "sha256": sha256},
        }
        os.replace(scratch, out)
        os.replace(scratch_rejected, rejected_path)
        report_path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"cannot write {out}: {error}") from error
    finally:
        scratch.unlink(missing_ok=True)
        scratch_rejected.unlink(missing_ok=True)
    return Prepared(out, report_path, rows, len(seen), duplicates, report["rejected"], sha256)  # type: ignore[arg-type]
