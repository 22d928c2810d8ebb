"""The generator: noise and a size to logits of atoms, parents and bonds; and how a graph is chosen from these."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from molgen.models.graph_gan.graphs import Batch, pairs

_NEVER = -1e9


@dataclass(frozen=True)
class Logits:
    """What the generator says of ``B`` molecules, all at once. Parents are pairs (i, j) with j < i."""

    atoms: Tensor  # [B, M, T]
    parents: Tensor  # [B, M, M] of atom i, which atom before it holds it; _NEVER where j >= i
    bonds: Tensor  # [B, P, 4] none, single, double, triple
    sizes: Tensor  # [B]

    def take(self, times: int) -> Logits:
        """Every molecule ``times`` times in a row."""
        return Logits(
            *(x.repeat_interleave(times, 0) for x in (self.atoms, self.parents, self.bonds, self.sizes))
        )

    def rows(self, which: Tensor | slice) -> Logits:
        """Some of the molecules, by a slice or a mask."""
        return Logits(*(x[which] for x in (self.atoms, self.parents, self.bonds, self.sizes)))

    def at(self, softness: float) -> Logits:
        """Of choices at that temperature."""
        return Logits(self.atoms / softness, self.parents / softness, self.bonds / softness, self.sizes)

    def noisy(self) -> Logits:
        """With Gumbel noise: the likeliest choices of the result are a draw."""

        def gumbel(x: Tensor) -> Tensor:
            return x - torch.log(-torch.log(torch.rand_like(x).clamp_(1e-9, 1 - 1e-7)))

        return Logits(gumbel(self.atoms), gumbel(self.parents), gumbel(self.bonds), self.sizes)


@dataclass(frozen=True)
class Chosen:
    """Hard choices: types ``[B, M]``, parents ``[B, M]`` (atom 0 has none: 0), orders ``[B, P]``, sizes ``[B]``."""

    atoms: Tensor
    parents: Tensor
    bonds: Tensor
    sizes: Tensor

    def batch(self) -> Batch:
        """As the critic takes it."""
        return Batch(self.atoms, self.bonds, self.sizes, self.atoms.new_zeros(len(self.atoms), 0))


class Layout:
    """Index tensors of graphs of ``M`` atoms: where a pair stands, and which atoms and pairs a size has."""

    def __init__(self, atoms: int) -> None:
        self.atoms = atoms
        table = torch.from_numpy(pairs(atoms))
        self.i, self.j = table[:, 0], table[:, 1]

    def inside(self, sizes: Tensor) -> tuple[Tensor, Tensor]:
        """Masks of atoms ``[B, M]`` and pairs ``[B, P]``."""
        atom = torch.arange(self.atoms, device=sizes.device) < sizes[:, None]
        return atom, self.i.to(sizes.device) < sizes[:, None]

    def dense(self, pair: Tensor, fill: float = 0.0) -> Tensor:
        """``[B, P]`` to ``[B, M, M]``, lower triangle."""
        result = pair.new_full((len(pair), self.atoms, self.atoms), fill)
        result[:, self.i, self.j] = pair
        return result

    def is_parent(self, parents: Tensor) -> Tensor:
        """``[B, P]``: the pair (i, j) with j the parent of i."""
        return parents[:, self.i] == self.j.to(parents.device)

    def parents_of(self, batch: Batch) -> Tensor:
        """Of a graph in canonical order the last atom before i that it is bonded to, ``[B, M]``; 0 for the first."""
        bonded = self.dense(batch.bonds.clamp(max=1))
        place = torch.arange(1, self.atoms + 1, device=bonded.device)
        return ((bonded * place).amax(-1) - 1).clamp(min=0)


class Generator(nn.Module):
    """A residual network from noise ``[B, Z]`` and sizes ``[B]`` to :class:`Logits`."""

    def __init__(self, noise: int, width: int, blocks: int, max_atoms: int, types: int) -> None:
        super().__init__()
        self.layout = Layout(max_atoms)
        self.types, self.noise = types, noise
        self.enter = nn.Linear(noise + max_atoms, width)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))
            for _ in range(blocks)
        )
        count = len(self.layout.i)
        self.split = [max_atoms * types, count, 4 * count]
        self.leave = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, sum(self.split)))

    def forward(self, z: Tensor, sizes: Tensor) -> Logits:
        """Logits of every choice."""
        layout = self.layout
        size = functional.one_hot(sizes - 1, layout.atoms).to(z.dtype)
        h = self.enter(torch.cat([z, size], -1))
        for block in self.blocks:
            h = h + block(h)
        atoms, parents, bonds = self.leave(h).float().split(self.split, -1)
        return Logits(
            atoms.unflatten(-1, (layout.atoms, self.types)),
            layout.dense(parents, _NEVER),
            bonds.unflatten(-1, (-1, 4)),
            sizes,
        )

    def choose(self, logits: Logits) -> Chosen:
        """The likeliest of each choice; nothing is repaired. Beyond the size: type 0, no bonds."""
        atom, pair = self.layout.inside(logits.sizes)
        parents = logits.parents.argmax(-1)
        tree = self.layout.is_parent(parents)
        bonds = torch.where(tree, 1 + logits.bonds[..., 1:].argmax(-1), logits.bonds.argmax(-1))
        return Chosen(logits.atoms.argmax(-1) * atom, parents * atom, bonds * pair, logits.sizes)

    def log_probability(self, logits: Logits, chosen: Chosen) -> Tensor:
        """Nats of the choices ``[B]``, each drawn by itself."""
        layout = self.layout
        atom, pair = layout.inside(chosen.sizes)
        atoms = pick(logits.atoms, chosen.atoms) * atom
        parents = pick(logits.parents[:, 1:], chosen.parents[:, 1:]) * atom[:, 1:]
        tree = layout.is_parent(chosen.parents)
        bonds = logits.bonds.clone()
        bonds[..., 0] = bonds[..., 0].masked_fill(tree, _NEVER)
        return atoms.sum(-1) + parents.sum(-1) + (pick(bonds, chosen.bonds) * pair).sum(-1)

    def straight_through(self, logits: Logits, softness: float) -> tuple[Tensor, Tensor]:
        """One-hot atoms ``[B, M, T]`` and bonds ``[B, P, 3]`` of the choices, with the gradient of soft ones."""
        layout = self.layout
        atom, pair = layout.inside(logits.sizes)
        atoms = _straight(logits.atoms, softness) * atom[..., None]
        tree = _straight(logits.parents, softness)[:, layout.i, layout.j][..., None]
        held, free = _straight(logits.bonds[..., 1:], softness), _straight(logits.bonds, softness)[..., 1:]
        return atoms, (tree * held + (1 - tree) * free) * pair[..., None]


def pick(logits: Tensor, index: Tensor) -> Tensor:
    """Log-softmax at ``index``."""
    return logits.log_softmax(-1).gather(-1, index[..., None]).squeeze(-1)


def _straight(logits: Tensor, softness: float) -> Tensor:
    soft = (logits / softness).softmax(-1)
    hard = functional.one_hot(logits.argmax(-1), logits.shape[-1]).to(soft.dtype)
    return hard + soft - soft.detach()
