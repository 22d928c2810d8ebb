"""Frechet ChemNet Distance (Preuer et al. 2018, J. Chem. Inf. Model. 58, 1736) in float64, on ChemNet in torch.

The network is ours, the weights are those of the package ``fcd_torch`` (MIT), which is what MOSES published with.
A string is one-hot encoded, padded to 350 positions, and goes through two convolutions and two LSTMs; the padding
takes part in the result, so it must not be left out. But what happens *in* the padding is the same for every
molecule until the string begins, so it is computed once per network and not once per molecule: see
:meth:`ChemNet.activations`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad, selu

from molgen.core.errors import DataError, ModelError

# The alphabet and its order are part of the trained network. "X" stands for every symbol that it has not seen,
# "." for the end; a two-letter symbol is any character followed by r, i or l.
_ALPHABET = (*"CNOHF", "Cl", "P", "B", "Br", "S", "I", "Si", *"#()+-12345678=[]@cnosX.")
_INDEX = {symbol: index for index, symbol in enumerate(_ALPHABET)}
_UNKNOWN, _END = _INDEX["X"], _INDEX["."]
_SYMBOL = re.compile(r".[ril]|.", re.DOTALL)
_LENGTH = 350  # padded length of the string
_STEPS_1 = 175  # after the first convolution (kernel 4, stride 2, "same" padding)
_STEPS = 88  # after the second

Progress = Callable[[int], None]


class Activations(Protocol):
    """What turns molecules into vectors: :class:`ChemNet`, or something that remembers what it said."""

    @property
    def width(self) -> int:
        """Numbers in the vector of one molecule."""
        ...

    def activations(
        self, smiles: Sequence[str], *, batch_size: int = 512, progress: Progress | None = None
    ) -> np.ndarray:
        """``float32 [n, width]`` of canonical SMILES, in the order given."""
        ...


@dataclass(frozen=True)
class Moments:
    """Mean ``[d]`` and covariance ``[d, d]`` (float64, n - 1 in the denominator) of ``n`` activations."""

    mu: np.ndarray
    sigma: np.ndarray
    n: int


def moments(activations: np.ndarray) -> Moments:
    """Mean and covariance of ``activations [n, d]``, accumulated in float64.

    Raises:
        DataError: fewer than two rows.
    """
    if len(activations) < 2:
        raise DataError(f"a Frechet distance needs at least 2 molecules, got {len(activations)}")
    values = activations.astype(np.float64)
    return Moments(values.mean(axis=0), np.cov(values, rowvar=False), len(values))


def frechet_distance(a: Moments, b: Moments) -> float:
    """Squared Frechet distance of two Gaussians, ``|mu_a - mu_b|^2 + tr(A + B - 2 (AB)^(1/2))``.

    With ``A = F F^T`` and ``B = G G^T`` the trace of the root is the sum of the singular values of ``F^T G``. No root
    is taken of the many eigenvalues that are zero but for rounding (that alone costs the fifth decimal), and nothing
    depends on ``scipy.linalg.sqrtm``, whose algorithm changes between versions.

    Raises:
        DataError: the dimensions differ or a value is not finite.
    """
    if a.mu.shape != b.mu.shape or a.sigma.shape != b.sigma.shape:
        raise DataError(f"moments of {a.mu.shape[0]} and {b.mu.shape[0]} dimensions cannot be compared")
    parts = [np.asarray(part, dtype=np.float64) for part in (a.mu, a.sigma, b.mu, b.sigma)]
    if not all(np.isfinite(part).all() for part in parts):
        raise DataError("the moments hold values that are not finite")
    mu_a, sigma_a, mu_b, sigma_b = parts
    trace_of_root = np.linalg.svd(_factor(sigma_a).T @ _factor(sigma_b), compute_uv=False).sum()
    shift = mu_a - mu_b
    return float(shift @ shift + np.trace(sigma_a) + np.trace(sigma_b) - 2.0 * trace_of_root)


def _factor(sigma: np.ndarray) -> np.ndarray:
    """A matrix F with ``F F^T = sigma``; eigenvalues below zero are rounding and count as zero."""
    values, vectors = np.linalg.eigh(sigma)
    return vectors * np.sqrt(np.clip(values, 0.0, None))


def encode(smiles: str) -> list[int]:
    """Symbol indices of one SMILES as ChemNet was trained to read it, with the end symbol.

    As in the published implementation the string ends at its first dot, so of a mixture only the first part counts.
    """
    symbols = [_INDEX.get(symbol, _UNKNOWN) for symbol in _SYMBOL.findall(smiles.partition(".")[0])]
    return [*symbols[: _LENGTH - 1], _END]


class ChemNet:
    """The penultimate layer of ChemNet v0.13; ``activations`` turns canonical SMILES into ``float32 [n, 512]``."""

    width = 512

    def __init__(self, weights: Sequence[dict[str, Tensor]], device: str = "cpu") -> None:
        conv_1, conv_2, first, second = weights
        self._device = torch.device(device)
        self._kernels = [conv["weight"].to(self._device, torch.float32) for conv in (conv_1, conv_2)]
        self._first = nn.LSTM(32, 128, batch_first=True).requires_grad_(False).eval()
        self._first.load_state_dict(first)
        self._first.to(self._device)
        second = {key: value.to(self._device, torch.float32) for key, value in second.items()}
        self._input_2, self._recurrent_2 = second["weight_ih_l0"].t(), second["weight_hh_l0"].t()
        self._bias_2 = second["bias_ih_l0"] + second["bias_hh_l0"]
        with torch.inference_mode():
            self._prepare_padding()

    @classmethod
    def load(cls, path: str | Path, device: str = "cpu") -> ChemNet:
        """Load ``ChemNet_v0.13_pretrained.pt`` of fcd_torch; tensors only, nothing is unpickled.

        Raises:
            ModelError: the file is missing or is not that network.
        """
        if not Path(path).is_file():
            raise ModelError(
                f"{path}: no such file; ChemNet_v0.13_pretrained.pt is part of the package fcd_torch"
            )
        try:
            layers = torch.load(path, map_location="cpu", weights_only=True)
            kinds = [kind for kind, _ in layers]
            weights = [config[0] for _, config in layers]
            shapes = [tuple(weights[i]["weight"].shape) for i in (0, 1)]
        except Exception as error:  # torch raises half a dozen types here; the cure is the same for all
            raise ModelError(
                f"{path}: not a readable ChemNet weights file ({error}); fetch it again"
            ) from error
        if kinds != ["Conv1d", "Conv1d", "LSTM", "LSTM"] or shapes != [(32, 35, 4), (32, 32, 4)]:
            raise ModelError(f"{path}: these are not the layers of ChemNet v0.13: {kinds}, {shapes}")
        return cls(weights, device)

    def _prepare_padding(self) -> None:
        """Run the first LSTM over nothing but padding, once.

        It reads the string backwards, so every molecule starts with the padding, and the convolutions (no bias,
        selu(0) = 0) give exact zeros there: its state after m steps of padding is one constant per m. The second
        LSTM reads forward, so the padding comes last: its input there is those same constants, m counting down.
        """
        zeros = torch.zeros(1, 1, 32, device=self._device)
        h = c = torch.zeros(1, 1, 128, device=self._device)
        states = [(h, c)]
        for _ in range(_STEPS):
            _, (h, c) = self._first(zeros, (h, c))
            states.append((h, c))
        self._padding_states = states
        outputs = torch.cat([states[_STEPS - position][0][0] for position in range(_STEPS)])
        self._padding_gates = torch.addmm(self._bias_2, outputs, self._input_2)  # [88, 2048], by position

    def activations(
        self, smiles: Sequence[str], *, batch_size: int = 512, progress: Progress | None = None
    ) -> np.ndarray:
        """Activations ``float32 [n, 512]`` of canonical SMILES, in the order given.

        Equal strings are computed once. Batches hold strings of about one length, and within a batch the two
        convolutions and the first LSTM run only as far as its longest string; ``progress`` is called with the
        number of strings done after each batch.
        """
        distinct = sorted(set(smiles), key=lambda text: (len(text), text))
        codes = sorted(((encode(text), text) for text in distinct), key=lambda pair: len(pair[0]))
        row = {text: index for index, (_, text) in enumerate(codes)}
        table = np.empty((len(codes), self.width), dtype=np.float32)
        with torch.inference_mode():
            for start in range(0, len(codes), batch_size):
                batch = [code for code, _ in codes[start : start + batch_size]]
                table[start : start + len(batch)] = self._forward(batch).cpu().numpy()
                if progress is not None:
                    progress(start + len(batch))
        return table[[row[text] for text in smiles]] if smiles else table

    def _forward(self, batch: list[list[int]]) -> Tensor:
        longest = max(map(len, batch))
        steps_1 = min(_STEPS_1, longest // 2 + 1)  # beyond these the convolutions give exact zeros
        steps = min(_STEPS, steps_1 // 2 + 1)
        x = torch.zeros(len(batch), len(_ALPHABET), 2 * steps_1 + 2)  # one position of padding on the left
        for i, code in enumerate(batch):
            x[i, code, torch.arange(1, len(code) + 1)] = 1.0 / len(_ALPHABET)
        x = selu(torch.conv1d(x.to(self._device), self._kernels[0], stride=2))
        x = pad(x, (1, 2 * steps + 1 - steps_1))
        x = selu(torch.conv1d(x, self._kernels[1], stride=2))
        h, c = (
            state.expand(1, len(batch), 128).contiguous() for state in self._padding_states[_STEPS - steps]
        )
        backward, _ = self._first(x.transpose(1, 2).flip(1), (h, c))
        return self._second(backward.flip(1))

    def _second(self, x: Tensor) -> Tensor:
        """The second LSTM over the strings ``x [b, t, 128]`` and then over the common padding; its last output."""
        width, steps = self.width, x.shape[1]
        h, c = x.new_zeros(len(x), width), x.new_zeros(len(x), width)
        for position in range(_STEPS):
            if position < steps:
                gates = torch.addmm(self._bias_2, x[:, position], self._input_2).addmm_(h, self._recurrent_2)
            else:
                gates = torch.addmm(self._padding_gates[position], h, self._recurrent_2)
            gates[:, : 2 * width].sigmoid_()
            new, out = gates[:, 2 * width : 3 * width].tanh_(), gates[:, 3 * width :].sigmoid_()
            c.mul_(gates[:, width : 2 * width]).addcmul_(gates[:, :width], new)
            h = out * torch.tanh(c)
        return h


def frechet_chemnet_distance(
    smiles: Sequence[str], reference: Moments, chemnet: Activations, *, progress: Progress | None = None
) -> float:
    """FCD between canonical SMILES and the moments of a reference set; it falls about as 1/n, so print n beside it."""
    return frechet_distance(moments(chemnet.activations(smiles, progress=progress)), reference)
