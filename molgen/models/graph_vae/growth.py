"""Growing molecules fragment by fragment from latent vectors: masks, budgets, scaffolds; no RDKit."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from molgen.models.graph_vae.decoder import NEVER
from molgen.models.graph_vae.embedding import all_vectors
from molgen.models.graph_vae.grown import Grown, Scaffold
from molgen.models.graph_vae.order import LATENT, extend, relation_row


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
        return Growth(model, z.float(), generator, temperature, scaffold).run()


class Growth:
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
        self.fragments, self.sites = all_vectors(model, self.table)
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
        """Grow until the last molecule has stopped."""
        self.begin()
        placed = 0
        while len(self.z):
            if not self.place_scaffold(placed):
                alive, candidate = self._where(placed)
                if not alive.all():
                    candidate = candidate[alive]
                    self._retire(alive, placed)
                    if not len(self.z):
                        break
                self._what(placed, candidate)
            placed += 1
        return self.result

    def begin(self) -> None:
        """Read the latent vectors: token 0."""
        zero = torch.zeros(len(self.z), 1, dtype=torch.long, device=self.device) + LATENT
        self.hidden = self.decoder.step(self.decoder.first_token(self.z, self.order), zero, self.cache, 0)

    # -- the three choices -------------------------------------------------------------------------

    def where_logits(self, placed: int) -> Tensor:
        """STOP and each open site ``[R, 1 + C]``; a budget that is used up leaves STOP only."""
        most = int(self.candidates.max())
        full = (self.most_atoms - self.atoms < self.smallest) | (placed >= self.most_fragments)
        closed = (self.used[:, :most] >= self.free[:, :most]) | full[:, None]
        relation = np.take_along_axis(self.relation, self.owner[:, :most], 1)
        logits: Tensor = self.decoder.where_logits(
            self.hidden.unsqueeze(1),
            self.z,
            self.keys[:, :most],
            self.put(relation).unsqueeze(1),
            self.put(self.used[:, :most]).unsqueeze(1),
            self.put(closed).unsqueeze(1),
        )
        return logits[:, 0]

    def site_key(self, placed: int, rows: np.ndarray, candidate: np.ndarray) -> Tensor:
        """What the next choices know of the chosen site, ``[K, KEY]``."""
        if placed:
            return self.keys[self.put(rows), self.put(candidate)]
        return self.decoder.root_key.expand(len(rows), -1)  # type: ignore[no-any-return]

    def fragment_logits(
        self, placed: int, rows: np.ndarray, key: Tensor
    ) -> tuple[Tensor, Tensor, np.ndarray]:
        """First level ``[K, common + 1]``, state for the second, and what is blocked there ``[K, rare]``."""
        at = self.put(rows)
        state = self.decoder.what_state(self.hidden[at], key, self.z[at])
        common = self.decoder.common
        blocked = self.sizes > (self.most_atoms - self.atoms[rows])[:, None]
        if placed:
            blocked = blocked | ~self.opening
        first = blocked[:, :common]
        if self.decoder.what_rare is not None:
            first = np.concatenate([first, blocked[:, common:].all(1, keepdims=True)], 1)
        logits = self.decoder.what_common(state).float().masked_fill(self.put(first), NEVER)
        return logits, state, blocked[:, common:]

    def rare_logits(self, state: Tensor, blocked: np.ndarray) -> Tensor:
        """Second level ``[K, rare]``."""
        logits: Tensor = self.decoder.what_rare(state).float()
        return logits.masked_fill(self.put(blocked), NEVER)

    def entry_logits(self, rows: np.ndarray, fragment: np.ndarray, key: Tensor) -> tuple[Tensor, np.ndarray]:
        """Ways to enter each fragment ``[K, M]`` and the flat numbers of their sites; blocked beyond what it has."""
        first, ways = self.table.entry_start[fragment], np.diff(self.table.entry_start)[fragment]
        slots = np.arange(max(1, int(ways.max(initial=1))))
        fits = slots < ways[:, None]
        sites = self.table.entries[np.where(fits, first[:, None] + slots, first[:, None])]
        logits: Tensor = self.decoder.entry_logits(
            self.hidden[self.put(rows)],
            key,
            self.fragments[self.put(fragment)],
            self.sites[self.put(sites)],
        )
        return logits.masked_fill(self.put(~fits), NEVER), sites

    def _where(self, placed: int) -> tuple[np.ndarray, np.ndarray]:
        if placed == 0:
            return np.ones(len(self.z), bool), np.zeros(len(self.z), np.int64)
        choice = self._choose(self.where_logits(placed))
        return choice > 0, np.maximum(choice - 1, 0)

    def _what(self, placed: int, candidate: np.ndarray) -> None:
        line = np.arange(len(self.z))
        key = self.site_key(placed, line, candidate)
        logits, state, blocked = self.fragment_logits(placed, line, key)
        fragment = self._choose(logits)
        rare = np.flatnonzero(fragment >= self.decoder.common)
        if len(rare):
            chosen = self._choose(self.rare_logits(state[self.put(rare)], blocked[rare]), rare)
            fragment[rare] = self.decoder.common + chosen
        flat = self.table.start[fragment]
        if placed:
            flat = self.table.entries[self.table.entry_start[fragment]]
            several = np.flatnonzero(np.diff(self.table.entry_start)[fragment] > 1)
            if len(several):
                logits, sites = self.entry_logits(several, fragment[several], key[self.put(several)])
                flat[several] = sites[np.arange(len(several)), self._choose(logits, several)]
        self.attach(placed, candidate, fragment, flat - self.table.start[fragment])

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

    def place_scaffold(self, placed: int) -> bool:
        """Place the next fragment of the scaffold; False where none is left."""
        if self.scaffold is None or placed >= len(self.scaffold.fragment):
            return False
        s, count = self.scaffold, len(self.z)
        values = (s.fragment[placed], s.parent[placed], s.entry[placed], s.parent_site[placed])
        fragment, parent, entry, site = (np.full(count, v, np.int64) for v in values)
        before = int(self.candidates[0])
        self._place(placed, fragment, parent, entry, site)
        first = self.table.start[s.fragment[placed]]
        for c in range(before, int(self.candidates[0])):
            self.free[:, c] = s.allowed[placed].get(int(self.site[0, c] - first), 0)
        return True

    def attach(self, placed: int, candidate: np.ndarray, fragment: np.ndarray, entry: np.ndarray) -> None:
        """Bind ``fragment`` by its atom ``entry`` to each row's site ``candidate``; the first one to nothing."""
        parent = site = np.zeros_like(fragment)
        if placed:
            line = np.arange(len(fragment))
            self.used[line, candidate] += 1
            parent = self.owner[line, candidate] - 1
            site = self.site[line, candidate] - self.table.start[self.tree[0, line, parent]]
        self._place(placed, fragment, parent, entry, site)

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
            self.fragments[self.put(fragment)].unsqueeze(1),
            self.sites[self.put(entry_flat)].unsqueeze(1),
            self.sites[self.put(site_flat)].unsqueeze(1),
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
        relation = self.put(self.relation[:, : placed + 2])
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
        at = self.put(item)
        self.keys[at, self.put(column)] = owner_keys[at] + self.site_keys[self.put(flat)]
        self.candidates += counts

    def _retire(self, alive: np.ndarray, placed: int) -> None:
        """Hand over the molecules that are done, and go on without them."""
        names = (self.result.fragment, self.result.parent, self.result.entry, self.result.parent_site)
        for k in np.flatnonzero(~alive):
            for row, found in zip(self.tree, names, strict=True):
                found[self.origin[k]] = row[k, :placed].tolist()
        self.result.log_likelihood[self.origin[~alive]] = self.nats[~alive]
        self.take(np.flatnonzero(alive), placed)

    def take(self, rows: np.ndarray, placed: int) -> None:
        """Go on with these rows, which may repeat."""
        at = self.put(rows)
        self.z, self.order, self.hidden, self.keys = (
            x[at] for x in (self.z, self.order, self.hidden, self.keys)
        )
        self.cache.select(at, placed + 1)
        for name in (
            "origin", "atoms", "distance", "ancestor", "site", "owner", "free", "used", "candidates", "relation",
            "nats",
        ):  # fmt: skip
            setattr(self, name, getattr(self, name)[rows])
        self.tree = self.tree[:, rows]

    def put(self, array: np.ndarray) -> Tensor:
        """An array where the weights are."""
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)
