"""What a latent GAN begins with: its decoder, the scales of its conditions, the networks of an earlier GAN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from molgen.core.errors import ConfigError, Problem
from molgen.core.suggest import did_you_mean
from molgen.learn.store import WEIGHTS, read_card
from molgen.models.graph_vae.model import GraphVae
from molgen.models.graph_vae.properties import Labels, measured_scales
from molgen.models.latent.gan import GanPrior

Scales = Mapping[str, tuple[float, float]]


def decoder(name: str) -> tuple[GraphVae, dict[str, Any]]:
    """The graph VAE of that name or folder, and what is remembered of it. Raises ConfigError for another family."""
    from molgen.models.registry import load, locate

    folder = locate(name)
    vae: Any = load(folder)
    if not isinstance(vae, GraphVae):
        raise _wrong("decoder", f"is of the family {vae.family!r}, a latent GAN works on a graph_vae")
    card = read_card(folder)
    return vae, {
        "name": card.get("name"),
        "weights_sha256": card["files"][WEIGHTS],
        "params": {**vae.params.model_dump(mode="json"), "prior": "normal"},
    }


def scales_of(conditions: Sequence[str], vae: GraphVae, labels: Labels) -> Scales:
    """Mean and deviation of each condition. Raises ConfigError for unknown ones, and for labels that are none."""
    unwanted = [name for name in labels if name not in conditions]
    if unwanted:
        raise _wrong("conditions", f"lacks the labels {', '.join(unwanted)}; add them there")
    known = {**vae.properties, **measured_scales(labels)}
    for name in conditions:
        if name not in known:
            raise _wrong("conditions", f"unknown {name!r}{did_you_mean(name, known)}; give it with labels")
    return {name: known[name] for name in conditions}


def take_over(prior: GanPrior, scales: Scales, name: str) -> None:
    """Give ``prior`` generator and critic of another latent GAN. Raises ConfigError where they do not fit."""
    from molgen.models.registry import load

    other: Any = load(name)
    if other.family != "latent_gan":
        raise _wrong("begin_with", f"{name} is no latent GAN but of the family {other.family!r}")
    if list(other.scales) != list(scales):
        raise _wrong("begin_with", f"{name} has other conditions ({', '.join(other.scales) or 'none'})")
    try:
        prior.generator.load_state_dict(other.prior.generator.state_dict())
        prior.critic.load_state_dict(other.prior.critic.state_dict())
    except RuntimeError as error:
        first = str(error).strip().splitlines()[-1].strip()
        raise _wrong("begin_with", f"{name} has another architecture ({first})") from None


def _wrong(key: str, words: str) -> ConfigError:
    return ConfigError([Problem(f"model.params.{key}", words)])
