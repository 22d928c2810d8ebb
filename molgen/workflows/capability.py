"""Says what a model cannot do: a refusal that names one that can, or what a search goes without."""

from __future__ import annotations

from typing import Any

from molgen.core.errors import ModelError
from molgen.core.schema import OptimizeConfig
from molgen.learn.store import read_card
from molgen.models.protocol import PROMISES
from molgen.models.registry import families, family, locate, shipped
from molgen.optimize.registry import left_out, strategy

_WORDS = {
    "encode": "turn molecules into points (it has no encoder)",
    "decode": "turn points into molecules (it has no latent space)",
    "beam": "list the likeliest molecules of a point",
    "properties": "read properties from points (it has no property head)",
    "constrain": "build on a scaffold",
    "conditions": "be asked for values of properties",
}


def require(generator: Any, *capabilities: str) -> None:
    """Raise ModelError where the model lacks one of them, naming families and shipped models that have it."""
    for word in capabilities:
        if isinstance(generator, PROMISES[word]):
            continue
        able = {name for name, record in families().items() if word in record.capabilities}
        models = [name for name, path in shipped().items() if read_card(path).get("family") in able]
        if word == "conditions":  # which ones, a training says; the family alone is no promise
            models = []
        cure = f"use a model of the family {' or '.join(sorted(able))}" if able else "no family can"
        if models:
            cure += f", for example {' or '.join(models)}"
        elif able:
            cure += " (train one: molgen new train, with model.family)"
        raise ModelError(f"a model of the family {generator.family!r} cannot {_WORDS[word]}; {cure}")


def search_without(config: OptimizeConfig) -> str:
    """Which part of its strategy a run goes without, because its model cannot do it; "" if none."""
    record, params = strategy(config.optimizer.name, config.optimizer.params)
    able = family(read_card(locate(config.model))["family"]).capabilities
    return left_out(record, params, config.model, able)
