"""The SMILES language model as a generator: building, likelihood, sampling and training steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from molgen.core.schema import UnlikelihoodConfig
from molgen.data.vocabulary import Vocabulary
from molgen.models.autoregressive import RecurrentParams
from molgen.models.autoregressive.network import RecurrentNetwork, token_log_likelihood
from molgen.models.autoregressive.sampler import sample_sequences
from molgen.models.autoregressive.sequences import Batch, SequenceSet, pad_lists
from molgen.models.autoregressive.unlikelihood import penalty
from molgen.models.protocol import Samples


class SmilesLanguageModel(nn.Module):
    """A recurrent network over the tokens of a vocabulary (Segler et al., ACS Cent. Sci. 2018).

    ``sample`` draws raw strings, ``log_likelihood`` scores them; both speak of whole strings in nats.
    """

    family = "autoregressive"

    def __init__(self, params: RecurrentParams, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.params = params
        self.vocabulary = vocabulary
        self.network = RecurrentNetwork(
            len(vocabulary),
            cell=params.cell,
            hidden=params.hidden,
            layers=params.layers,
            embedding=params.embedding,
            dropout=params.dropout,
        )
        self.unlikelihood: UnlikelihoodConfig | None = None  # of a training; no part of the stored model

    @classmethod
    def build(cls, params: RecurrentParams, smiles: Sequence[str], *, seed: int = 0) -> SmilesLanguageModel:
        """An untrained model with a vocabulary learned from ``smiles``; the weights follow from ``seed``."""
        vocabulary = Vocabulary.learn(smiles, params.pieces, seed=seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(params, vocabulary)

    @classmethod
    def from_assets(cls, params: RecurrentParams, assets: Mapping[str, Any]) -> SmilesLanguageModel:
        """A model of the stored architecture, before its weights are loaded."""
        return cls(params, Vocabulary.from_json(assets["vocabulary"]))

    def assets(self) -> dict[str, Any]:
        """What is stored beside weights and architecture, as JSON-able files by name."""
        return {"vocabulary": self.vocabulary.to_json()}

    @property
    def sampling_defaults(self) -> dict[str, float]:
        """What people sample it with unless they say otherwise; ``sample`` itself draws from the whole distribution."""
        return {"temperature": self.params.temperature, "min_p": self.params.min_p}

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.network.output.weight.device

    # -- sampling and likelihood ------------------------------------------------------------------

    def sample(
        self,
        n: int,
        *,
        seed: int,
        temperature: float = 1.0,
        batch_size: int = 512,
        min_p: float = 0.0,
        precision: str = "auto",
    ) -> Samples:
        """Draw ``n`` raw strings; same seed, batch size and machine, same strings.

        A token less probable than ``min_p`` times the most probable one is not drawn; 0 draws from the whole
        distribution, which is what an optimizer that learns from likelihoods wants.
        ``log_likelihood`` is that of the raw string at temperature 1. ``info["sequences"]`` holds the token ids,
        ``info["truncated"]`` how many strings reached ``max_tokens`` and were cut. With ``precision="auto"`` the
        steps run in bf16 where the device computes it in hardware, which makes the likelihoods good to about 1 %.
        """
        if n < 0 or temperature <= 0:
            raise ValueError(f"n must be >= 0 and temperature > 0, got n={n}, temperature={temperature}")
        if not 0 <= min_p < 1:
            raise ValueError(f"min_p must be at least 0 and below 1, got {min_p}")
        drawn = sample_sequences(
            self.network,
            n,
            seed=seed,
            temperature=temperature,
            min_p=min_p,
            batch_size=batch_size,
            max_tokens=self.params.max_tokens,
            precision=precision,
        )
        smiles = [self.vocabulary.decode(ids) for ids in drawn.sequences]
        likelihood = self._exact_for_odd_splits(smiles, drawn.sequences, drawn.log_likelihood)
        return Samples(smiles, likelihood, {"sequences": drawn.sequences, "truncated": drawn.truncated})

    def _exact_for_odd_splits(self, smiles: list[str], sequences: list[list[int]], drawn: Tensor) -> Tensor:
        # A string can be drawn by another split than the one that encode() gives it; its likelihood is that of
        # the encode() split, so that sample() and log_likelihood() agree about the string.
        ids, index, _ = self.vocabulary.encode_all(smiles)
        odd = [(i, row) for row, i in zip(ids, index, strict=True) if row != sequences[i]]
        if odd:
            rows = torch.tensor([i for i, _ in odd])
            with torch.no_grad():
                drawn[rows] = self.sequence_log_likelihood([row for _, row in odd]).cpu()
        return drawn

    def log_likelihood(self, smiles: Sequence[str], batch_size: int = 512) -> Tensor:
        """Natural-log likelihood of each string, float32 ``[n]``, differentiable; NaN for strings with unknown tokens.

        Batches are padded, padding counts nothing; a value changes by less than 1e-3 nats with what else is in
        the batch (float32 rounding).
        """
        ids, index, _ = self.vocabulary.encode_all(smiles)
        result = torch.full((len(smiles),), float("nan"), device=self.device)
        if not ids:
            return result
        order = sorted(range(len(ids)), key=lambda k: len(ids[k]))
        parts = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
        values = torch.cat([self.sequence_log_likelihood([ids[k] for k in part]) for part in parts])
        where = torch.tensor([index[k] for part in parts for k in part], device=self.device)
        return result.index_put((where,), values)

    def sequence_log_likelihood(self, sequences: Sequence[Sequence[int]]) -> Tensor:
        """Likelihood of token sequences (end token excluded), nats ``[n]``, in one batch, differentiable."""
        batch = pad_lists(sequences).to(self.device)
        return token_log_likelihood(self.network(batch.inputs), batch.targets)

    # -- training ---------------------------------------------------------------------------------

    def training_set(self, smiles: Sequence[str], *, randomize: bool = False) -> SequenceSet:
        """The molecules as token arrays."""
        return SequenceSet(smiles, self.vocabulary, max_tokens=self.params.max_tokens, randomize=randomize)

    def optimizers(self, learning_rate: float, weight_decay: float) -> dict[str, torch.optim.Optimizer]:
        """One AdamW for everything."""
        return {
            "model": torch.optim.AdamW(
                self.parameters(), lr=learning_rate, betas=(0.9, 0.98), weight_decay=weight_decay, fused=True
            )
        }

    def training_step(self, batch: Batch) -> Iterator[tuple[str, Tensor, dict[str, float]]]:
        """Mean negative log-likelihood per molecule, in nats; while training also the penalty of ``unlikelihood``."""
        loss = -token_log_likelihood(self.network(batch.inputs), batch.targets).mean()
        metrics = {"nats_per_molecule": float(loss.detach())}
        if self.training and self.unlikelihood is not None:
            unwanted, seen = penalty(
                self.network, self.vocabulary, self.unlikelihood, max_tokens=self.params.max_tokens
            )
            loss = loss if unwanted is None else loss + unwanted
            metrics |= seen
        yield "model", loss, metrics
