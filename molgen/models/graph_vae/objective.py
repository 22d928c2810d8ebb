"""What training minimizes: nats of writing the molecule given its latent vector, and what the latent vector costs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from molgen.models.graph_vae.decoder import Decoder
from molgen.models.graph_vae.forest import Batch


@dataclass(frozen=True)
class Nats:
    """Log-likelihood of each choice summed per molecule, float32 ``[B]``."""

    where: Tensor
    what: Tensor
    entry: Tensor

    @property
    def total(self) -> Tensor:
        """Of the molecule's whole sequence of choices."""
        return self.where + self.what + self.entry


def log_likelihood(
    decoder: Decoder, batch: Batch, z: Tensor, fragments: Tensor, sites: Tensor, blocked: Tensor
) -> Nats:
    """Nats of all choices of all molecules in one pass.

    ``fragments`` and ``sites`` are vectors of the batch's distinct fragments and sites; ``blocked`` ``[2, common + 1]``
    marks what cannot be the first fragment (row 0) or a later one (row 1).
    """
    size, width = batch.fragment.shape
    tokens = decoder.tokens(
        z,
        batch.order,
        torch.arange(width, device=z.device),
        fragments[batch.fragment],
        sites[batch.entry],
        sites[batch.parent_site],
    )
    hidden = decoder(torch.cat([decoder.first_token(z, batch.order).unsqueeze(1), tokens], 1), batch.relation)
    many = batch.candidate.shape[1]
    # where
    owner_keys = decoder.owner_key(hidden).gather(1, _wide(batch.candidate_owner, hidden, decoder))
    keys = owner_keys + decoder.site_key(sites)[batch.candidate]
    target = batch.where.clamp(min=0)
    taken = functional.one_hot(target, many + 1)[:, :, 1:]
    used = taken.cumsum(1) - taken
    steps = torch.arange(width + 1, device=z.device)
    owner = batch.candidate_owner.unsqueeze(1)
    closed = (owner > steps.view(1, -1, 1)) | (used >= batch.candidate_free.unsqueeze(1))
    relation = batch.relation.gather(2, owner.expand(size, width + 1, many))
    logits = decoder.where_logits(hidden, z, keys, relation, used, closed)
    chosen = logits.log_softmax(-1).gather(2, target.unsqueeze(2)).squeeze(2)
    where = (chosen * (batch.where >= 0)).sum(1)
    # what: a step is made after every token but the last of a molecule
    row, token = (steps[:width] < batch.n.unsqueeze(1)).nonzero(as_tuple=True)
    key = keys[row, (target[row, token] - 1).clamp(min=0)]
    key = torch.where((token == 0).unsqueeze(1), decoder.root_key.to(key.dtype), key)
    before = hidden[row, token]
    state = decoder.what_state(before, key, z[row])
    found = decoder.what_log_probability(state, batch.type[row, token], blocked[(token > 0).long()])
    what = torch.zeros(size, device=z.device).index_add(0, row, found)
    # entry
    entry = torch.zeros(size, device=z.device)
    if len(batch.entry_row):
        b, t = batch.entry_row // (width + 1), batch.entry_row % (width + 1)
        logits = decoder.entry_logits(
            hidden[b, t],
            keys[b, target[b, t] - 1],
            fragments[batch.fragment[b, t]],
            sites[batch.entry_choice.clamp(min=0)],
        )
        logits = logits.masked_fill(batch.entry_choice < 0, float("-inf")).log_softmax(-1)
        entry = entry.index_add(0, b, logits.gather(1, batch.entry_target.unsqueeze(1)).squeeze(1))
    return Nats(where, what, entry)


def _wide(index: Tensor, hidden: Tensor, decoder: Decoder) -> Tensor:
    return index.unsqueeze(2).expand(-1, -1, decoder.owner_key.out_features)


def divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Kullback-Leibler divergence from N(0, 1) per latent number, nats ``[B, latent]``."""
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance)


def objective(
    nats: Nats, mean: Tensor, log_variance: Tensor, weight: float, free_bits: float
) -> tuple[Tensor, dict[str, float]]:
    """Mean over molecules of nats + ``weight`` times divergence, and what to report.

    A latent number whose divergence is below ``free_bits`` (nats, mean of the batch) gains nothing by giving up more
    (Kingma et al., NeurIPS 2016).
    """
    kl = divergence(mean, log_variance).mean(0)
    error = -nats.total.mean()
    metrics = {
        "reconstruction_nats": float(error.detach()),
        "where_nats": -float(nats.where.detach().mean()),
        "what_nats": -float(nats.what.detach().mean()),
        "entry_nats": -float(nats.entry.detach().mean()),
        "kl_nats": float(kl.detach().sum()),
    }
    return error + weight * kl.clamp(min=free_bits).sum(), metrics
