"""Drawing token sequences fast: one recurrent step at a time, finished sequences leave the batch.

What makes it several times faster than stepping the training network: the first layer's input product is a table
look-up over the vocabulary, the remaining products run in bf16 where the chip has it, and every row that has drawn
the end token is dropped, so the batch shrinks with its longest members.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from molgen.models.autoregressive.network import RecurrentNetwork
from molgen.run.resources import bf16_supported


@dataclass
class Drawn:
    """Sequences without the end token, their log-likelihood at temperature 1 (nats, float32 ``[n]``), cut ones."""

    sequences: list[list[int]]
    log_likelihood: Tensor
    truncated: int


class Stepper:
    """A recurrent network unrolled by hand for sampling: ``step(token ids [B]) -> logits [B, V]``.

    Holds copies of the weights in the precision of the products; states and gates stay in float32.
    """

    def __init__(self, network: RecurrentNetwork, dtype: torch.dtype) -> None:
        rnn = network.rnn
        self.lstm = isinstance(rnn, torch.nn.LSTM)
        self.layers = rnn.num_layers
        self.hidden = rnn.hidden_size
        self.dtype = dtype
        self.output = (network.output.weight.detach().to(dtype), network.output.bias.detach().to(dtype))
        self.recurrent = []
        self.inputs = []
        for k in range(self.layers):
            w_hh, b_hh = getattr(rnn, f"weight_hh_l{k}"), getattr(rnn, f"bias_hh_l{k}")
            w_ih, b_ih = getattr(rnn, f"weight_ih_l{k}"), getattr(rnn, f"bias_ih_l{k}")
            self.recurrent.append((w_hh.detach().to(dtype), b_hh.detach().to(dtype)))
            self.inputs.append((w_ih.detach().to(dtype), b_ih.detach().to(dtype)))
        first = functional.linear(
            network.embedding.weight.detach(), rnn.weight_ih_l0.detach(), rnn.bias_ih_l0.detach()
        )
        self.table = first.to(dtype)  # [V, gates * H]: input product of every token
        self.states: list[Tensor] = []
        self.cells: list[Tensor] = []

    def start(self, rows: int) -> None:
        """Zero states for ``rows`` sequences."""
        device = self.table.device
        self.states = [
            torch.zeros(rows, self.hidden, dtype=self.dtype, device=device) for _ in range(self.layers)
        ]
        self.cells = [torch.zeros(rows, self.hidden, device=device) for _ in range(self.layers)]

    def keep(self, rows: Tensor) -> None:
        """Drop all sequences but ``rows``."""
        self.states = [state[rows] for state in self.states]
        self.cells = [cell[rows] for cell in self.cells] if self.lstm else self.cells

    def step(self, tokens: Tensor) -> Tensor:
        """Advance every sequence by one token; float32 logits of the next one."""
        below: Tensor | None = None
        for k in range(self.layers):
            from_input = self.table[tokens] if below is None else functional.linear(below, *self.inputs[k])
            from_state = functional.linear(self.states[k], *self.recurrent[k])
            if self.lstm:
                i, f, g, o = (from_input + from_state).float().chunk(4, dim=1)
                self.cells[k] = torch.sigmoid(f) * self.cells[k] + torch.sigmoid(i) * torch.tanh(g)
                state = torch.sigmoid(o) * torch.tanh(self.cells[k])
            else:
                ri, zi, ni = from_input.chunk(3, dim=1)
                rh, zh, nh = from_state.chunk(3, dim=1)
                r, z = torch.sigmoid(ri + rh), torch.sigmoid(zi + zh)
                state = torch.lerp(torch.tanh(torch.addcmul(ni, r, nh)), self.states[k], z)
            below = self.states[k] = state.to(self.dtype)
        assert below is not None
        return functional.linear(below, *self.output).float()


def sampling_dtype(device: torch.device, precision: str) -> torch.dtype:
    """bf16 where the device computes it in hardware (or is told to), float32 elsewhere."""
    if precision == "bf16" or (precision == "auto" and bf16_supported(str(device))):
        return torch.bfloat16
    return torch.float32


@torch.no_grad()
def sample_sequences(
    network: RecurrentNetwork,
    n: int,
    *,
    seed: int,
    temperature: float = 1.0,
    min_p: float = 0.0,
    batch_size: int = 512,
    max_tokens: int = 128,
    precision: str = "auto",
) -> Drawn:
    """Draw ``n`` sequences in batches of ``batch_size``; the k-th batch has its own stream derived from ``seed``.

    A token less probable than ``min_p`` times the most probable one is not drawn (Nguyen et al. 2024,
    arXiv:2407.01082): a network is least to be trusted about what it deems improbable.
    """
    device = network.output.weight.device
    stepper = Stepper(network, sampling_dtype(device, precision))
    generator = torch.Generator(device=device)
    sequences: list[list[int]] = []
    likelihoods: list[Tensor] = []
    truncated = 0
    for number, first in enumerate(range(0, n, batch_size)):
        generator.manual_seed((seed * 1_000_003 + number) % (2**63 - 1))
        batch = _sample_batch(stepper, min(batch_size, n - first), generator, temperature, min_p, max_tokens)
        sequences += batch.sequences
        likelihoods.append(batch.log_likelihood)
        truncated += batch.truncated
    return Drawn(sequences, torch.cat(likelihoods) if likelihoods else torch.zeros(0), truncated)


def _sample_batch(
    stepper: Stepper,
    rows: int,
    generator: torch.Generator,
    temperature: float,
    min_p: float,
    max_tokens: int,
) -> Drawn:
    device = stepper.table.device
    ids = torch.zeros(rows, max_tokens, dtype=torch.long, device=device)
    likelihood = torch.zeros(rows, device=device)
    alive = torch.arange(rows, device=device)
    tokens = torch.zeros(rows, dtype=torch.long, device=device)
    stepper.start(rows)
    for t in range(max_tokens):
        logits = stepper.step(tokens)
        log_p = functional.log_softmax(logits, dim=1)
        tempered = log_p if temperature == 1.0 else functional.log_softmax(logits / temperature, dim=1)
        probable = tempered.exp()
        if min_p > 0:
            probable = probable * (probable >= min_p * probable.amax(dim=1, keepdim=True))
        tokens = torch.multinomial(probable, 1, generator=generator)
        likelihood[alive] += log_p.gather(1, tokens).squeeze(1)
        tokens = tokens.squeeze(1)
        ids[alive, t] = tokens
        going = tokens.nonzero().squeeze(1)
        if len(going) == 0:
            alive = going
            break
        if len(going) < len(alive):
            alive, tokens = alive[going], tokens[going]
            stepper.keep(going)
    lengths = (ids != 0).sum(dim=1).tolist()  # 0 is the end token, and nothing follows it
    table = ids.cpu().tolist()
    return Drawn([row[:k] for row, k in zip(table, lengths, strict=True)], likelihood.cpu(), len(alive))
