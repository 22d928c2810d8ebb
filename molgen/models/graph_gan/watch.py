"""How healthy the training of a graph GAN is: distinct draws, coverage of the molecules, gradient norms; the alarm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from molgen.learn.stability import Health, StabilityGuard
from molgen.models.adversarial.health import coverage
from molgen.models.graph_gan.critic import Trunk
from molgen.models.graph_gan.decoding import within_valence
from molgen.models.graph_gan.generator import Chosen
from molgen.models.graph_gan.graphs import Batch, one_hot
from molgen.models.graph_gan.rarity import fingerprint

GraphGan = Any  # model.GraphGan, which imports this module

_MOST = 512  # draws, and molecules that they are compared with


def watched(average: nn.Module, critic: nn.Module) -> nn.ModuleDict:
    """What is put back after a collapse."""
    return nn.ModuleDict({"average": average, "critic": critic})


def guard(average: nn.Module, critic: nn.Module) -> StabilityGuard:
    """The guard of a new training."""
    return StabilityGuard(watched(average, critic))


@torch.no_grad()
def assess(model: GraphGan, batch: Batch, seed: int = 0) -> dict[str, float]:
    """Shares of raw draws that keep the valences, that are distinct, and of the molecules that they reach."""
    n = min(_MOST, len(batch.sizes))
    generator = torch.Generator(device=model.device).manual_seed(seed)
    z = torch.randn(n, model.params.noise, device=model.device, generator=generator)
    shares = torch.tensor(model.sizes, device=model.device)
    sizes = 1 + torch.multinomial(shares, n, replacement=True, generator=generator)
    chosen: Chosen = model.generator.choose(model.drawing(z, sizes))
    drawn = chosen.batch()
    layout = model.generator.layout
    valid = within_valence(chosen, layout, model.types)
    distinct = len(torch.unique(fingerprint(drawn, layout)))
    features = _features(model)
    real, fake = (features(*one_hot(b, len(model.types))) for b in (batch, drawn))
    return {
        "within_valence": float(valid.float().mean()),
        "distinct": distinct / n,
        "coverage": coverage(fake, real[:n]),
    }


def _features(model: GraphGan) -> Trunk:
    """A random network that is never taught: its vectors tell graphs apart well enough (Thompson et al., ICLR 2022)."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Trunk(model.params.max_atoms, len(model.types), 64, 3).to(model.device)


def look(model: GraphGan, step: int, batch: Batch, norms: Mapping[str, float]) -> None:
    """Tell the guard; after a collapse go on from its weights with fresh optimizers."""
    found = assess(model, batch, seed=step)
    health = Health(found["distinct"], found["coverage"], dict(norms))
    held = watched(model.parts["average"], model.critic)
    if model.parts["guard"].look(step, health, held).rolled_back:
        model.generator.load_state_dict(model.parts["average"].state_dict())
        for optimizer in model._optimizers.values():
            optimizer.state.clear()
