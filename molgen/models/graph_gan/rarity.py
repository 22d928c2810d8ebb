"""How often a graph was drawn before, whatever the order of its atoms: what the bonus for rare graphs follows."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from molgen.models.graph_gan.generator import Layout
from molgen.models.graph_gan.graphs import Batch

_PRIME = 2_147_483_647


def fingerprint(batch: Batch, layout: Layout, rounds: int = 4) -> Tensor:
    """An integer of each graph ``[B]``, int64, that no numbering of its atoms changes (Weisfeiler and Leman)."""
    inside, _ = layout.inside(batch.sizes)
    lower = layout.dense(batch.bonds)
    order = lower + lower.transpose(1, 2)
    code = _mix(batch.atoms + 1) * inside
    for step in range(rounds):
        met = _mix(code[:, None, :] * 8 + order + 1000 * step) * (order > 0)
        code = _mix(code * 31 + met.sum(-1)) * inside
    return _mix(code.sum(-1) * 31 + batch.sizes)


def _mix(x: Tensor) -> Tensor:
    x = (x % _PRIME) * 48_271 % _PRIME
    x = (x ^ (x >> 13)) * 69_621 % _PRIME
    return x ^ (x >> 11)


class Visits(nn.Module):
    """How often each graph was drawn, in a table of ``2 ** bits`` counts that fade."""

    counts: Tensor

    def __init__(self, bits: int = 16, keep: float = 0.999) -> None:
        super().__init__()
        self.keep = keep
        self.register_buffer("counts", torch.zeros(2**bits))

    def bonus(self, found: Tensor) -> Tensor:
        """1 / sqrt(1 + visits) of fingerprints ``[B]``."""
        return (1 + self.counts[found % len(self.counts)]).rsqrt()

    def add(self, found: Tensor) -> None:
        """Count them; older ones weigh less with each call."""
        self.counts *= self.keep
        self.counts.index_add_(0, found % len(self.counts), torch.ones(len(found), device=self.counts.device))
