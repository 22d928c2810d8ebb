"""Orders in which a fragment tree can be built, canonical sites, and how placed fragments are related; all vectorized.

Arrays are padded ``[B, T]``; row b has ``n[b]`` fragments, the parent of fragment i stands before it, the root is 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from molgen.models.graph_vae.table import FragmentTable

#: Relation of a query to a key: the latent, itself, ancestors by distance, sibling, others by distance.
LATENT, SELF, ANCESTOR, SIBLING, OTHER = 0, 1, 2, 10, 11
RELATIONS = 21
_FARTHEST_ANCESTOR, _FARTHEST = 8, 12


@dataclass(frozen=True)
class Padded:
    """Fragment trees of a batch, int64 ``[B, T]`` each, and ``n`` ``[B]``; what lies beyond ``n`` is zero."""

    n: np.ndarray
    fragment: np.ndarray
    parent: np.ndarray
    entry: np.ndarray
    parent_site: np.ndarray

    @property
    def inside(self) -> np.ndarray:
        """Which places hold a fragment, bool ``[B, T]``."""
        return np.arange(self.fragment.shape[1]) < self.n[:, None]


def reordered(trees: Padded, chosen: np.ndarray, rng: np.random.Generator) -> Padded:
    """The same molecules; those ``chosen`` (bool ``[B]``) grow from a random root in a random connected order."""
    rows = np.flatnonzero(chosen & (trees.n > 1))
    if not len(rows):
        return trees
    n, width = trees.n[rows], trees.fragment.shape[1]
    line = np.arange(len(rows))
    parent, entry, site = (x[rows].copy() for x in (trees.parent, trees.entry, trees.parent_site))
    old = [x.copy() for x in (parent, entry, site)]
    root = np.minimum((rng.random(len(rows)) * n).astype(np.int64), n - 1)
    current = root.copy()
    while (active := current > 0).any():  # turn the edges between new and old root around
        b, below = line[active], current[active]
        above = old[0][b, below]
        parent[b, above], entry[b, above], site[b, above] = below, old[2][b, below], old[1][b, below]
        current[active] = above
    inside = np.arange(width) < n[:, None]
    wish = rng.random((len(rows), width))
    order, position = np.zeros_like(parent), np.full_like(parent, -1)
    order[:, 0], position[line, root] = root, 0
    for t in range(1, width):
        reachable = (position < 0) & (np.take_along_axis(position, parent, 1) >= 0) & inside
        best = np.where(reachable, wish, -1.0).argmax(1)
        going = t < n
        order[going, t] = best[going]
        position[line[going], best[going]] = t
    fields = [np.take_along_axis(x, order, 1) for x in (trees.fragment[rows], parent, entry, site)]
    fields[1] = np.take_along_axis(position, fields[1], 1)
    for values in fields:
        values[~inside] = 0
    for values in fields[1:]:
        values[:, 0] = 0
    result = [x.copy() for x in (trees.fragment, trees.parent, trees.entry, trees.parent_site)]
    for whole, part in zip(result, fields, strict=True):
        whole[rows] = part
    return Padded(trees.n, *result)


def canonical_sites(trees: Padded, table: FragmentTable) -> Padded:
    """Among equivalent choices of sites take the first: entry, then children in their order, as small as can be.

    A phenyl ring has two equivalent ortho positions; without this a decoder would have to guess which one was meant.
    """
    width = trees.fragment.shape[1]
    b, i = np.nonzero(trees.inside & (np.arange(width) > 0))
    parent = trees.parent[b, i]
    # one use of a site per row: of a fragment by its entry (rank 0), then by its children in their order
    instance = np.concatenate([b * width + i, b * width + parent])
    site = np.concatenate([trees.entry[b, i], trees.parent_site[b, i]])
    time = np.concatenate([np.zeros_like(i), i])
    symmetric = table.symmetric[trees.fragment.ravel()[instance]]
    use = np.flatnonzero(symmetric >= 0)
    result = [trees.entry.copy(), trees.parent_site.copy()]
    if not len(use):
        return trees
    use = use[np.lexsort((time[use], instance[use]))]
    first = np.flatnonzero(np.diff(instance[use], prepend=-1))
    which = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(use))))
    rank = np.arange(len(use)) - first[which]
    images = table.permutations[symmetric[use], :, site[use]]  # [uses, symmetries]
    shift = 5 * np.maximum(11 - rank, 0)
    keys = np.add.reduceat(np.where(rank[:, None] < 12, images << shift[:, None], 0), first, axis=0)
    best = keys.argmin(1)[which]
    new = images[np.arange(len(use)), best]
    edges = len(i)
    as_entry = use < edges
    e = use[as_entry]
    result[0][b[e], i[e]] = new[as_entry]
    c = use[~as_entry] - edges
    result[1][b[c], i[c]] = new[~as_entry]
    return Padded(trees.n, trees.fragment, trees.parent, *result)


def relations(parent: np.ndarray) -> np.ndarray:
    """How token i (0 is the latent, i + 1 fragment i) is related to each earlier token j: int64 ``[B, T+1, T+1]``.

    A tree only ever grows leaves, so the relation of two placed fragments never changes: nothing has to be computed
    anew while a molecule grows.
    """
    batch, width = parent.shape
    distance, ancestor = np.zeros((batch, width, width), np.int64), np.zeros((batch, width, width), bool)
    line = np.arange(batch)
    result = np.zeros((batch, width + 1, width + 1), np.int64)
    for i in range(width):
        if i:
            extend(distance, ancestor, i, parent[:, i])
        result[:, i + 1, 1 : i + 2] = relation_row(
            distance[:, i, : i + 1], ancestor[:, i, : i + 1], parent[:, : i + 1], parent[line, i], i
        )
    return result


def extend(distance: np.ndarray, ancestor: np.ndarray, i: int, parent: np.ndarray) -> None:
    """Enter fragment i with its parents ``[B]`` into distances and ancestors ``[B, T, T]``, in place."""
    line = np.arange(len(parent))
    distance[:, i, :i] = distance[line, parent, :i] + 1
    distance[:, :i, i] = distance[:, i, :i]
    ancestor[:, i] = ancestor[line, parent]
    ancestor[line, i, parent] = True


def relation_row(
    distance: np.ndarray, ancestor: np.ndarray, parents: np.ndarray, parent: np.ndarray, i: int
) -> np.ndarray:
    """Relation of fragment i to fragments 0..i, int64 ``[B, i + 1]``, from their row of distances and ancestors."""
    row = np.where(
        ancestor,
        ANCESTOR + np.minimum(distance, _FARTHEST_ANCESTOR) - 1,
        OTHER + np.clip(distance, 3, _FARTHEST) - 3,
    )
    sibling = (parents == parent[:, None]) & (distance == 2)
    row[sibling & ~ancestor] = SIBLING
    row[:, i] = SELF
    return row
