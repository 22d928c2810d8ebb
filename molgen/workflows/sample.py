"""Drawing molecules from a model into a table, with the funnel of what was lost on the way."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from molgen.chem.molecule import Molecule
from molgen.core.errors import ConfigError
from molgen.models.protocol import Generator
from molgen.models.sampling import Drawn, draw_molecules
from molgen.report.frame import MoleculeFrame
from molgen.run.progress import Progress
from molgen.workflows.capability import require

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SampleResult(MoleculeFrame):
    """Drawn molecules: ``smiles`` and ``nll`` (nats, None without likelihood), and what became of every draw."""

    smiles: list[str]
    nll: list[float | None]
    requested: int
    funnel: list[tuple[str, int]] = field(default_factory=list)
    losses: Mapping[str, int] = field(default_factory=dict)
    asked: Mapping[str, float] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.smiles)

    @property
    def shortfall(self) -> int:
        """How many fewer than asked."""
        return max(0, self.requested - len(self.smiles))

    def to_frame(self) -> pd.DataFrame:
        """Columns ``smiles``, ``nll``, in the order drawn."""
        import pandas as pd

        return pd.DataFrame({"smiles": self.smiles, "nll": self.nll})

    def caption(self) -> str:
        """The funnel in one line."""
        return self.summary()

    def summary(self) -> str:
        """What was drawn, kept and lost, in one line."""
        steps = ", ".join(f"{count} {label}" for label, count in self.funnel)
        lost = ", ".join(f"{count} {why}" for why, count in sorted(self.losses.items(), key=lambda x: -x[1]))
        answers = [f"; asked for {name} {value:g}{self._have(name)}" for name, value in self.asked.items()]
        return f"{steps}" + (f" (lost: {lost})" if lost else "") + "".join(answers)

    def _have(self, name: str) -> str:
        """What they have of a property that can be computed, in words."""
        import numpy as np

        from molgen.models.graph_vae.properties import PROPERTIES, compute

        if name not in PROPERTIES or not self.smiles:
            return ""
        values = compute(self.smiles)[:, PROPERTIES.index(name)]
        values = values[np.isfinite(values)]
        return f", they have {values.mean():.3g} +- {values.std():.2g}" if len(values) else ""


def sample(
    generator: Generator,
    n: int,
    *,
    seed: int = 1,
    shard: tuple[int, int] = (0, 1),
    temperature: float | None = None,
    batch_size: int = 512,
    policy: str = "default",
    raw: bool = False,
    quiet: bool = False,
    scaffold: str | None = None,
    greedy: bool = False,
    beam: int | None = None,
    min_p: float | None = None,
    conditions: Mapping[str, float] | None = None,
) -> SampleResult:
    """``n`` distinct, valid, standardized molecules, or with ``raw`` the first ``n`` strings as they were drawn.

    ``shard=(i, k)``: this is job i of k; each draws ``n`` from a stream of its own. ``scaffold``: all contain
    it, built on at its marks ``[*:1]`` where it has any. ``greedy``: the likeliest choices at each drawn point.
    ``beam``: its likeliest molecule, as far as a search with that many alternatives finds it.
    ``min_p``: a token less probable than this share of the most probable one is not drawn. ``temperature`` and
    ``min_p`` are the model's own where they are None. ``conditions``: values that they are to have, by name, of a
    model that was trained with these. Raises ModelError where the model can do none of this, DataError for a scaffold
    that cannot be one, ConfigError for a condition that the model does not know.
    """
    own: Mapping[str, float] = getattr(generator, "sampling_defaults", {})
    temperature = own.get("temperature", 1.0) if temperature is None else temperature
    min_p = own.get("min_p") if min_p is None else min_p
    options: dict[str, Any] = {}
    if scaffold is not None:
        require(generator, "constrain")
        generator.scaffold(scaffold)  # type: ignore[attr-defined]  # a bad one is refused before anything is drawn
        options["scaffold"] = scaffold
    if greedy:
        require(generator, "decode")
        options["greedy"] = True
    if beam is not None:
        require(generator, "beam")
        if beam < 1 or greedy:
            raise ConfigError("must be at least 1, and goes without greedy, which is a beam of 1", "beam")
        options["beam"] = beam
    if min_p is not None:
        if "min_p" not in own:
            raise ConfigError(f"a model of the family {generator.family!r} has none", "min_p")
        if not 0 <= min_p < 1:
            raise ConfigError(f"must be at least 0 and below 1, got {min_p:g}", "min_p")
        options["min_p"] = min_p
    if conditions:
        require(generator, "conditions")
        generator.sample(0, seed=0, conditions=conditions)  # type: ignore[call-arg]  # unknown ones are refused here
        options["conditions"] = dict(conditions)
    if own.get("corrected") and not raw:  # raw strings are for measuring
        options["corrected"] = True
    index, count = shard
    if not 0 <= index < count:
        raise ValueError(f"shard {index}/{count}: the first number must be 0..{count - 1}")
    with Progress(n, "molecules", "sampling", quiet=quiet) as bar:
        if raw:
            drawn_raw = _raw(generator, n, seed, index, temperature, batch_size, bar, options)
            return replace(drawn_raw, asked=dict(conditions or {}))
        drawn = draw_molecules(
            generator,
            n,
            seed=seed,
            shard=index,
            temperature=temperature,
            batch_size=batch_size,
            policy=policy,
            options=options,
            refuse=without(scaffold),
            on_batch=bar.advance,
        )
    return replace(_result(drawn, n), asked=dict(conditions or {}))


def _result(drawn: Drawn, n: int) -> SampleResult:
    nll = [None if math.isnan(value) else value for value in drawn.nll]
    losses = {why: count for why, count in drawn.losses.items() if count}
    return SampleResult([m.smiles for m in drawn.molecules], nll, n, drawn.funnel(), losses)


def without(scaffold: str | None) -> Callable[[Molecule], str]:
    """Why a molecule is no answer: standardization may change a scaffold, as a charged one. Empty where it is one."""
    if scaffold is None:
        return lambda molecule: ""
    from rdkit import Chem

    query = Chem.RWMol(Chem.MolFromSmiles(scaffold))
    for mark in sorted((a.GetIdx() for a in query.GetAtoms() if a.GetAtomicNum() == 0), reverse=True):
        query.RemoveAtom(mark)  # a marked place may stay as it is
    return lambda molecule: "" if molecule.mol.HasSubstructMatch(query) else "scaffold changed by the policy"


def _raw(
    generator: Generator,
    n: int,
    seed: int,
    shard: int,
    temperature: float,
    batch_size: int,
    bar: Any,
    options: Mapping[str, Any],
) -> SampleResult:
    from molgen.core.seeding import stream

    smiles: list[str] = []
    nll: list[float | None] = []
    for number, first in enumerate(range(0, n, batch_size)):
        size = min(batch_size, n - first)
        drawn = generator.sample(
            size,
            seed=stream(seed, "sample", number, shard=shard),
            temperature=temperature,
            batch_size=size,
            **options,
        )
        smiles += drawn.smiles
        nll += [None] * size if drawn.log_likelihood is None else (-drawn.log_likelihood).tolist()
        bar.advance(size)
    return SampleResult(smiles, nll, n, [("drawn", n)])
