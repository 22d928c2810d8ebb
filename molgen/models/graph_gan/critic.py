"""The critic: a relational graph isomorphism network over dense graphs, blind to the order of the atoms."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from molgen.models.graph_gan.generator import Layout

with warnings.catch_warnings():  # torch_geometric compiles with torch.jit on import
    warnings.simplefilter("ignore", DeprecationWarning)
    from torch_geometric.nn.dense import DenseGINConv

_WALKS = (3, 4, 5, 6)  # lengths of closed walks: message passing alone cannot see rings


class Layer(nn.Module):
    """One round of messages, with a weight for each bond order and one for the atom itself."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.relations = nn.ModuleList(
            DenseGINConv(nn.Linear(width, width, bias=False), eps=-1.0) for _ in range(3)
        )  # eps -1: the atom itself stays out of them
        self.own = nn.Linear(width, width)
        self.last = nn.Linear(width, width)

    def forward(self, h: Tensor, adjacency: Sequence[Tensor]) -> Tensor:
        """Change of the atoms' vectors ``[B, M, width]``."""
        around = self.own(h)
        for relation, bonded in zip(self.relations, adjacency, strict=True):
            around = around + relation(h, bonded)
        change: Tensor = self.last(nn.functional.silu(around))
        return change


class Trunk(nn.Module):
    """A vector of a graph, the same in every order of its atoms: dense GIN layers, one weight per bond order."""

    def __init__(self, max_atoms: int, types: int, width: int, layers: int) -> None:
        super().__init__()
        self.layout = Layout(max_atoms)
        self.enter = nn.Linear(types + 4 + len(_WALKS), width)
        self.layers = nn.ModuleList(Layer(width) for _ in range(layers))
        self.out = 2 * width
        self.gate = nn.Linear(width, 2 * width)
        self.value = nn.Linear(width, 2 * width)

    def forward(self, atoms: Tensor, bonds: Tensor) -> Tensor:
        """``atoms`` ``[B, M, T]`` and ``bonds`` ``[B, P, 3]``, zero where there is none, to ``[B, out]``."""
        layout = self.layout
        n, m = len(atoms), layout.atoms
        lower = bonds.new_zeros(n, m, m, 3)
        lower[:, layout.i, layout.j] = bonds
        adjacency = (lower + lower.transpose(1, 2)).unbind(-1)
        degrees = torch.stack([a.sum(-1) for a in adjacency], -1)
        order = degrees[..., :1] + 2 * degrees[..., 1:2] + 3 * degrees[..., 2:]
        h = self.enter(
            torch.cat([atoms, degrees, order / 2, _closed_walks(torch.stack(adjacency).sum(0))], -1)
        )
        inside = atoms.sum(-1, keepdim=True)
        for layer in self.layers:
            h = h + layer(h, adjacency)
        return (torch.sigmoid(self.gate(h)) * self.value(h) * inside).sum(1) / 3


def _closed_walks(bonded: Tensor) -> Tensor:
    """Of each atom how many walks of 3 to 6 bonds lead back to it, without those that any tree has more of."""
    found, power = [], bonded @ bonded
    for length in _WALKS:
        power = power @ bonded
        found.append(power.diagonal(dim1=1, dim2=2) / 3.0 ** (length - 2))
    return torch.stack(found, -1)


class Critic(nn.Module):
    """Logits for *real* of ``pac`` molecules at a time."""

    def __init__(self, max_atoms: int, types: int, width: int, layers: int, pac: int) -> None:
        super().__init__()
        self.pac = pac
        self.trunk = Trunk(max_atoms, types, width, layers)
        self.head = nn.Sequential(
            nn.Linear(pac * self.trunk.out, 2 * width), nn.SiLU(), nn.Linear(2 * width, 1)
        )

    def forward(self, atoms: Tensor, bonds: Tensor) -> Tensor:
        """``[B / pac]``, of neighbors together; ``B`` is a multiple of ``pac``."""
        return self.judge(self.trunk(atoms, bonds))

    def judge(self, vectors: Tensor) -> Tensor:
        """The same from the trunk's vectors ``[B, out]``."""
        found: Tensor = self.head(vectors.reshape(len(vectors) // self.pac, -1)).squeeze(-1)
        return found
