"""Token sequences as arrays: padded batches, and a training set that groups sequences of like length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from molgen.chem.randomize import random_smiles
from molgen.data.vocabulary import UnknownToken, Vocabulary
from molgen.models.autoregressive.network import IGNORED


class Batch(NamedTuple):
    """``inputs`` int64 ``[B, T]`` (end token first, then the sequence) and ``targets`` (the sequence, then end)."""

    inputs: Tensor
    targets: Tensor

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        return Batch(self.inputs.to(device), self.targets.to(device))


def pad(flat: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> Batch:
    """A batch from rows of a flat id array; ``lengths`` exclude the end token."""
    width = int(lengths.max()) + 1 if len(lengths) else 1
    columns = np.arange(width)
    inside = columns < lengths[:, None]
    positions = np.where(inside, starts[:, None] + columns, 0)
    ids = np.where(inside, flat[positions] if len(flat) else 0, 0).astype(np.int64)
    inputs = np.zeros_like(ids)
    inputs[:, 1:] = ids[:, :-1]
    targets = np.where(inside, ids, np.where(columns == lengths[:, None], 0, IGNORED))
    return Batch(torch.from_numpy(inputs), torch.from_numpy(targets))


def pad_lists(sequences: Sequence[Sequence[int]]) -> Batch:
    """A batch from lists of token ids."""
    lengths = np.array([len(s) for s in sequences], dtype=np.int64)
    flat = np.array([i for s in sequences for i in s], dtype=np.int64)
    return pad(flat, np.concatenate([[0], np.cumsum(lengths)[:-1]]).astype(np.int64), lengths)


class SequenceSet:
    """The training molecules of a language model, as one flat array of token ids (2 bytes each).

    Rows that hold an unknown token or are longer than ``max_tokens`` are left out and listed in ``unknown`` and
    ``too_long``. With ``randomize`` every epoch writes each molecule as a new random SMILES; where that one cannot be
    encoded, the canonical string is used.
    """

    def __init__(
        self, smiles: Sequence[str], vocabulary: Vocabulary, *, max_tokens: int, randomize: bool = False
    ) -> None:
        self.vocabulary = vocabulary
        self.max_tokens = max_tokens
        self.unknown: list[UnknownToken] = []
        self.too_long: list[int] = []
        kept: list[int] = []
        chunks: list[np.ndarray] = []
        lengths: list[int] = []
        for first in range(0, len(smiles), 50_000):
            ids, index, unknown = vocabulary.encode_all(smiles[first : first + 50_000])
            self.unknown += [UnknownToken(u.index + first, u.token, u.smiles) for u in unknown]
            fits = [(row, i + first) for row, i in zip(ids, index, strict=True) if len(row) < max_tokens]
            self.too_long += [i + first for row, i in zip(ids, index, strict=True) if len(row) >= max_tokens]
            chunks.append(np.array([token for row, _ in fits for token in row], dtype=np.uint16))
            lengths += [len(row) for row, _ in fits]
            kept += [i for _, i in fits]
        self.lengths = np.array(lengths, dtype=np.int64)
        self.flat = np.concatenate(chunks) if chunks else np.zeros(0, np.uint16)
        self.starts = np.concatenate([[0], np.cumsum(self.lengths)[:-1]]).astype(np.int64)
        self._smiles = [smiles[i] for i in kept] if randomize else None

    def __len__(self) -> int:
        return len(self.lengths)

    def plan(self, batch_size: int, seed: int, window: int = 50) -> list[np.ndarray]:
        """The batches of one epoch as arrays of row numbers, a pure function of ``seed``.

        Rows are shuffled, sorted by length inside windows of ``window`` batches so that little is padded, and the
        batches are shuffled again.
        """
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(self))
        batches: list[np.ndarray] = []
        for first in range(0, len(order), batch_size * window):
            rows = order[first : first + batch_size * window]
            rows = rows[np.argsort(self.lengths[rows], kind="stable")]
            batches += [rows[i : i + batch_size] for i in range(0, len(rows), batch_size)]
        return [batches[i] for i in rng.permutation(len(batches))]

    def batch(self, rows: np.ndarray, seed: int = 0) -> Batch:
        """The padded batch of ``rows``; ``seed`` chooses the random SMILES where ``randomize`` is on."""
        if self._smiles is None:
            return pad(self.flat, self.starts[rows], self.lengths[rows])
        sequences = []
        for row in rows:
            ids, _, _ = self.vocabulary.encode_all(
                [random_smiles(self._smiles[row], seed * 1_000_003 + int(row))]
            )
            fallback = self.flat[self.starts[row] : self.starts[row] + self.lengths[row]]
            sequences.append(ids[0] if ids and len(ids[0]) < self.max_tokens else fallback.tolist())
        return pad_lists(sequences)
