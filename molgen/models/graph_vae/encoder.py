"""From the graph of a molecule's fragments to the mean and variance of its latent vector."""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

from molgen.models.graph_vae.forest import Batch

with warnings.catch_warnings():  # its import compiles with torch.jit.script, which torch 2.13 deprecates
    warnings.simplefilter("ignore", DeprecationWarning)
    from torch_geometric.nn import GINEConv
    from torch_geometric.utils import softmax

_POSITIONS = 32


class Encoder(nn.Module):
    """GINE layers (Hu et al., ICLR 2020) over the fragments, edges carrying the two sites that are bonded.

    Fragments and the sites of every bond define the molecule exactly, so nothing is lost by leaving out the atoms, and
    there are 9 nodes instead of 25. Nodes also carry their place in the canonical order, in which the decoder will
    have to write them; the readout attends with several heads and adds up.
    """

    def __init__(self, width: int, site_width: int, layers: int, latent: int, heads: int = 12) -> None:
        super().__init__()
        self.position = nn.Embedding(_POSITIONS, width)
        self.start = nn.Linear(width, width)
        self.edge = nn.Linear(2 * site_width, 2 * width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(layers))
        self.layers = nn.ModuleList(
            GINEConv(nn.Sequential(nn.Linear(width, 2 * width), nn.SiLU(), nn.Linear(2 * width, width)))
            for _ in range(layers)
        )
        self.out_norm = nn.LayerNorm(width)
        self.heads = heads
        self.scores = nn.Linear(width, heads)
        self.values = nn.Linear(width, heads * 32)
        self.sums = nn.Linear(width, width)
        self.readout = nn.Sequential(
            nn.Linear(heads * 32 + width, 2 * width), nn.SiLU(), nn.Linear(2 * width, 2 * latent)
        )

    def forward(self, batch: Batch, fragments: Tensor, sites: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance ``[B, latent]``, from the vectors of the batch's fragments and sites."""
        size = len(batch.n)
        x = self.start(fragments)[batch.node] + self.position(batch.node_position.clamp(max=_POSITIONS - 1))
        up, down = self.edge(sites[batch.edge_sites].transpose(0, 1).flatten(1)).chunk(2, dim=1)
        edges = torch.cat([batch.edge, batch.edge.flip(0)], dim=1)
        attributes = torch.cat([up, down])
        for norm, layer in zip(self.norms, self.layers, strict=True):
            x = x + layer(norm(x), edges, attributes)
        x = self.out_norm(x)
        weight = softmax(self.scores(x).float(), batch.node_owner, num_nodes=size)
        value = self.values(x).unflatten(1, (self.heads, 32)) * weight.unsqueeze(2)
        pooled = torch.cat([value.flatten(1), self.sums(x) / 4], dim=1)
        zero = torch.zeros(size, pooled.shape[1], dtype=pooled.dtype, device=pooled.device)
        mean, log_variance = self.readout(zero.index_add(0, batch.node_owner, pooled)).float().chunk(2, dim=1)
        return mean, (log_variance - 3).clamp(
            -9, 4
        )  # starts sharp: the decoder is to listen from the first step
