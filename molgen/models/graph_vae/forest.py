"""The training set of the graph VAE: fragment trees in arrays, and the batches made of them without RDKit."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import torch
from torch import Tensor

from molgen.core.errors import DataError
from molgen.models.graph_vae.order import Padded, canonical_sites, relations, reordered
from molgen.models.graph_vae.table import FragmentTable
from molgen.models.graph_vae.trees import Trees


@dataclass(frozen=True)
class Batch:
    """Molecules as the network wants them. ``S`` distinct sites and ``U`` distinct fragments occur in the batch.

    Tokens 0..T: token 0 is the latent, token i + 1 fragment i. A *candidate* is an open site of the molecule.
    """

    n: Tensor  # [B] fragments
    order: Tensor  # [B] 0: canonical, 1: random
    site: Tensor  # [S] flat site number of each distinct site
    site_features: Tensor  # [S, .]
    unique: Tensor  # [U] fragment number of each distinct fragment
    unique_features: Tensor  # [U, .]
    fragment: Tensor  # [B, T] row of ``unique``
    type: Tensor  # [B, T] fragment number
    entry: Tensor  # [B, T] row of ``site``
    parent_site: Tensor  # [B, T] row of ``site``
    relation: Tensor  # [B, T+1, T+1]
    candidate: Tensor  # [B, C] row of ``site``
    candidate_owner: Tensor  # [B, C] token
    candidate_free: Tensor  # [B, C] how often it can be chosen
    where: Tensor  # [B, T+1] candidate + 1 of the step made after token t; 0 is STOP; -1: no choice
    entry_row: Tensor  # [R] flat (molecule, token) of steps with several ways to enter
    entry_choice: Tensor  # [R, M] row of ``site``, -1 beyond
    entry_target: Tensor  # [R]
    node: Tensor  # [V] row of ``unique``: fragments of the encoder's graph
    node_position: Tensor  # [V] place in canonical order
    node_owner: Tensor  # [V] molecule
    edge: Tensor  # [2, E] child -> parent
    edge_sites: Tensor  # [2, E] rows of ``site``: of the child, of the parent
    labels: Tensor  # [B, P] z-scored properties, NaN where unknown

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        if torch.device(device).type == "cpu" and self.n.device.type == "cpu":
            return self
        return replace(self, **{f.name: getattr(self, f.name).to(device) for f in fields(self)})


def collate(
    canonical: Padded,
    grown: Padded,
    order: np.ndarray,
    table: FragmentTable,
    labels: np.ndarray | None = None,
) -> Batch:
    """A batch that encodes the trees ``canonical`` and decodes the same molecules in the order of ``grown``."""
    n, inside = grown.n, grown.inside
    size, width = grown.fragment.shape
    start = table.start
    b, i = np.nonzero(inside)
    placed = grown.fragment[b, i]
    # candidates: the open sites of every placed fragment
    counts = (table.open_start[1:] - table.open_start[:-1])[placed]
    item = np.repeat(np.arange(len(b)), counts)
    inner = np.arange(len(item)) - np.repeat(np.cumsum(counts) - counts, counts)
    flat_site = table.open_sites[table.open_start[placed[item]] + inner]
    totals = np.bincount(b[item], minlength=size)
    column = np.arange(len(item)) - np.repeat(np.cumsum(totals) - totals, totals)
    most = int(totals.max()) if size else 0
    line = b[item]
    free = table.free[flat_site].copy()
    entry_flat = start[grown.fragment] + grown.entry
    free -= (entry_flat[line, i[item]] == flat_site) & (i[item] > 0)
    candidate, owner, room = (np.zeros((size, most), np.int64) for _ in range(3))
    sites, rows = np.unique(flat_site, return_inverse=True)
    candidate[line, column], owner[line, column], room[line, column] = rows, i[item] + 1, free
    # the first candidate of each placed fragment, to find the target of a step
    first = np.zeros((size, width), np.int64)
    first[b, i] = np.concatenate([[0], np.cumsum(counts)])[:-1] - (np.cumsum(totals) - totals)[b]
    parent_fragment = np.take_along_axis(grown.fragment, grown.parent, 1)
    parent_flat = start[parent_fragment] + grown.parent_site
    where = np.full((size, width + 1), -1, np.int64)
    target = np.take_along_axis(first, grown.parent, 1) + table.open_rank[parent_flat] + 1
    where[:, :-1] = np.where(inside & (np.arange(width) > 0), target, -1)
    where[np.arange(size), n] = 0
    to_row = np.zeros(int(sites.max()) + 1 if len(sites) else 1, np.int64)
    to_row[sites] = np.arange(len(sites))
    bounded = len(to_row) - 1
    entry = np.where(inside, to_row[np.minimum(entry_flat, bounded)], 0)
    parent_site = np.where(inside, to_row[np.minimum(parent_flat, bounded)], 0)
    # ways to enter, where there are several
    ways = (table.entry_start[1:] - table.entry_start[:-1])[placed]
    several = np.flatnonzero((ways > 1) & (i > 0))
    widest = int(ways[several].max()) if len(several) else 1
    slots = np.arange(widest)
    fits = slots < ways[several][:, None]
    flat = table.entries[np.where(fits, table.entry_start[placed[several]][:, None] + slots, 0)]
    choice = np.where(fits, to_row[np.minimum(flat, bounded)], -1)
    unique, kind = np.unique(np.concatenate([placed, canonical.fragment[inside]]), return_inverse=True)
    fragment = np.zeros((size, width), np.int64)
    fragment[b, i] = kind[: len(b)]
    node, node_position, node_owner, edge, edge_sites = _graph(canonical, table, kind[len(b) :], to_row)
    return Batch(
        n=_put(n),
        order=_put(order),
        site=_put(sites),
        site_features=torch.from_numpy(table.site_features[sites]),
        unique=_put(unique),
        unique_features=torch.from_numpy(table.fragment_features[unique]),
        fragment=_put(fragment),
        type=_put(grown.fragment),
        entry=_put(entry),
        parent_site=_put(parent_site),
        relation=_put(relations(grown.parent)),
        candidate=_put(candidate),
        candidate_owner=_put(owner),
        candidate_free=_put(room),
        where=_put(where),
        entry_row=_put(b[several] * (width + 1) + i[several]),
        entry_choice=_put(choice),
        entry_target=_put(table.entry_rank[entry_flat[b[several], i[several]]]),
        node=_put(node),
        node_position=_put(node_position),
        node_owner=_put(node_owner),
        edge=_put(edge),
        edge_sites=_put(edge_sites),
        labels=torch.zeros(size, 0) if labels is None else torch.from_numpy(labels.astype(np.float32)),
    )


def _put(array: np.ndarray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.int64))


def _graph(
    trees: Padded, table: FragmentTable, kind: np.ndarray, to_row: np.ndarray
) -> tuple[np.ndarray, ...]:
    b, i = np.nonzero(trees.inside)
    begin = np.cumsum(trees.n) - trees.n
    bonded = i > 0
    child = np.flatnonzero(bonded)
    parent = begin[b[bonded]] + trees.parent[b[bonded], i[bonded]]
    flat = table.start[trees.fragment[b, i]]
    own = flat[child] + trees.entry[b[bonded], i[bonded]]
    other = flat[parent] + trees.parent_site[b[bonded], i[bonded]]
    return kind, i, b, np.stack([child, parent]), np.stack([to_row[own], to_row[other]])


class Forest:
    """The training molecules of a graph VAE, in the numbers of its vocabulary.

    Molecules with a fragment that the vocabulary lacks are left out and listed in ``unknown``, those outside of the
    codec in ``too_long``. ``random_share`` of the molecules of each batch is decoded in a random order.
    """

    def __init__(
        self,
        trees: Trees,
        table: FragmentTable,
        *,
        random_share: float = 0.0,
        labels: np.ndarray | None = None,
    ) -> None:
        self.table = table
        self.random_share = random_share
        numbers = np.array([table.number.get(name, -1) for name in trees.names] or [0], np.int32)
        fragment = numbers[trees.fragment]
        lengths = trees.lengths
        owner = np.repeat(np.arange(len(trees)), lengths)
        lacking = np.zeros(len(trees), bool)
        lacking[owner[fragment < 0]] = True
        self.unknown = [
            f"molecule {trees.index[k]}: a fragment that is not in the vocabulary"
            for k in np.flatnonzero(lacking)
        ]
        self.too_long = trees.outside_index.tolist()
        self.outside = {**trees.outside(), "fragment not in the vocabulary": int(lacking.sum())}
        kept = ~lacking[owner]
        self.index = trees.index[~lacking]
        self.lengths = lengths[~lacking].astype(np.int64)
        self.starts = np.concatenate([[0], np.cumsum(self.lengths)])[:-1].astype(np.int64)
        self.fragment = fragment[kept]
        self.parent, self.entry, self.site = (x[kept] for x in (trees.parent, trees.entry, trees.parent_site))
        self.labels = None if labels is None else labels[self.index]

    def __len__(self) -> int:
        return len(self.lengths)

    def plan(self, batch_size: int, seed: int, window: int = 50) -> list[np.ndarray]:
        """The batches of one epoch, a pure function of ``seed``: sorted by length inside shuffled windows."""
        rng = np.random.default_rng(seed)
        order = rng.permutation(len(self))
        batches: list[np.ndarray] = []
        for first in range(0, len(order), batch_size * window):
            rows = order[first : first + batch_size * window]
            rows = rows[np.argsort(self.lengths[rows], kind="stable")]
            batches += [rows[i : i + batch_size] for i in range(0, len(rows), batch_size)]
        return [batches[i] for i in rng.permutation(len(batches))]

    def padded(self, rows: np.ndarray) -> Padded:
        """The trees of ``rows`` in canonical order with canonical sites."""
        n = self.lengths[rows]
        columns = np.arange(int(n.max()) if len(n) else 0)
        inside = columns < n[:, None]
        where = np.where(inside, self.starts[rows][:, None] + columns, 0)
        arrays = [
            np.where(inside, x[where], 0).astype(np.int64)
            for x in (self.fragment, self.parent, self.entry, self.site)
        ]
        return canonical_sites(Padded(n, *arrays), self.table)

    def batch(self, rows: np.ndarray, seed: int = 0) -> Batch:
        """The batch of ``rows``; ``seed`` chooses which are decoded in which random order."""
        canonical = self.padded(rows)
        order = np.zeros(len(rows), np.int64)
        grown = canonical
        if self.random_share:
            rng = np.random.default_rng([seed & 0x7FFFFFFF, int(rows[0])])
            order = (rng.random(len(rows)) < self.random_share).astype(np.int64)
            grown = canonical_sites(reordered(canonical, order > 0, rng), self.table)
        return collate(
            canonical, grown, order, self.table, None if self.labels is None else self.labels[rows]
        )


def from_trees(trees: Trees, table: FragmentTable) -> tuple[FragmentTable, Forest]:
    """All molecules of ``trees``, with a table extended by the fragments that ``table`` lacks."""
    extra = [name for name in trees.names if name not in table.number]
    wider = table.extended(extra)
    return wider, Forest(trees, wider)


def vocabulary(trees: Trees, min_count: int) -> tuple[FragmentTable, tuple[int, int]]:
    """The fragments met at least ``min_count`` times (all, where none is); most fragments and atoms of a molecule."""
    seen = np.bincount(trees.fragment, minlength=len(trees.names))
    ranked = sorted(range(len(trees.names)), key=lambda k: (-seen[k], trees.names[k]))
    chosen = [k for k in ranked if seen[k] >= min_count] or ranked
    if not chosen:
        raise DataError(f"no molecule that fragment trees cover: {trees.outside()}")
    table = FragmentTable.kept([trees.names[k] for k in chosen], [int(seen[k]) for k in chosen])
    forest = Forest(trees, table)
    most_fragments, most_atoms = 1, int(table.size.max())
    if len(forest):
        atoms = np.add.reduceat(table.size[forest.fragment], forest.starts)
        most_fragments, most_atoms = int(forest.lengths.max()), max(most_atoms, int(atoms.max()))
    return table, (most_fragments, most_atoms)
