"""Growing molecules fragment by fragment from latent vectors: masks, budgets, scaffolds; no RDKit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from molgen.models.graph_vae.decoder import NEVER
from molgen.models.graph_vae.order import LATENT, extend, relation_row
from molgen.models.graph_vae.table import FragmentTable


@dataclass(frozen=True)
class Scaffold:
    """Fragments that every molecule starts from, in an order that grows a tree, and where more may be attached.

    ``allowed[i]`` maps atoms of fragment i to how many bonds they may still get; fragments are numbers of ``table``.
    """

    table: FragmentTable
    fragment: list[int]
    parent: list[int]
    entry: list[int]
    parent_site: list[int]
    allowed: list[dict[int, int]]


@dataclass
class Grown:
    """Finished trees and the log-likelihood (nats at temperature 1, given the latent vector) of how they were grown."""

    fragment: list[list[int]] = field(default_factory=list)
    parent: list[list[int]] = field(default_factory=list)
    entry: list[list[int]] = field(default_factory=list)
    parent_site: list[list[int]] = field(default_factory=list)
    log_likelihood: np.ndarray = field(default_factory=lambda: np.zeros(0))


@torch.no_grad()
def grow(
    model: Any,
    z: Tensor,
    *,
    generator: torch.Generator | None = None,
    temperature: float = 1.0,
    scaffold: Scaffold | None = None,
) -> Grown:
    """One tree per row of ``z``; without ``generator`` the most likely choice is taken at each step (greedy)."""
    with torch.autocast(
        z.device.type, enabled=False
    ):  # a validation in the middle of a training runs under it
        return _Growth(model, z.float(), generator, temperature, scaffold).run()


class _Growth:
    """The state of a batch that grows. Bookkeeping is NumPy on the host, the network is wherever its weights are."""

    def __init__(
        self,
        model: Any,
        z: Tensor,
        generator: torch.Generator | None,
        temperature: float,
        scaffold: Scaffold | None,
    ) -> None:
        self.model, self.decoder, self.scaffold = model, model.decoder, scaffold
        self.table = model.table if scaffold is None else scaffold.table
        self.device = z.device
        self.generator, self.temperature = generator, temperature
        count = len(z)
        self.most_fragments, self.most_atoms = model.limits
        if scaffold is not None:
            grown = int(self.table.size[scaffold.fragment].sum())
            self.most_fragments = max(self.most_fragments, len(scaffold.fragment) + 4)
            self.most_atoms = max(self.most_atoms, grown + 8)
        length, room = self.most_fragments, self.most_atoms + 1
        self.z = z
        self.order = torch.full((count,), int(scaffold is not None), dtype=torch.long, device=self.device)
        self.fragments, self.sites = model.all_vectors(self.table)
        self.site_keys = self.decoder.site_key(self.sites)
        self.origin = np.arange(count)
        self.tree = np.zeros((4, count, length), np.int64)
        self.atoms = np.zeros(count, np.int64)
        self.distance = np.zeros((count, length, length), np.int64)
        self.ancestor = np.zeros((count, length, length), bool)
        self.site = np.zeros((count, room), np.int64)
        self.owner = np.zeros((count, room), np.int64)
        self.free = np.zeros((count, room), np.int64)
        self.used = np.zeros((count, room), np.int64)
        self.candidates = np.zeros(count, np.int64)
        self.relation = np.zeros((count, length + 1), np.int64)
        self.keys = torch.zeros(count, room, self.site_keys.shape[1], device=self.device)
        self.nats = np.zeros(count)
        self.cache = self.decoder.empty_cache(z)
        size, opening = self.table.size[: len(model.table)], np.diff(model.table.open_start) > 0
        self.sizes, self.opening = size, opening
        self.smallest = int(size[opening].min()) if opening.any() else 1 << 30
        fields = [[[] for _ in range(count)] for _ in range(4)]  # type: list[list[list[int]]]
        self.result = Grown(fields[0], fields[1], fields[2], fields[3], np.zeros(count))

    def run(self) -> Grown:
        zero = torch.zeros(len(self.z), 1, dtype=torch.long, device=self.device) + LATENT
        self.hidden = self.decoder.step(self.decoder.first_token(self.z, self.order), zero, self.cache, 0)
        prefix = 0 if self.scaffold is None else len(self.scaffold.fragment)
        placed = 0
        while len(self.z):
            if placed < prefix:
                self._place_scaffold(placed)
            else:
                alive, choice = self._where(placed)
                if not alive.all():
                    choice = choice[alive]
                    self._retire(alive, placed)
                    if not len(self.z):
                        break
                self._what(placed, choice)
            placed += 1
        return self.result

    # -- the three choices -------------------------------------------------------------------------

    def _where(self, placed: int) -> tuple[np.ndarray, np.ndarray]:
        if placed == 0:
            return np.ones(len(self.z), bool), np.zeros(len(self.z), np.int64)
        most = int(self.candidates.max())
        full = (self.most_atoms - self.atoms < self.smallest) | (placed >= self.most_fragments)
        closed = (self.used[:, :most] >= self.free[:, :most]) | full[:, None]
        relation = np.take_along_axis(self.relation, self.owner[:, :most], 1)
        logits = self.decoder.where_logits(
            self.hidden.unsqueeze(1),
            self.z,
            self.keys[:, :most],
            self._put(relation).unsqueeze(1),
            self._put(self.used[:, :most]).unsqueeze(1),
            self._put(closed).unsqueeze(1),
        )
        choice = self._choose(logits[:, 0])
        return choice > 0, np.maximum(choice - 1, 0)

    def _what(self, placed: int, candidate: np.ndarray) -> None:
        line = np.arange(len(self.z))
        if placed:
            key = self.keys[self._put(line), self._put(candidate)]
            self.used[line, candidate] += 1
        else:
            key = self.decoder.root_key.expand(len(line), -1)
        state = self.decoder.what_state(self.hidden, key, self.z)
        common = self.decoder.common
        blocked = self.sizes > (self.most_atoms - self.atoms)[:, None]
        if placed:
            blocked = blocked | ~self.opening
        first = blocked[:, :common]
        if self.decoder.what_rare is not None:
            first = np.concatenate([first, blocked[:, common:].all(1, keepdims=True)], 1)
        fragment = self._choose(self.decoder.what_common(state).float().masked_fill(self._put(first), NEVER))
        rare = np.flatnonzero(fragment >= common)
        if len(rare) and self.decoder.what_rare is not None:
            logits = self.decoder.what_rare(state[self._put(rare)]).float()
            logits = logits.masked_fill(self._put(blocked[rare, common:]), NEVER)
            fragment[rare] = common + self._choose(logits, rare)
        entry = np.zeros_like(fragment)
        if placed:
            entry = self._entry(fragment, key)
            parent = self.owner[line, candidate] - 1
            site = self.site[line, candidate] - self.table.start[self.tree[0, line, parent]]
        else:
            parent = site = np.zeros_like(fragment)
        self._place(placed, fragment, parent, entry, site)

    def _entry(self, fragment: np.ndarray, key: Tensor) -> np.ndarray:
        first, ways = self.table.entry_start[fragment], np.diff(self.table.entry_start)[fragment]
        result = self.table.entries[first]
        rows = np.flatnonzero(ways > 1)
        if len(rows):
            slots = np.arange(int(ways[rows].max()))
            fits = slots < ways[rows][:, None]
            sites = self.table.entries[np.where(fits, first[rows][:, None] + slots, 0)]
            at = self._put(rows)
            logits = self.decoder.entry_logits(
                self.hidden[at],
                key[at],
                self.fragments[self._put(fragment[rows])],
                self.sites[self._put(sites)],
            )
            choice = self._choose(logits.masked_fill(self._put(~fits), NEVER), rows)
            result[rows] = sites[np.arange(len(rows)), choice]
        return np.asarray(result - self.table.start[fragment])

    def _choose(self, logits: Tensor, rows: np.ndarray | None = None) -> np.ndarray:
        if self.generator is None:
            choice = logits.argmax(-1)
        else:
            noise = torch.rand(logits.shape, generator=self.generator, device=logits.device).clamp_(min=1e-20)
            # a blocked logit stays blocked at any temperature: the noise is at most 46
            choice = (logits / self.temperature - noise.log_().neg_().log_()).argmax(-1)
        nats = logits.log_softmax(-1).gather(-1, choice.unsqueeze(-1)).squeeze(-1).double().cpu().numpy()
        if rows is None:
            self.nats += nats
        else:
            self.nats[rows] += nats
        return np.asarray(choice.cpu().numpy())

    # -- bookkeeping -------------------------------------------------------------------------------

    def _place_scaffold(self, placed: int) -> None:
        assert self.scaffold is not None
        s, count = self.scaffold, len(self.z)
        values = (s.fragment[placed], s.parent[placed], s.entry[placed], s.parent_site[placed])
        fragment, parent, entry, site = (np.full(count, v, np.int64) for v in values)
        before = int(self.candidates[0])
        self._place(placed, fragment, parent, entry, site)
        first = self.table.start[s.fragment[placed]]
        for c in range(before, int(self.candidates[0])):
            self.free[:, c] = s.allowed[placed].get(int(self.site[0, c] - first), 0)

    def _place(
        self, placed: int, fragment: np.ndarray, parent: np.ndarray, entry: np.ndarray, site: np.ndarray
    ) -> None:
        line, table = np.arange(len(fragment)), self.table
        for row, values in zip(self.tree, (fragment, parent, entry, site), strict=True):
            row[:, placed] = values
        self.atoms += table.size[fragment]
        entry_flat = table.start[fragment] + entry
        site_flat = table.start[self.tree[0, line, parent]] + site
        tokens = self.decoder.tokens(
            self.z,
            self.order,
            torch.tensor([placed], device=self.device),
            self.fragments[self._put(fragment)].unsqueeze(1),
            self.sites[self._put(entry_flat)].unsqueeze(1),
            self.sites[self._put(site_flat)].unsqueeze(1),
        )
        if placed:
            extend(self.distance, self.ancestor, placed, parent)
        self.relation[:, 1 : placed + 2] = relation_row(
            self.distance[:, placed, : placed + 1],
            self.ancestor[:, placed, : placed + 1],
            self.tree[1, :, : placed + 1],
            parent,
            placed,
        )
        relation = self._put(self.relation[:, : placed + 2])
        self.hidden = self.decoder.step(tokens[:, 0], relation, self.cache, placed + 1)
        counts = np.diff(table.open_start)[fragment]
        item = np.repeat(line, counts)
        inner = np.arange(len(item)) - np.repeat(np.cumsum(counts) - counts, counts)
        flat = table.open_sites[table.open_start[fragment[item]] + inner]
        column = self.candidates[item] + inner
        self.site[item, column], self.owner[item, column] = flat, placed + 1
        self.used[item, column] = 0
        self.free[item, column] = table.free[flat] - ((flat == entry_flat[item]) & (placed > 0))
        owner_keys = self.decoder.owner_key(self.hidden)
        at = self._put(item)
        self.keys[at, self._put(column)] = owner_keys[at] + self.site_keys[self._put(flat)]
        self.candidates += counts

    def _retire(self, alive: np.ndarray, placed: int) -> None:
        """Hand over the molecules that are done, and go on without them."""
        names = (self.result.fragment, self.result.parent, self.result.entry, self.result.parent_site)
        for k in np.flatnonzero(~alive):
            for row, found in zip(self.tree, names, strict=True):
                found[self.origin[k]] = row[k, :placed].tolist()
        self.result.log_likelihood[self.origin[~alive]] = self.nats[~alive]
        rows = self._put(np.flatnonzero(alive))
        self.z, self.order, self.hidden = self.z[rows], self.order[rows], self.hidden[rows]
        self.keys = self.keys[rows]
        self.cache.select(rows, placed + 1)
        for name in (
            "origin", "atoms", "distance", "ancestor", "site", "owner", "free", "used", "candidates", "relation",
            "nats",
        ):  # fmt: skip
            setattr(self, name, getattr(self, name)[alive])
        self.tree = self.tree[:, alive]

    def _put(self, array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)
