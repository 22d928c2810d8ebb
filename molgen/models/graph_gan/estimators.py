"""How the critic's word reaches the generator, although atoms and bonds are choices: three estimators, one signature.

Each returns a loss whose gradient is the estimate, given the rewards of graphs (higher is better).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.func import functional_call

from molgen.models.graph_gan.generator import Chosen, Generator, Logits

#: Rewards ``[B draws]`` of choices at the noise vectors of a batch, each ``draws`` times in a row; no gradient.
Rewards = Callable[[Chosen, int], Tensor]


def rloo(generator: Generator, logits: Logits, rewards: Rewards, draws: int, softness: float) -> Tensor:
    """REINFORCE, each of ``draws`` graphs of a noise vector against the mean of its others (Kool et al., ICLR 2019).

    The gradient is exact in the mean for the generator that draws its choices; it is scaled by the spread of rewards.
    """
    several = logits.at(softness).take(draws)
    with torch.no_grad():
        chosen = generator.choose(several.noisy())
        reward = rewards(chosen, draws).reshape(-1, draws)
        advantage = (reward - reward.mean(1, keepdim=True)) * (draws / (draws - 1))
        advantage = (advantage / (advantage.square().mean().sqrt() + 1e-2)).flatten()
    return -(advantage * generator.log_probability(several, chosen)).mean()


def evolution(
    generator: Generator, z: Tensor, sizes: Tensor, rewards: Rewards, directions: int, sigma: float = 0.02
) -> Tensor:
    """Evolution strategies on the hard graphs: mirrored perturbations of all weights (Salimans et al., 2017).

    Each direction perturbs every weight by ``sigma`` times its tensor's root mean square.
    """
    weights = {name: p for name, p in generator.named_parameters() if p.requires_grad}
    estimate = {name: torch.zeros_like(p) for name, p in weights.items()}
    differences, noises = [], []
    with torch.no_grad():
        steps = {name: sigma * (p.square().mean().sqrt() + 1e-3) for name, p in weights.items()}
        for _ in range(directions):
            noise = {name: torch.randn_like(p) for name, p in weights.items()}
            ends = []
            for sign in (1.0, -1.0):
                moved = {name: p + sign * steps[name] * noise[name] for name, p in weights.items()}
                chosen = generator.choose(functional_call(generator, moved, (z, sizes)))
                ends.append(rewards(chosen, 1).mean())
            differences.append((ends[0] - ends[1]) / 2)
            noises.append(noise)
        spread = torch.stack(differences).square().mean().sqrt() + 1e-6
        for difference, noise in zip(differences, noises, strict=True):
            for name, found in estimate.items():
                found.add_(noise[name] / steps[name], alpha=float(difference / spread) * sigma / directions)
    return -sum((p * estimate[name]).sum() for name, p in weights.items())  # type: ignore[return-value]
