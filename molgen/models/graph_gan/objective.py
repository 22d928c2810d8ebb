"""What generator and critic learn from one batch: rebuilding, the game of the two, valences, rarity, properties."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from molgen.models.adversarial.losses import critic_loss, generator_loss, mode_seeking, zero_centered_penalty
from molgen.models.graph_gan.decoding import within_valence
from molgen.models.graph_gan.estimators import evolution, rloo
from molgen.models.graph_gan.generator import Chosen, Layout, Logits
from molgen.models.graph_gan.graphs import Batch, one_hot
from molgen.models.graph_gan.rarity import fingerprint

GraphGan = Any  # model.GraphGan, which imports this module

Step = tuple[str, Tensor, dict[str, float]]
_LAZY = 4  # the gradient penalties are taken every so many steps, and weigh as much more (Karras et al., CVPR 2020)
_ORDERS = (1.0, 2.0, 3.0)


def excess(atoms: Tensor, bonds: Tensor, valences: Tensor, layout: Layout) -> Tensor:
    """Sum over the atoms of the squared bond orders beyond the valence, ``[B]``; from one-hot atoms and bonds."""
    lower = layout.dense((bonds * bonds.new_tensor(_ORDERS)).sum(-1))
    used = (lower + lower.transpose(1, 2)).sum(-1)
    return torch.relu(used - (atoms * valences).sum(-1)).square().sum(-1)


def rebuild(
    model: GraphGan, batch: Batch, logits: Logits, mean: Tensor, log_variance: Tensor
) -> tuple[Tensor, Tensor]:
    """Nats of the choices that make the molecules, and the divergence of their noise from the normal one; means."""
    layout = model.generator.layout
    target = Chosen(batch.atoms, layout.parents_of(batch), batch.bonds, batch.sizes)
    nats = -model.generator.log_probability(logits, target).mean()
    return nats, 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(-1).mean()


def warm_step(model: GraphGan, batch: Batch, weight: float, divergence: float) -> Step:
    """Rebuilding, and valences of what is drawn from pure noise."""
    loss, _, metrics, *_ = _generator_base(model, batch, weight, divergence, max(1, len(batch.sizes) // 4))
    return "generator", loss, metrics


def _generator_base(
    model: GraphGan, batch: Batch, weight: float, divergence: float, draws: int
) -> tuple[Tensor, Logits, dict[str, float], Tensor, Tensor, Tensor]:
    """Loss without the critic; logits, noise and soft one-hot graphs of ``draws`` new molecules."""
    params, generator = model.params, model.generator
    z, sizes = model.noise(draws)
    metrics: dict[str, float] = {}
    loss = z.new_zeros(())
    if weight:
        mean, log_variance = model.encoder(*one_hot(batch, len(model.types)))
        posterior = mean + torch.randn_like(mean) * (0.5 * log_variance).exp()
        both = generator(torch.cat([posterior, z]), torch.cat([batch.sizes, sizes]))
        nats, kl = rebuild(model, batch, both.rows(slice(len(mean))), mean, log_variance)
        loss = weight * (nats + divergence * kl)
        metrics |= {"rebuild_nats": float(nats.detach()), "kl": float(kl.detach())}
        logits = both.rows(slice(len(mean), None))
    else:
        logits = generator(z, sizes)
    atoms, bonds = generator.straight_through(logits, params.softness)
    over = excess(atoms, bonds, model.valences, generator.layout).mean()
    metrics["valence_excess"] = float(over.detach())
    return loss + params.valence_weight * over, logits, metrics, z, atoms, bonds


def adversarial_steps(model: GraphGan, batch: Batch) -> Iterator[Step]:
    """First the critic's step, then the generator's."""
    yield critic_step(model, batch)
    if model.reward is not None:
        yield model.reward.step(batch, one_hot(batch, len(model.types)))
    yield _generator_step(model, batch)


def _in_packs(model: GraphGan, n: int) -> int:
    """The largest number of molecules up to ``n`` that fills packs; one pack at least."""
    return max(1, n // model.params.pac) * model.params.pac


def _some(batch: Batch, n: int) -> Batch:
    """``n`` molecules of the batch; a batch that is smaller is repeated."""
    return batch.rows(torch.arange(n, device=batch.sizes.device) % len(batch.sizes))


def critic_step(model: GraphGan, batch: Batch) -> Step:
    """The critic learns to tell the batch from as many draws."""
    generator, critic, params = model.generator, model.critic, model.params
    n = _in_packs(model, len(batch.sizes))
    real = one_hot(_some(batch, n), len(model.types))
    with torch.no_grad():
        chosen = generator.choose(generator(*model.noise(n)))
        fake = one_hot(chosen.batch(), len(model.types))
        model.parts["visits"].add(fingerprint(chosen.batch(), generator.layout))
    judged = int(model.seen) % _LAZY == 0 and params.penalty > 0
    if judged:
        real, fake = (tuple(x.clone().requires_grad_(True) for x in pair) for pair in (real, fake))  # type: ignore[assignment]
    ours, theirs = critic(*fake), critic(*real)
    loss = critic_loss("rpgan", theirs, ours)
    metrics = {
        "critic_loss": float(loss.detach()),
        "critic_gap": float((theirs - ours).detach().mean()),
        "drawn_valid": float(within_valence(chosen, generator.layout, model.types).float().mean()),
    }
    if judged:
        penalty = zero_centered_penalty(theirs, real) + zero_centered_penalty(ours, fake)
        metrics["penalty"] = float(penalty.detach())
        loss = loss + 0.5 * params.penalty * _LAZY * penalty
    return "critic", loss, metrics


def _generator_step(model: GraphGan, batch: Batch) -> Step:
    params, generator = model.params, model.generator
    n = _in_packs(model, len(batch.sizes) // 2)
    real = one_hot(_some(batch, n), len(model.types))
    weight = params.rebuild_weight
    loss, logits, metrics, z, atoms, bonds = _generator_base(model, batch, weight, params.kl_weight, n)
    with torch.no_grad():
        theirs = model.critic(*real).repeat_interleave(params.pac)
    if params.estimator == "straight_through":
        features = model.critic.trunk(atoms, bonds)
        played = generator_loss("rpgan", theirs[:: params.pac], model.critic.judge(features))
        if params.mode_seeking:
            played = played + params.mode_seeking * mode_seeking(features, z)
        if model.reward is not None:
            played = played - params.reward_weight * model.reward.value(atoms, bonds).mean()
    else:

        def rewards(chosen: Chosen, draws: int) -> Tensor:
            return _rewards(model, chosen, theirs, draws)

        if params.estimator == "rloo":
            played = rloo(generator, logits, rewards, params.draws, params.softness)
        else:
            played = evolution(generator, z, logits.sizes, rewards, params.draws)
    metrics["played"] = float(played.detach())
    return "generator", loss + played, metrics


@torch.no_grad()
def _rewards(model: GraphGan, chosen: Chosen, theirs: Tensor, draws: int) -> Tensor:
    """What draws are worth, ``[B draws]``: the critic's word, valences, rarity, mode seeking, the property."""
    params, layout = model.params, model.generator.layout
    pair = chosen.batch()
    atoms, bonds = one_hot(pair, len(model.types))
    vectors = model.critic.trunk(atoms, bonds).unflatten(0, (-1, draws))  # [B, draws, out]
    near = [vectors.roll(-k, 0) for k in range(params.pac)]  # a pack holds draws of different noise vectors
    scores = model.critic.head(torch.cat(near, -1)).squeeze(-1)
    worth = -torch.nn.functional.softplus(theirs[:, None] - scores)
    worth = torch.stack([worth.roll(k, 0) for k in range(params.pac)]).mean(0).flatten()
    over = excess(atoms, bonds, model.valences, layout)
    worth = worth - params.valence_weight * over.clamp(max=4)
    if params.rarity:
        worth = worth + params.rarity * model.parts["visits"].bonus(fingerprint(pair, layout)) * (over == 0)
    if params.mode_seeking:  # away from the draw at another noise vector
        apart = (vectors - vectors.roll(1, 0)).norm(dim=-1).flatten()
        worth = worth + params.mode_seeking * apart / apart.mean().clamp(min=1e-6)
    if model.reward is not None:
        worth = worth + params.reward_weight * model.reward.value(atoms, bonds) * (over == 0)
    return worth
