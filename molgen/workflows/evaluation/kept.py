"""Prepared sets on disk: written whole or not at all, and the long ones in parts, so that stopping loses one part."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import zipfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from molgen.chem.molecule import parse_all
from molgen.core.errors import DataError
from molgen.data import catalog
from molgen.metrics.fcd import Activations
from molgen.run.files import write_atomic

FORMAT = 1
_ROWS = 10_000  # strings of a part: some seconds of work
_ACTIVATIONS = 5_000
Say = Callable[[str, int, int], None]  # stage, done, total
Stored = tuple[dict[str, np.ndarray], dict[str, Any]]


def folder() -> Path:
    """Where prepared sets are kept: inside of the catalog's cache. Raises DataError where it cannot be made."""
    path = catalog.cache_dir() / "evaluation"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot write to {path}: {error}; set MOLGEN_DATA to another directory") from error
    return path


def stored(path: Path, compute: Callable[[], Stored]) -> Stored:
    """Arrays and plain data of an .npz file, computed and written if it is not there or not readable."""
    if path.is_file():
        try:
            with np.load(path, allow_pickle=False) as file:
                texts = json.loads(file["texts"].tobytes())
                if texts.pop("format") == FORMAT:
                    return {key: file[key] for key in file.files if key != "texts"}, texts
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            pass  # damaged: computed again below
    arrays, texts = compute()
    packed = np.frombuffer(json.dumps({**texts, "format": FORMAT}).encode(), dtype=np.uint8)
    part = path.with_suffix(".part.npz")
    np.savez_compressed(part, allow_pickle=False, texts=packed, **arrays)
    part.replace(path)
    return arrays, texts


def parts_of(stem: str) -> Path:
    """The folder for the parts of a set that is not finished."""
    path = folder() / f"{stem}.parts"
    path.mkdir(exist_ok=True)
    return path


def forget_parts(stem: str) -> None:
    """Remove the parts, once the set that they were for is written."""
    shutil.rmtree(folder() / f"{stem}.parts", ignore_errors=True)


def standardized(
    texts: Sequence[str], policy: str, *, stem: str, stage: str, workers: int, say: Say
) -> list[str]:
    """Standard SMILES of all strings that are molecules under a policy, repeats and all, in order.

    Every 10,000 are kept in a file named by their content; whoever was interrupted goes on after the last of them.
    """
    kept = parts_of(stem)
    pieces = [texts[start : start + _ROWS] for start in range(0, len(texts), _ROWS)]
    files = [kept / f"{policy}-{_digest(piece)}.smi" for piece in pieces]
    missing = [i for i, file in enumerate(files) if not file.is_file()]
    total, done = sum(len(pieces[i]) for i in missing), 0
    if total < len(texts):
        stage = f"{stage} ({len(texts) - total:,} of {len(texts):,} were done before)"

    def finish(i: int, lines: list[str]) -> None:
        nonlocal done
        write_atomic(files[i], "".join(f"{line}\n" for line in lines))
        done += len(pieces[i])
        say(stage, done, total)

    say(stage, 0, total)
    work = partial(_standard, policy)
    if workers <= 1 or len(missing) < 2:
        for i in missing:
            finish(i, work(list(pieces[i])))
    else:
        with quiet_pool(workers) as pool:
            found = pool.map(work, (list(pieces[i]) for i in missing))
            for i, lines in zip(missing, found, strict=True):
                finish(i, lines)
    return [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def quiet_pool(workers: int) -> ProcessPoolExecutor:
    """Spawned processes that leave Ctrl-C to their parent."""
    ignore = (signal.SIGINT, signal.SIG_IGN)
    return ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=signal.signal, initargs=ignore
    )


def _standard(policy: str, texts: list[str]) -> list[str]:
    return [molecule.smiles for molecule in parse_all(texts, policy).ok]


class KeptChemNet:
    """ChemNet whose activations of a reference are kept in parts until the reference is written."""

    def __init__(self, chemnet: Activations, stem: str) -> None:
        self._chemnet = chemnet
        self._stem = stem

    @property
    def width(self) -> int:
        """Numbers in the activations of one molecule."""
        return self._chemnet.width

    def activations(
        self,
        smiles: Sequence[str],
        *,
        batch_size: int = 512,
        progress: Callable[[int], None] | None = None,
    ) -> np.ndarray:
        """As :meth:`molgen.metrics.fcd.ChemNet.activations`."""
        kept = parts_of(self._stem)
        tables = [np.empty((0, self.width), dtype=np.float32)]
        for start in range(0, len(smiles), _ACTIVATIONS):
            part = list(smiles[start : start + _ACTIVATIONS])
            file = kept / f"chemnet-{_digest(part)}.npy"
            table = None
            if file.is_file():
                with suppress(OSError, ValueError, EOFError):  # damaged: computed again
                    table = np.load(file, allow_pickle=False)
            if table is None or table.shape != (len(part), self.width):
                inner = None if progress is None else partial(_shifted, progress, start)
                table = self._chemnet.activations(part, batch_size=batch_size, progress=inner)
                whole = file.with_suffix(".part.npy")
                np.save(whole, table, allow_pickle=False)
                whole.replace(file)
            if progress is not None:
                progress(start + len(part))
            tables.append(table)
        return np.concatenate(tables)


def _shifted(progress: Callable[[int], None], start: int, done: int) -> None:
    progress(start + done)


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:24]
