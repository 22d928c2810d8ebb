"""The model that an evaluation looks into: how likely molecules are to it, and how smooth its latent space is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from molgen.chem.canonical import canonical
from molgen.core.errors import DataError, ModelError
from molgen.core.seeding import numpy_generator
from molgen.metrics.intervals import mean_interval, share_interval
from molgen.metrics.latent import Decode, Encode, locality, path_length
from molgen.models.latent.moves import whitening
from molgen.models.protocol import HasDecoder, HasEncoder, HasLikelihood, HasLikelihoodBound
from molgen.workflows.evaluation.context import Context
from molgen.workflows.model import Model

LogLikelihood = Callable[[Sequence[str]], np.ndarray]

_EXACT = 2_000  # molecules of a set whose likelihood is asked for
_BOUND, _DRAWS = 500, 8  # likewise where it is a bound from several draws each
_WALKS = 60
_RADII = (0.0, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True)
class Subject:
    """A model by what it can do; None where it cannot.

    ``likelihood``: raw strings -> nats at temperature 1 ``[n]``, or with ``bound`` a lower bound on them. ``encode``
    and ``decode`` work on points in standard deviations of the model's prior, so that models can be compared.
    """

    name: str
    likelihood: LogLikelihood | None = None
    bound: bool = False
    encode: Encode | None = None
    decode: Decode | None = None


def subject_of(model: Model) -> Subject:
    """What can be measured of a loaded model. Raises ModelError where nothing can."""
    generator: Any = model.generator
    likelihood = encode = decode = None
    bound = False
    if isinstance(generator, HasLikelihood):
        likelihood = partial(_numbers, generator.log_likelihood)
    elif isinstance(generator, HasLikelihoodBound):
        likelihood, bound = partial(_numbers, partial(generator.likelihood_bound, samples=_DRAWS)), True
    if isinstance(generator, HasEncoder) and isinstance(generator, HasDecoder):
        encode, decode = _space(generator)
    if likelihood is None and encode is None:
        raise ModelError(
            f"{model.name}: a model of the family {generator.family!r} has neither a likelihood nor a latent space "
            "to measure; leave --model out"
        )
    return Subject(model.name, likelihood, bound, encode, decode)


def _numbers(function: Callable[[list[str]], torch.Tensor], smiles: Sequence[str]) -> np.ndarray:
    with torch.inference_mode():
        return np.asarray(function(list(smiles)).cpu().double().numpy())


def _space(generator: Any) -> tuple[Encode, Decode]:
    units = whitening(generator)

    def encode(smiles: Sequence[str]) -> np.ndarray:
        with torch.inference_mode():
            return np.asarray(units.to(generator.encode(list(smiles))).cpu().double().numpy())

    def decode(points: np.ndarray) -> list[str]:
        with torch.inference_mode():
            z = torch.from_numpy(np.asarray(points, dtype=np.float32)).to(units.shift.device)
            return list(generator.decode(units.back(z)))

    return encode, decode


def model_suite(context: Context, subject: Subject) -> None:
    """Everything about the model itself; the list is only one of the sets that it is asked about."""
    if subject.likelihood is not None:
        likelihood_suite(context, subject)
    if subject.encode is not None and subject.decode is not None:
        latent_suite(context, subject.name, subject.encode, subject.decode)


def likelihood_suite(context: Context, subject: Subject) -> None:
    """Nats per molecule that a model needs for reference, training and sampled molecules: not gameable by filters."""
    assert subject.likelihood is not None
    sets: dict[str, list[str]] = {"sample": list(dict.fromkeys(context.sample.smiles))}
    if context.profile is not None:
        sets["reference"] = context.profile.smiles
    if context.training is not None:
        sets["training"] = context.training.smiles
    most = _BOUND if subject.bound else _EXACT
    stage, total, done = f"likelihoods of {subject.name}", sum(min(len(s), most) for s in sets.values()), 0
    context.say(stage, 0, total)
    kind = f"at most: bound from {_DRAWS} draws" if subject.bound else "canonical strings"
    for label, smiles in sets.items():
        values = -np.asarray(subject.likelihood(smiles[:most]), dtype=np.float64)
        done += len(values)
        context.say(stage, done, total)
        finite = values[np.isfinite(values)]
        low, high = mean_interval(finite, seed=context.seed)
        note = f"model {subject.name}, {kind}"
        if missing := len(values) - len(finite):
            note += f"; {missing} cannot be written by it"
        mean = float(finite.mean()) if len(finite) else None
        name = f"nats per molecule ({label})"
        context.add("likelihood", name, mean, len(finite), low=low, high=high, note=note)


def latent_suite(context: Context, model: str, encode: Encode, decode: Decode) -> None:
    """Reconstruction, locality and paths between molecules that the list's generator did not choose."""
    source, known = _walkers(context)
    stage = f"latent space of {model}"
    context.say(stage, 0, 0)
    points = encode(known)
    inside = [text for text, row in zip(known, points, strict=True) if np.isfinite(row).all()]
    starts, ends = inside[0::2], inside[1::2]
    starts = starts[: len(ends)]
    outside = len(known) - len(inside)
    where = f"{source} molecules" + (
        f"; {outside} of {len(known)} are outside of the model" if outside else ""
    )
    if len(ends) < 2:
        context.result.warnings.append(
            f"latent space left out: {model} can encode {len(inside)} of {len(known)} {source} molecules"
        )
        return
    back, n = decode(encode(inside)), len(inside)
    for label, stereo in (("reconstructed exactly", True), ("reconstructed but for stereo", False)):
        same = sum(
            canonical(text, stereo=stereo) == canonical(other, stereo=stereo)
            for text, other in zip(inside, back, strict=True)
        )
        low, high = share_interval(same, n)
        context.add("latent", label, same / n, n, low=low, high=high, note=where)
    for radius, value in locality(inside, encode, decode, radii=_RADII, seed=context.seed).items():
        note = "similarity to where it started" if radius else "similarity of the reconstruction"
        context.add("latent", f"locality at {radius:g} SD", value, n, note=f"{note}; {where}")
    found = path_length(starts, ends, encode, decode, seed=context.seed)
    n = found.paths
    context.add(
        "latent", "path length", found.length, n, note="lower is smoother; compare on the same molecules"
    )
    context.add("latent", "molecules per path", found.distinct, n, note="of 10 stations")
    context.add("latent", "drift along paths", found.drift, n, note="1: ever more like the end; 0: at random")
    context.add("latent", "valid on paths", found.valid, n)


def _walkers(context: Context) -> tuple[str, list[str]]:
    """Molecules to walk between: of the reference's control part, else of the training set, else of the list."""
    profile, training = context.profile, context.training
    source, texts = "sampled", list(dict.fromkeys(context.sample.smiles))
    if training is not None:
        source, texts = "training", training.smiles
    if profile is not None:
        source, texts = "reference", profile.smiles[profile.second] or profile.smiles
    if not texts:
        raise DataError("no molecules to walk between in the latent space")
    order = numpy_generator(context.seed, "latent").permutation(len(texts))[: 2 * _WALKS]
    return source, [texts[int(i)] for i in order]
