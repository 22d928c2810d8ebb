"""From raw strings to molecules: draw until n valid, unique, standardized ones are there, and count every loss."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from molgen.chem.molecule import Molecule, parse_all
from molgen.core.seeding import stream
from molgen.models.protocol import Generator


@dataclass
class Drawn:
    """``molecules`` in the order drawn, ``nll`` (nats of the raw string, NaN without a likelihood) and the funnel.

    ``drawn`` = kept + the sum of ``losses`` (reason -> count), always.
    """

    molecules: list[Molecule] = field(default_factory=list)
    nll: list[float] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    drawn: int = 0
    losses: Counter[str] = field(default_factory=Counter)
    refused: set[str] = field(default_factory=set)  # those of the losses that were valid molecules

    def funnel(self) -> list[tuple[str, int]]:
        """Ordered counts from raw strings to what is kept."""
        duplicates, surplus = self.losses["duplicate"], self.losses["surplus"]
        kept = len(self.molecules) + duplicates + surplus
        valid = kept + sum(self.losses[why] for why in self.refused)
        return [
            ("drawn", self.drawn),
            ("valid", valid),
            ("unique", valid - duplicates),
            ("kept", len(self.molecules)),
        ]


def draw_molecules(
    generator: Generator,
    n: int,
    *,
    seed: int,
    shard: int = 0,
    temperature: float = 1.0,
    batch_size: int = 512,
    policy: str = "default",
    max_draws: int | None = None,
    options: Mapping[str, Any] | None = None,
    refuse: Callable[[Molecule], str] = lambda molecule: "",
    on_batch: Callable[[int], None] = lambda kept: None,
) -> Drawn:
    """Draw ``n`` distinct valid molecules after the standardization ``policy``.

    Gives up after ``max_draws`` raw strings (default ``20 n + 1000``) with what there is, so that a model that can
    only repeat itself ends. ``shard`` selects an independent stream of the same seed. ``on_batch`` hears how many
    molecules a batch added. ``options`` go to the generator (``scaffold``, ``greedy`` ...); ``refuse`` names the
    reason for which a standardized molecule is no answer, "" for none.
    """
    limit = 20 * n + 1000 if max_draws is None else max_draws
    result = Drawn()
    seen: set[str] = set()
    number = 0
    while len(result.molecules) < n and result.drawn < limit:
        # the last draws are no larger than what is missing asks for
        wanted = max(32, 2 * (n - len(result.molecules)))
        size = min(batch_size, limit - result.drawn, wanted)
        samples = generator.sample(
            size,
            seed=stream(seed, "sample", number, shard=shard),
            temperature=temperature,
            batch_size=size,
            **(options or {}),
        )
        number += 1
        result.drawn += len(samples.smiles)
        parsed = parse_all(samples.smiles, policy)
        result.losses.update(rejected.why for rejected in parsed.rejected)
        before = len(result.molecules)
        for position, molecule in zip(parsed.index, parsed.ok, strict=True):
            if molecule.smiles in seen:
                result.losses["duplicate"] += 1
            elif why := refuse(molecule):
                result.losses[why] += 1
                result.refused.add(why)
                seen.add(molecule.smiles)
            elif len(result.molecules) >= n:
                result.losses["surplus"] += 1
            else:
                seen.add(molecule.smiles)
                result.molecules.append(molecule)
                result.raw.append(samples.smiles[position])
                likelihood = samples.log_likelihood
                result.nll.append(float("nan") if likelihood is None else -float(likelihood[position]))
        on_batch(len(result.molecules) - before)
    return result
