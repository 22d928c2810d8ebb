"""Trained generators: load one, draw from it, look at what ships."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from molgen.models.protocol import Family
    from molgen.workflows.model import Model
    from molgen.workflows.sample import SampleResult


def load(name_or_path: str | Path, device: str = "auto") -> Model:
    """A trained generator: a shipped prior (``"druglike"``) or a model folder. ``.sample(n)`` draws molecules."""
    from molgen.workflows.model import load as load_model

    return load_model(name_or_path, device)


def sample(
    model: str | Path | Model,
    n: int,
    *,
    seed: int = 1,
    temperature: float | None = None,
    min_p: float | None = None,
    batch_size: int = 512,
    device: str = "auto",
    shard: tuple[int, int] = (0, 1),
    raw: bool = False,
    policy: str = "default",
    scaffold: str | None = None,
    greedy: bool = False,
    beam: int | None = None,
    conditions: Mapping[str, float] | None = None,
    quiet: bool = False,
) -> SampleResult:
    """Draw ``n`` distinct, valid, standardized molecules; with ``raw`` the first ``n`` strings as drawn.

    ``shard=(i, k)`` makes this job i (from 0) of k, each with draws of its own. The result has ``smiles``, ``nll``
    (nats) and the funnel of what was lost. Language models do not draw a token less probable than ``min_p`` times the
    most probable one; 0 draws from the whole distribution. The model
    has defaults of its own for this and for the ``temperature``. Graph VAEs take a
    ``scaffold`` (SMILES; ``[*:1]`` marks where it is built on) and ``greedy``, the likeliest choices at each point, or
    a ``beam``, the likeliest molecule of each point that a search of that width finds. A latent GAN takes the
    ``conditions`` that it was trained with, ``{"logp": 2.5}``.
    """
    from molgen.workflows.model import load as load_model

    loaded = load_model(model, device) if isinstance(model, (str, Path)) else model
    return loaded.sample(
        n,
        seed=seed,
        temperature=temperature,
        min_p=min_p,
        batch_size=batch_size,
        shard=shard,
        raw=raw,
        policy=policy,
        scaffold=scaffold,
        greedy=greedy,
        beam=beam,
        conditions=conditions,
        quiet=quiet,
    )


def models_list() -> list[dict[str, Any]]:
    """The shipped models: their cards, with ``name`` and ``path``."""
    from molgen.workflows.model import cards

    return [{**card, "name": name, "path": str(path)} for name, path, card in cards()]


def models_families() -> dict[str, Family]:
    """The model families that can be trained, by name."""
    from molgen.models.registry import families

    return families()


def models_show(name: str | Path) -> dict[str, Any]:
    """The card of a model: data, license, training, metrics, checksums."""
    from molgen.learn.store import read_card
    from molgen.models.registry import locate

    path = locate(name)
    return {"path": str(path), **read_card(path)}


def models_verify(name: str | Path, say: Callable[[str], object] = print) -> list[str]:
    """Whether every byte of a model is as its card says and it loads; the problems, none for an intact model."""
    from molgen.workflows.model import verify

    return verify(name, say)
