"""Similarities of molecules to a growing table of known ones: Tanimoto of count fingerprints, distance of descriptors.

The table holds one row per folded element and one column per known molecule. How many elements a new molecule shares
with each known one is then the sum of the rows of its own elements, some fifty to three hundred of thousands:
``embedding_bag`` adds them, several times cheaper than any matrix product (measured in docs/benchmarks.md).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from molgen.optimize.hybrid.features import DESCRIPTORS, FINGERPRINTS, Row, stack

#: Components of the kernel, in order: the fingerprints, then the descriptors.
COMPONENTS = (*FINGERPRINTS, "descriptors")


class Table:
    """Known molecules, at most ``capacity`` of them."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.count = 0
        self._shared = [torch.zeros(width, capacity) for width in FINGERPRINTS.values()]
        self._sizes = torch.zeros(len(FINGERPRINTS), capacity)
        self._descriptors = torch.zeros(capacity, len(DESCRIPTORS), dtype=torch.float64)

    def add(self, rows: Sequence[Row]) -> None:
        """Append molecules. Raises ValueError beyond the capacity."""
        if self.count + len(rows) > self.capacity:
            raise ValueError(f"the table holds {self.count} of {self.capacity}, {len(rows)} more do not fit")
        for column, row in enumerate(rows, self.count):
            for k, elements in enumerate(row.elements):
                self._shared[k][torch.from_numpy(elements), column] = 1.0
                self._sizes[k, column] = len(elements)
        end = self.count + len(rows)
        self._descriptors[self.count : end] = descriptors(rows)
        self.count = end

    def similarity(self, rows: Sequence[Row], k: int) -> Tensor:
        """MinMax similarity ``[len(rows), count]`` by fingerprint ``k``, float32."""
        flat, starts, sizes = stack(rows, k)
        both = embedding_bag(
            torch.from_numpy(flat), self._shared[k], torch.from_numpy(starts), mode="sum"
        )[:, : self.count]  # fmt: skip
        either = torch.from_numpy(sizes).float().unsqueeze(1) + self._sizes[k, : self.count] - both
        return both / either.clamp(min=1.0)

    def known_descriptors(self) -> Tensor:
        """``[count, d]`` float64, in units of the descriptors."""
        return self._descriptors[: self.count]


def descriptors(rows: Sequence[Row]) -> Tensor:
    """``[n, d]`` float64."""
    if not rows:
        return torch.zeros(0, len(DESCRIPTORS), dtype=torch.float64)
    return torch.from_numpy(np.stack([row.descriptors for row in rows]))


def near(a: Tensor, b: Tensor, lengths: Tensor) -> Tensor:
    """Squared-exponential kernel ``[n, m]`` of descriptors ``[n, d]`` and ``[m, d]`` with a length scale per column."""
    p, q = a / lengths, b / lengths
    square = p.square().sum(1, keepdim=True) + q.square().sum(1) - 2 * p @ q.T
    return (-0.5 * square.clamp(min=0)).exp()
