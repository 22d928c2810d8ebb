"""Beam search: the likeliest distinct molecules of a point, with their log-likelihoods."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from molgen.models.graph_vae.grown import Grown, Scaffold
from molgen.models.graph_vae.growth import Growth, grow
from molgen.models.graph_vae.writer import SmilesWriter

#: Below this a choice was masked.
_NEVER = -1e8
#: Partial trees that are followed for every molecule that is asked for: some end as the same molecule.
_RESERVE = 2

Ranked = list[tuple[str, float]]


@torch.no_grad()
def likeliest(model: Any, z: Tensor, k: int, scaffold: Scaffold | None = None) -> list[Ranked]:
    """At most ``k`` distinct molecules of each row of ``z``, likeliest first: canonical SMILES and log-likelihood.

    The log-likelihood (nats, given the point) is the sum over all choices of the tree, without a correction for its
    length; of several trees of one molecule the likeliest counts. The greedy tree is always among the candidates, so
    that the first molecule is never less likely than it, and ``k = 1`` is greedy. Bounded in time: at most as many
    steps as the largest molecule of the training set has fragments, each with ``2 k`` partial trees a point.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    with torch.autocast(z.device.type, enabled=False):
        best = _Best(model, len(z), k, scaffold)
        greedy = grow(model, z, scaffold=scaffold)
        for row in range(len(z)):
            best.offer(row, _tree(greedy, row), float(greedy.log_likelihood[row]))
        if k > 1 and len(z):
            _Beam(Growth(model, z.float(), None, 1.0, scaffold), best, _RESERVE * k).run()
        return best.ranked()


def _tree(grown: Grown, row: int) -> list[list[int]]:
    return [grown.fragment[row], grown.parent[row], grown.entry[row], grown.parent_site[row]]


class _Best:
    """The best finished molecules of each point."""

    def __init__(self, model: Any, points: int, k: int, scaffold: Scaffold | None) -> None:
        self.k = k
        self.writer = model.writer if scaffold is None else SmilesWriter(scaffold.table)
        self.found: list[dict[str, float]] = [{} for _ in range(points)]
        self.bound = np.full(points, -np.inf)  # what a new molecule must exceed

    def offer(self, point: int, tree: list[list[int]], score: float) -> None:
        """Enter a finished tree; the same molecule counts once."""
        from rdkit import Chem

        smiles = Chem.CanonSmiles(self.writer.write(*tree))
        found = self.found[point]
        found[smiles] = max(score, found.get(smiles, -np.inf))
        if len(found) > self.k:
            del found[min(found, key=found.__getitem__)]
        if len(found) == self.k:
            self.bound[point] = min(found.values())

    def ranked(self) -> list[Ranked]:
        """Likeliest first."""
        return [sorted(found.items(), key=lambda item: (-item[1], item[0])) for found in self.found]


class _Beam:
    """Partial trees of all points, in step: every one has placed the same number of fragments."""

    def __init__(self, growth: Growth, best: _Best, width: int) -> None:
        self.growth, self.best, self.width = growth, best, width

    def run(self) -> None:
        """Until no partial tree can become better than what is finished."""
        growth = self.growth
        growth.begin()
        placed = 0
        while len(growth.z):
            if not growth.place_scaffold(placed):
                self._step(placed)
            placed += 1

    def _step(self, placed: int) -> None:
        growth, table = self.growth, self.growth.table
        rows = np.arange(len(growth.z))
        score, candidate = growth.nats, np.zeros_like(rows)
        if placed:
            where = growth.where_logits(placed).log_softmax(-1).double().cpu().numpy()
            self._finish(placed, score + where[:, 0])
            rows, candidate, score = self._choose(rows, score, where[:, 1:])
        key = growth.site_key(placed, rows, candidate)
        logits, state, blocked = growth.fragment_logits(placed, rows, key)
        what = logits.log_softmax(-1)
        common = growth.decoder.common
        if blocked.shape[1] and len(rows):
            second = growth.rare_logits(state, blocked).log_softmax(-1)
            what = torch.cat([what[:, :common], what[:, common:] + second], 1)
        chosen, fragment, score = self._choose(rows, score, what.double().cpu().numpy())
        rows, candidate, key = rows[chosen], candidate[chosen], key[growth.put(chosen)]
        flat = table.start[fragment]
        if placed and len(rows):
            entry, sites = growth.entry_logits(rows, fragment, key)
            ways = entry.log_softmax(-1).double().cpu().numpy()
            chosen, column, score = self._choose(rows, score, ways)
            flat = sites[chosen, column]
            rows, candidate, fragment = rows[chosen], candidate[chosen], fragment[chosen]
        growth.take(rows, placed)
        growth.nats = score
        if len(rows):
            growth.attach(placed, candidate, fragment, flat - table.start[fragment])

    def _finish(self, placed: int, score: np.ndarray) -> None:
        growth = self.growth
        for row in np.flatnonzero(score > self.best.bound[growth.origin]):
            tree = [part[row, :placed].tolist() for part in growth.tree]
            self.best.offer(int(growth.origin[row]), tree, float(score[row]))

    def _choose(
        self, rows: np.ndarray, score: np.ndarray, found: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The best continuations of each point: places in ``rows``, columns of ``found`` ``[K, M]``, sums."""
        total = score[:, None] + found
        width = min(self.width, found.shape[1])
        columns = np.argpartition(-total, width - 1, axis=1)[:, :width] if width else np.zeros((0, 0), int)
        line = np.repeat(np.arange(len(rows)), width)
        column = columns.ravel()
        value = total[line, column]
        point = self.growth.origin[rows[line]]
        possible = (found[line, column] > _NEVER) & (value > self.best.bound[point])
        line, column, value, point = (x[possible] for x in (line, column, value, point))
        order = np.lexsort((-value, point))
        point = point[order]
        first = np.flatnonzero(np.diff(point, prepend=-1))
        rank = np.arange(len(point)) - np.repeat(first, np.diff(np.append(first, len(point))))
        kept = order[rank < self.width]
        return line[kept], column[kept], value[kept]
