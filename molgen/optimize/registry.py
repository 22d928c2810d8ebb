"""The strategies that exist: name, summary, parameters and where the class is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationError

from molgen.core.errors import ConfigError, Problem
from molgen.core.explain import explain_params
from molgen.core.registry import load_object
from molgen.core.schema import Section
from molgen.core.suggest import did_you_mean
from molgen.optimize.agent_params import HillclimbParams, ReinforceParams
from molgen.optimize.genetic.params import GeneticParams
from molgen.optimize.hybrid.params import HybridParams


class RandomParams(Section):
    """Draws from the prior, nothing learned: the baseline of every other strategy."""

    temperature: float = Field(1.0, gt=0, description="sampling temperature")


class LatentParams(Section):
    """Local Bayesian optimization in a latent space (TuRBO; Eriksson et al. 2019)."""

    start: int = Field(
        64, ge=2, description="molecules with a score before the first trust region, seeds included"
    )
    radius: float = Field(
        0.8, gt=0, description="first half width of the trust region, in standard deviations of the points"
    )
    points: int = Field(256, ge=8, description="nearest molecules that the Gaussian process is fitted to")
    candidates: int = Field(
        1024, ge=16, description="points of the trust region that are looked at in a step"
    )
    off_manifold: bool = Field(
        False, description="with a latent GAN: leave out points that its critic does not take for molecules"
    )


@dataclass(frozen=True)
class Strategy:
    """The torch-free record of an optimizer."""

    name: str
    summary: str
    builder: str
    params: type[Section]
    needs: frozenset[str]  # capabilities of the generator


STRATEGIES = {
    "reinforce": Strategy(
        "reinforce",
        "teach a copy of the prior to draw molecules that score well, anchored to the prior's likelihood",
        "molgen.optimize.reinforce:reinforce",
        ReinforceParams,
        frozenset({"likelihood"}),
    ),
    "hillclimb": Strategy(
        "hillclimb",
        "fine-tune a copy of the prior on the best molecules found so far, again and again",
        "molgen.optimize.hillclimb:hillclimb",
        HillclimbParams,
        frozenset({"likelihood"}),
    ),
    "latent": Strategy(
        "latent",
        "local Bayesian optimization in the latent space of a model that encodes and decodes",
        "molgen.optimize.latent:LatentSearch",
        LatentParams,
        frozenset({"encode", "decode"}),
    ),
    "genetic": Strategy(
        "genetic",
        "recombine and change the best molecules found: a population, graph crossover, mutations, best pieces",
        "molgen.optimize.genetic.strategy:Genetic",
        GeneticParams,
        frozenset(),
    ),
    "hybrid": Strategy(
        "hybrid",
        "several proposers, one pool, and a surrogate that chooses which few molecules to pay for",
        "molgen.optimize.hybrid.strategy:Hybrid",
        HybridParams,
        frozenset(),
    ),
    "random": Strategy(
        "random",
        "draw from the prior and learn nothing: the baseline of every other strategy",
        "molgen.optimize.random_draws:RandomDraws",
        RandomParams,
        frozenset(),
    ),
}


def strategy(name: str, params: dict[str, Any]) -> tuple[Strategy, Any]:
    """The record and its checked parameters. Raises :class:`ConfigError` with key paths and the nearest name."""
    if name not in STRATEGIES:
        problem = Problem("optimizer.name", f"unknown optimizer {name!r}{did_you_mean(name, STRATEGIES)}")
        raise ConfigError([problem])
    record = STRATEGIES[name]
    try:
        return record, record.params(**params)
    except ValidationError as error:
        raise ConfigError(explain_params(error, record.params, params, "optimizer.params")) from None


#: Parts of `hybrid` that ask more of a model than to draw: which capabilities, and what is lost without them.
_ASKING = {
    "language_model": ({"likelihood"}, "teaching it (it has no likelihood; it draws untaught)"),
    "latent": ({"encode", "decode"}, "moves in a latent space (it has none)"),
}


def left_out(record: Strategy, params: Any, model: str, capabilities: Collection[str]) -> str:
    """What the strategy cannot do with a model of these capabilities, in words; "" if it does all."""
    asked = {part: _ASKING[part] for part in getattr(params, "parts", ()) if part in _ASKING}
    lost = [words for needs, words in asked.values() if not needs <= {*capabilities}]
    return f"{record.name} leaves out what the model {model!r} cannot do: {', '.join(lost)}" if lost else ""


def build(record: Strategy, **arguments: Any) -> Any:
    """An optimizer of this record, its module imported now."""
    return load_object(record.builder)(**arguments)
