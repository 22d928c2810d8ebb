"""Adversarial losses that do not drop modes: relativistic pairing with R1 and R2, Wasserstein, packing, mode seeking.

A critic gives one number per example, or per pack of examples; higher means *more like the data*. All losses are means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

Loss = Literal["rpgan", "wgan-gp"]


def critic_loss(kind: Loss, real: Tensor, fake: Tensor) -> Tensor:
    """What the critic makes small, from its scores ``[n]`` of data and of draws, without the penalties.

    ``rpgan``: each draw is compared with one example of the data (Jolicoeur-Martineau, ICLR 2019), so that a generator
    that leaves a mode out is paired with examples of it and pulled there (Sun et al., NeurIPS 2020). ``wgan-gp``:
    difference of means (Arjovsky et al., ICML 2017).
    """
    difference = fake - real
    return functional.softplus(difference).mean() if kind == "rpgan" else difference.mean()


def generator_loss(kind: Loss, real: Tensor, fake: Tensor) -> Tensor:
    """What the generator makes small; ``real`` needs no gradient."""
    difference = real - fake
    return functional.softplus(difference).mean() if kind == "rpgan" else -fake.mean()


def zero_centered_penalty(scores: Tensor, inputs: Sequence[Tensor]) -> Tensor:
    """Mean squared norm of the critic's gradient: R1 on data, R2 on draws (Mescheder et al., ICML 2018).

    The norm is over all of an example (a pack, a whole graph) and all ``inputs`` together. With both penalties and
    pairing the game converges locally (R3GAN; Huang et al., NeurIPS 2024). ``inputs`` must require gradients.
    """
    slopes = torch.autograd.grad(scores.sum(), list(inputs), create_graph=True)
    return torch.stack([s.float().reshape(len(scores), -1).square().sum(1).mean() for s in slopes]).sum()


def slope_penalty(
    critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, share: Tensor, pac: int = 1
) -> Tensor:
    """Mean of (norm of the gradient - 1)^2 between data and draws (WGAN-GP; Gulrajani et al., NeurIPS 2017).

    ``share`` ``[n / pac]`` in 0..1 says where between the two; a pack shares its place.
    """
    mix = share.reshape(-1, 1).repeat_interleave(pac, 0).reshape(-1, *[1] * (real.ndim - 1))
    between = (mix * real + (1 - mix) * fake).detach().requires_grad_(True)
    scores = critic(between)
    (slope,) = torch.autograd.grad(scores.sum(), between, create_graph=True)
    return (slope.float().reshape(len(scores), -1).norm(dim=1) - 1).square().mean()


def packed(x: Tensor, pac: int) -> Tensor:
    """``[n, d]`` as packs ``[n / pac, pac d]``: a critic of packs sees that draws are alike (PacGAN, NeurIPS 2018)."""
    return x.reshape(len(x) // pac, -1)


def mode_seeking(features: Tensor, noise: Tensor) -> Tensor:
    """Negative mean ratio of the distance of two draws to that of their noise (MSGAN; Mao et al., CVPR 2019).

    The first half of the rows is paired with the second. ``features`` ``[n, f]`` of the draws, ``noise`` ``[n, d]``.
    """
    half = len(features) // 2
    apart = (features[:half] - features[half : 2 * half]).float().norm(dim=1)
    begin = (noise[:half] - noise[half : 2 * half]).float().norm(dim=1)
    return -(apart / begin.clamp(min=1e-6)).mean()
