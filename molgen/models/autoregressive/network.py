"""The recurrent network: embedding, GRU or LSTM layers, and a linear layer onto the tokens."""

from __future__ import annotations

from torch import Tensor, nn

IGNORED = -100  # target at padding positions; never counts


class RecurrentNetwork(nn.Module):
    """Next-token logits for sequences of token ids.

    Shapes: ``tokens`` int64 ``[B, T]``; the result is ``[B, T, V]``, position t predicting token t + 1.
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        cell: str,
        hidden: int,
        layers: int,
        embedding: int,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, embedding)
        kind = {"gru": nn.GRU, "lstm": nn.LSTM}[cell]
        self.rnn = kind(embedding, hidden, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.output = nn.Linear(hidden, vocabulary_size)
        for name, parameter in self.rnn.named_parameters():
            if name.startswith("weight_hh"):
                # one orthogonal block per gate keeps the memory from fading or exploding at the start
                for block in parameter.data.split(hidden, dim=0):
                    nn.init.orthogonal_(block)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits ``[B, T, V]`` for ``tokens`` ``[B, T]``, from a zero state."""
        states, _ = self.rnn(self.embedding(tokens))
        return self.output(states)


def token_log_likelihood(logits: Tensor, targets: Tensor) -> Tensor:
    """Sum of log-probabilities of the targets, nats ``[B]``; positions marked ``IGNORED`` count nothing."""
    loss = nn.functional.cross_entropy(
        logits.float().flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none"
    )
    return -loss.view_as(targets).sum(dim=1)
