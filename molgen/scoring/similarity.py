"""Tanimoto similarity of Morgan fingerprints to reference molecules, with the name of the nearest one.

Rogers and Hahn, J. Chem. Inf. Model. 50 (2010) 742. For *dissimilarity* give the component the transform
``{type: reverse_linear, low: 0, high: 1}`` (1 - similarity) or a ``reverse_sigmoid`` with a window.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import DataStructs

from molgen.chem.fingerprints import generator
from molgen.chem.molecule import Molecule, parse_all
from molgen.core.errors import ConfigError, DataError, Problem
from molgen.scoring.params import SimilarityParams
from molgen.scoring.protocol import Context, Scored


class Similarity:
    """Similarity 0..1 to the nearest reference (``mode`` max) or the mean over all of them (mean).

    The values are RDKit's doubles. ``files``: path -> sha256 of the reference file, if one was read.
    """

    unit = ""

    def __init__(
        self,
        name: str,
        references: Sequence[Molecule],
        *,
        radius: int = 2,
        n_bits: int = 2048,
        counts: bool = False,
        mode: str = "max",
        files: dict[str, str] | None = None,
    ) -> None:
        assert references, "no references"
        self.name = name
        self.references = list(references)
        self.radius, self.n_bits, self.counts, self.mode = radius, n_bits, counts, mode
        self.files = files or {}
        # One fingerprint, then some 0.2 microseconds per reference.
        self.cost = 6e-5 + 2e-7 * len(references)
        self._fingerprints = [self._fingerprint(mol) for mol in references]

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Score a list; the notes name the nearest reference."""
        values, nearest = self.with_nearest(mols)
        notes = {i: f"nearest: {self._label(k)}" for i, k in enumerate(nearest.tolist())}
        return Scored(values, notes=notes)

    def with_nearest(self, mols: Sequence[Molecule]) -> tuple[np.ndarray, np.ndarray]:
        """Similarities float64 ``[n]`` and the index of the nearest reference int64 ``[n]``."""
        values = np.zeros(len(mols))
        nearest = np.zeros(len(mols), dtype=np.int64)
        for i, mol in enumerate(mols):
            row = DataStructs.BulkTanimotoSimilarity(self._fingerprint(mol), self._fingerprints)
            best = max(row)
            nearest[i] = row.index(best)
            values[i] = best if self.mode == "max" else sum(row) / len(row)
        return values, nearest

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (
            self.name,
            self.references,
            self.radius,
            self.n_bits,
            self.counts,
            self.mode,
            self.files,
        )

    def _fingerprint(self, mol: Molecule) -> Any:
        make = generator(self.radius, self.n_bits)
        return make.GetCountFingerprint(mol.mol) if self.counts else make.GetFingerprint(mol.mol)

    def _label(self, k: int) -> str:
        reference = self.references[k]
        return reference.id or reference.smiles


def build(name: str, params: SimilarityParams, context: Context) -> Similarity:
    """Read and standardize the references; raises ConfigError for those that are none."""
    references: list[Molecule] = []
    files: dict[str, str] = {}
    named = params.references if isinstance(params.references, dict) else dict(enumerate(params.references))
    keys = [f".{key}" if isinstance(key, str) else f"[{key}]" for key in named]
    ids = [key if isinstance(key, str) else None for key in named]
    parsed = parse_all(list(named.values()), context.policy, ids=ids)
    problems = [
        Problem(f"references{keys[row.line - 1]}", f"not a usable molecule: {row.detail} (got {row.text!r})")
        for row in parsed.rejected
    ]
    references += parsed.ok
    if params.file is not None:
        path = (context.base_dir / Path(params.file).expanduser()).resolve()
        try:
            references += _read(path, context.policy)
            files[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
        except (DataError, OSError) as error:
            problems.append(Problem("file", str(error)))
    if problems:
        raise ConfigError(problems, name)
    if not references:
        raise ConfigError(
            [Problem("file" if params.file else "references", "no usable molecule in it")], name
        )
    return Similarity(
        name,
        references,
        radius=params.radius,
        n_bits=params.n_bits,
        counts=params.counts,
        mode=params.mode,
        files=files,
    )


def _read(path: Path, policy: str) -> list[Molecule]:
    from molgen.data.reader import read

    return list(read(path, policy=policy).molecules)


def _rebuild(
    name: str,
    references: list[Molecule],
    radius: int,
    n_bits: int,
    counts: bool,
    mode: str,
    files: dict[str, str],
) -> Similarity:
    return Similarity(name, references, radius=radius, n_bits=n_bits, counts=counts, mode=mode, files=files)
