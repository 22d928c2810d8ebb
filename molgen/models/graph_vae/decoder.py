"""The decoder: a causal transformer over the fragments placed so far, and its three choices per step."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from molgen.models.graph_vae.order import RELATIONS
from molgen.models.graph_vae.table import FragmentTable

#: Added to a logit that must not be chosen; finite, so that a row of them is no NaN.
NEVER = -1e9
POSITIONS, KEY = 40, 64
MOST_USES = 4


class Block(nn.Module):
    """Pre-norm attention and MLP."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.mlp_norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)

    def forward(
        self, x: Tensor, bias: Tensor, past: tuple[Tensor, Tensor] | None = None, at: int = 0
    ) -> Tensor:
        """``x`` ``[B, Q, width]``, ``bias`` ``[B, H, Q, K]``; keys and values are stored in ``past`` from ``at``."""
        size, length, width = x.shape
        q, k, v = self.qkv(self.norm(x)).view(size, length, 3, self.heads, width // self.heads).unbind(2)
        q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
        if past is not None:
            past[0][:, :, at : at + length] = k
            past[1][:, :, at : at + length] = v
            k, v = past[0][:, :, : at + length], past[1][:, :, : at + length]
        scores = (q @ k.transpose(2, 3)) * (width // self.heads) ** -0.5 + bias
        mixed = scores.softmax(-1).to(v.dtype) @ v
        x = x + self.out(mixed.transpose(1, 2).reshape(size, length, width))
        # squared ReLU (So et al. 2021): as good as GELU, and several times cheaper on a CPU
        result: Tensor = x + self.down(self.up(self.mlp_norm(x)).relu().square())
        return result


@dataclass
class Cache:
    """Keys and values of the placed tokens, per layer ``[B, H, room, width / H]``."""

    layers: list[tuple[Tensor, Tensor]]

    def select(self, rows: Tensor, used: int) -> None:
        """Keep these rows and the first ``used`` tokens only."""
        self.layers = [(k[rows, :, :used], v[rows, :, :used]) for k, v in self.layers]

    def reserve(self, tokens: int) -> None:
        """Make room for ``tokens`` tokens and a few more."""
        missing = tokens - self.layers[0][0].shape[2]
        if missing > 0:
            more = (0, 0, 0, missing + 6)
            self.layers = [(functional.pad(k, more), functional.pad(v, more)) for k, v in self.layers]


class Decoder(nn.Module):
    """Tokens in, hidden states out; the heads say *where*, *what* and *by which entry*.

    The latent vector is token 0, is added to every token, and enters every head: a decoder this strong would otherwise
    learn to do without it.
    """

    def __init__(
        self, latent: int, width: int, layers: int, heads: int, site_width: int, common: int, fragments: int
    ) -> None:
        super().__init__()
        self.heads, self.common = heads, min(common, fragments)
        self.latent = nn.Linear(latent, 2 * width)
        self.order = nn.Embedding(2, width)
        self.position = nn.Embedding(POSITIONS, width)
        self.fragment = nn.Linear(width, width)
        self.entry = nn.Linear(site_width, width)
        self.parent_site = nn.Linear(site_width, width)
        self.relation = nn.Embedding(RELATIONS, layers * heads)
        nn.init.normal_(self.relation.weight, std=0.1)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        # where
        self.query = nn.Linear(width, KEY)
        self.query_latent = nn.Linear(latent, KEY, bias=False)
        self.owner_key = nn.Linear(width, KEY)
        self.site_key = nn.Linear(site_width, KEY)
        self.where_relation = nn.Embedding(RELATIONS, 1)
        self.uses = nn.Embedding(MOST_USES, 1)
        nn.init.zeros_(self.where_relation.weight)
        nn.init.zeros_(self.uses.weight)
        self.stop = nn.Linear(width, 1)
        self.root_key = nn.Parameter(torch.zeros(KEY))
        # what: the common fragments and "a rare one", then the rare ones through a bottleneck
        self.what = nn.Linear(width, width)
        self.what_key = nn.Linear(KEY, width, bias=False)
        self.what_latent = nn.Linear(latent, width, bias=False)
        rare = fragments - self.common
        self.what_common = nn.Linear(width, self.common + (rare > 0))
        self.what_rare = nn.Sequential(nn.Linear(width, 64), nn.Linear(64, rare)) if rare else None
        # entry
        self.enter = nn.Linear(width, KEY)
        self.enter_key = nn.Linear(KEY, KEY, bias=False)
        self.enter_fragment = nn.Linear(width, KEY, bias=False)
        self.enter_site = nn.Linear(site_width, KEY)

    def never_attached(self, table: FragmentTable) -> Tensor:
        """bool ``[2, common + 1]``: what the first level must not choose as first fragment (row 0) or later (row 1)."""
        blocked = torch.zeros(2, self.common + (self.what_rare is not None), dtype=torch.bool)
        closed = torch.from_numpy(table.open_start[1:] == table.open_start[:-1])
        blocked[1, : self.common] = closed[: self.common]  # nothing to bind it by
        return blocked

    def first_token(self, z: Tensor, order: Tensor) -> Tensor:
        """Token 0 ``[B, width]``."""
        return self.latent(z)[:, : self.position.embedding_dim] + self.order(order)

    def tokens(
        self, z: Tensor, order: Tensor, position: Tensor, fragment: Tensor, entry: Tensor, site: Tensor
    ) -> Tensor:
        """Tokens ``[B, T, width]`` of placed fragments from the vectors of fragment, entry and parent's site."""
        width = self.position.embedding_dim
        whole = (self.latent(z)[:, width:] + self.order(order)).unsqueeze(1)
        result: Tensor = (
            self.fragment(fragment)
            + self.entry(entry)
            + self.parent_site(site)
            + self.position(position.clamp(max=POSITIONS - 1))
            + whole
        )
        return result

    def biases(self, relation: Tensor) -> list[Tensor]:
        """Attention biases per layer ``[B, H, Q, K]`` from relations ``[B, Q, K]``."""
        found = self.relation(relation).movedim(-1, 1)
        return list(found.split(self.heads, dim=1))

    def forward(self, tokens: Tensor, relation: Tensor) -> Tensor:
        """Hidden states ``[B, T+1, width]`` of all steps at once."""
        length = tokens.shape[1]
        future = torch.ones(length, length, dtype=torch.bool, device=tokens.device).triu(1)
        for block, bias in zip(self.blocks, self.biases(relation), strict=True):
            tokens = block(tokens, bias.masked_fill(future, NEVER))
        hidden: Tensor = self.norm(tokens)
        return hidden

    def step(self, token: Tensor, relation: Tensor, cache: Cache, at: int) -> Tensor:
        """Hidden state ``[B, width]`` of token number ``at``, given its relation ``[B, at + 1]`` to the placed ones."""
        cache.reserve(at + 1)
        x = token.unsqueeze(1)
        biases = self.biases(relation.unsqueeze(1))
        for block, bias, past in zip(self.blocks, biases, cache.layers, strict=True):
            x = block(x, bias, past, at)
        hidden: Tensor = self.norm(x)[:, 0]
        return hidden

    def empty_cache(self, like: Tensor) -> Cache:
        """A cache without tokens for the rows of ``like`` ``[B, .]``."""
        width = self.position.embedding_dim
        empty = like.new_zeros(len(like), self.heads, 0, width // self.heads)
        return Cache([(empty, empty) for _ in self.blocks])

    def where_logits(
        self, hidden: Tensor, z: Tensor, keys: Tensor, relation: Tensor, used: Tensor, closed: Tensor
    ) -> Tensor:
        """STOP and candidates ``[B, Q, 1 + C]``: hidden ``[B, Q, .]``, keys ``[B, C, .]``, the rest ``[B, Q, C]``."""
        query = self.query(hidden) + self.query_latent(z).unsqueeze(1)
        logits = (query @ keys.transpose(1, 2)).float() * KEY**-0.5
        logits = logits + self.where_relation(relation).squeeze(-1)
        logits = logits + self.uses(used.clamp(max=MOST_USES - 1)).squeeze(-1)
        return torch.cat([self.stop(hidden).float(), logits.masked_fill(closed, NEVER)], dim=-1)

    def what_state(self, hidden: Tensor, key: Tensor, z: Tensor) -> Tensor:
        """What the choice of a fragment looks at, ``[K, width]``, given the chosen site's key."""
        return functional.silu(self.what(hidden) + self.what_key(key) + self.what_latent(z))

    def what_log_probability(self, state: Tensor, target: Tensor, blocked: Tensor) -> Tensor:
        """``[K]``; ``blocked`` ``[K, common + 1]`` marks what cannot be chosen in the first level."""
        first = self.what_common(state).float().masked_fill(blocked, NEVER).log_softmax(-1)
        rare = target >= self.common
        result = first.gather(1, target.clamp(max=first.shape[1] - 1).unsqueeze(1)).squeeze(1)
        if self.what_rare is not None:
            rows = rare.nonzero().squeeze(1)
            second = self.what_rare(state[rows]).float().log_softmax(-1)
            chosen = second.gather(1, (target[rows] - self.common).unsqueeze(1)).squeeze(1)
            result = result.index_add(0, rows, chosen)
        return result

    def entry_logits(self, hidden: Tensor, key: Tensor, fragment: Tensor, sites: Tensor) -> Tensor:
        """``[K, M]`` for ways to enter with site vectors ``[K, M, .]``."""
        query = functional.silu(self.enter(hidden) + self.enter_key(key) + self.enter_fragment(fragment))
        return (self.enter_site(sites) @ query.unsqueeze(2)).squeeze(2).float() * KEY**-0.5
