"""Property-guided search in a latent space, and how far the property head's claims are from the real scorer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from molgen.chem.hazard import WITHHELD, Screen
from molgen.chem.molecule import Molecule, parse_all
from molgen.core.errors import ConfigError
from molgen.core.suggest import did_you_mean
from molgen.learn.labels import from_card
from molgen.models.protocol import HasPrior
from molgen.report.frame import MoleculeFrame
from molgen.scoring.toxicity import steering_problem
from molgen.workflows.capability import require

if TYPE_CHECKING:
    import pandas as pd
    import torch

#: The scorers that compute what a property head has learned.
SCORERS = {"logp": "logp", "qed": "qed", "sa": "sa_score", "tpsa": "tpsa", "mw": "mol_weight"}
Towards = float | Literal["higher", "lower"]
Judge = Callable[[list[Molecule]], np.ndarray]


@dataclass(frozen=True)
class Steered(MoleculeFrame):
    """Molecules at the ends of the ways uphill, one row each, best real value first.

    ``claim``: what the head says of the end point. ``reread``: what it says of the point where the decoded molecule is
    encoded. ``real``: the scorer's value. ``before``: the scorer's value where the way began. ``gap`` = claim - real.
    Where nothing computes the property (not ``judged``) there is no ``real``, ``before`` is the head's, and
    ``held_out`` is what the card says of the head: its ``error`` on so many ``values``.
    """

    name: str
    towards: Towards
    smiles: list[str]
    claim: np.ndarray
    reread: np.ndarray
    real: np.ndarray
    before: np.ndarray
    log_prior: np.ndarray
    similarity: np.ndarray | None
    ways: int
    judged: bool = True
    held_out: Mapping[str, Any] = field(default_factory=dict)
    withheld: int = 0

    def __len__(self) -> int:
        return len(self.smiles)

    @property
    def gap(self) -> np.ndarray:
        """How much better or worse the head finds the end point than the molecule is: claim - real."""
        return self.claim - self.real

    def to_frame(self) -> pd.DataFrame:
        """Columns ``smiles``, ``claim``, ``real``, ``gap``, ``reread``, ``before``, ``log_prior``, ``similarity``."""
        import pandas as pd

        names = ["smiles", "claim", *(["real", "gap"] if self.judged else []), "reread", "before"]
        columns = {name: getattr(self, name) for name in names}
        columns["log_prior"] = self.log_prior
        if self.similarity is not None:
            columns["similarity"] = self.similarity
        return pd.DataFrame(columns)

    def caption(self) -> str:
        """What the head claims, what the scorer finds, and what of the claim is real."""
        return self._told() + (f"; {self.withheld} {WITHHELD}" if self.withheld else "")

    def _told(self) -> str:
        if not len(self):
            return f"none of {self.ways} ways ended at a molecule with a value"
        if not self.judged:
            return self._claims_only()
        text = (
            f"{len(self)} molecules from {self.ways} ways; mean {self.name}: the head claims {self.claim.mean():.3g}, "
            f"the scorer finds {self.real.mean():.3g} (gap {self.gap.mean():+.3g}), "
            f"before {np.nanmean(self.before):.3g}"
        )
        gained, promised = np.nanmean(self.real - self.before), np.nanmean(self.claim - self.before)
        if isinstance(self.towards, str) and abs(promised) > 1e-9:
            text += f"; {100 * gained / promised:.0f} % of the promised change is real"
        if len(self) > 2 and self.claim.std() > 0 and self.real.std() > 0:
            text += f"; correlation {np.corrcoef(self.claim, self.real)[0, 1]:.2f}"
        return text

    def _claims_only(self) -> str:
        text = (
            f"{len(self)} molecules from {self.ways} ways. Nothing computes {self.name}, so these are claims of the "
            f"head, and none is checked: mean {self.claim.mean():.3g} where the ways end, "
            f"{np.nanmean(self.reread):.3g} for the molecules themselves, {np.nanmean(self.before):.3g} before. "
        )
        if not self.held_out.get("values"):
            return (
                text + "No molecule with a measured value was held out: nobody knows how far off the head is"
            )
        return text + (
            f"On {self.held_out['values']:.0f} held-out molecules it was off by {self.held_out['error']:.3g} on "
            f"average (R2 {self.held_out['r2']:.2f}); among new molecules expect worse"
        )


def steer(
    generator: Any,
    name: str,
    *,
    towards: Towards = "higher",
    start: str | None = None,
    n: int = 20,
    steps: int = 40,
    step_size: float = 0.1,
    caution: float = 1.0,
    jitter: float = 0.5,
    scorer: str | Callable[..., Any] | None = None,
    seed: int = 1,
    off_manifold: bool = False,
) -> Steered:
    """Follow the property head uphill from ``n`` points and say what of its claims is true.

    ``name``: a property of the model. ``towards``: ``"higher"``, ``"lower"`` or a target value in the property's unit.
    The ways begin around ``start`` (at ``jitter`` standard deviations), or at points of the prior. ``step_size``:
    standard deviations per step. ``caution``: weight of the prior's log-density per latent number against the head's
    value in standard deviations: where no molecule was, the head knows nothing. ``scorer``: the judge; a name,
    ``file.py:function`` or a function of an RDKit molecule; default: the property's own. A measured column has none:
    its result is of claims only, sorted by what the head says of the molecules themselves, and says so.
    ``off_manifold``: no way goes where the critic of a latent GAN sees no molecule.

    Raises ModelError for a model without a property head or decoder, ConfigError for names, DataError for the start.
    """
    require(generator, "encode", "decode", "properties")
    if problem := steering_problem(name, towards):
        raise ConfigError(problem, "towards")
    names = list(generator.properties)
    if name not in names:
        raise ConfigError(f"unknown property {name!r}{did_you_mean(name, names)}", "property")
    if isinstance(towards, str) and towards not in ("higher", "lower"):
        raise ConfigError(f"must be higher, lower or a number, not {towards!r}", "towards")
    if n < 1 or steps < 1 or step_size <= 0 or caution < 0:
        raise ConfigError("n, steps and step_size must be above 0, caution at least 0", "steer")
    measured = name in getattr(generator, "measured", ())  # taught from a column: nothing computes it
    with nullcontext() if measured and scorer is None else _judged(name, scorer) as judge:
        reference = None if start is None else Molecule.from_smiles(start)
        begin = _beginnings(generator, reference, n, jitter, seed)
        end = _uphill(generator, begin, names.index(name), towards, steps, step_size, caution, off_manifold)
        return _report(generator, name, towards, begin, end, judge, reference)


def _read(generator: Any, column: int, mols: Sequence[Molecule]) -> np.ndarray:
    """What the head says of molecules, by way of their points."""
    import torch

    if not mols:
        return np.zeros(0)
    with torch.no_grad():
        found: np.ndarray = (
            generator.predict(generator.encode([m.smiles for m in mols]))[:, column].double().cpu().numpy()
        )
    return found


def _beginnings(generator: Any, start: Molecule | None, n: int, jitter: float, seed: int) -> torch.Tensor:
    from molgen.models.latent.moves import around, encoded, from_prior, whitening

    if start is None:
        return from_prior(generator, n, seed=seed)
    center = encoded(generator, [start.smiles])[0]
    points = around(center, whitening(generator), n=n, radius=jitter, seed=seed)
    points[0] = center  # one way begins at the molecule itself
    return points


def _uphill(
    generator: Any,
    z: torch.Tensor,
    column: int,
    towards: Towards,
    steps: int,
    size: float,
    caution: float,
    guarded: bool,
) -> torch.Tensor:
    """Steps along the slope of head plus ``caution`` times the prior's log-density per number, in whitened space."""
    import torch

    from molgen.models.latent.moves import kept_on_manifold, whitening

    space = whitening(generator)
    spread = float(list(generator.properties.values())[column][1])
    prior = generator.prior if isinstance(generator, HasPrior) else None
    x = space.to(z)
    for step in range(steps):
        with torch.enable_grad():
            point = x.detach().requires_grad_(True)
            value = generator.predict(space.back(point))[:, column]
            if isinstance(towards, str):
                worth = (value if towards == "higher" else -value) / spread
            else:
                worth = -((value - towards) / spread).square()
            (slope,) = torch.autograd.grad(worth.sum(), point)
        density = -x if prior is None else prior.slope(space.back(x)) * space.scale
        slope = slope + caution / x.shape[1] * density
        length = slope.norm(dim=1, keepdim=True)
        # at most one step long, less where it is flat, and shorter towards the end
        further = x + size * (1 - step / steps) * slope / length.clamp(min=0.1)
        x = space.to(kept_on_manifold(generator, space.back(x), space.back(further))) if guarded else further
    return space.back(x)


def _report(
    generator: Any,
    name: str,
    towards: Towards,
    begin: torch.Tensor,
    end: torch.Tensor,
    judge: Judge | None,
    reference: Molecule | None,
) -> Steered:
    import torch

    from molgen.chem.fingerprints import morgan, tanimoto

    column = list(generator.properties).index(name)
    with torch.no_grad():
        claim = generator.predict(end)[:, column].double().cpu().numpy()
        dense = isinstance(generator, HasPrior) and generator.prior.has_density
        density = generator.prior.log_prob(end) if dense else end[:, 0] * math.nan
    value = judge or partial(_read, generator, column)  # without a judge the head's word is all there is
    before = np.full(len(begin), np.nan)
    first = parse_all(generator.decode(begin))
    before[first.index] = value(first.ok)
    last = parse_all(generator.decode(end))
    real = np.full(len(end), np.nan)
    real[last.index] = value(last.ok)
    molecules = dict(zip(last.index, last.ok, strict=True))
    seen: dict[str, int] = {}
    screen = Screen()
    for k in range(len(end)):  # of several ways to one molecule the first is kept
        if not math.isnan(real[k]) and screen.withholds(molecules[k].mol) is None:
            seen.setdefault(molecules[k].smiles, k)
    signs = {"higher": -1.0, "lower": 1.0}
    worth = signs[towards] * real if isinstance(towards, str) else np.abs(real - towards)
    rows = sorted(seen.values(), key=lambda k: worth[k])
    kept = [molecules[k] for k in rows]
    reread = _read(generator, column, kept)
    alike = None
    if reference is not None and kept:
        alike = tanimoto(morgan([m.mol for m in kept]), morgan([reference.mol]))[:, 0]
    return Steered(
        name,
        towards,
        [m.smiles for m in kept],
        claim[rows],
        reread,
        real[rows] if judge is not None else np.full(len(rows), np.nan),
        before[rows],
        density.double().cpu().numpy()[rows],
        alike,
        len(end),
        judge is not None,
        from_card(getattr(generator, "card", {}), name),
        sum(screen.counts.values()),
    )


@contextmanager
def _judged(name: str, scorer: str | Callable[..., Any] | None) -> Iterator[Judge]:
    """What gives molecules their real value, NaN where there is none."""
    if callable(scorer):
        function = scorer
        yield lambda mols: np.array([float(function(m.mol)) for m in mols])
        return
    from molgen.core.schema import ObjectiveConfig
    from molgen.scoring.objective import build_objective

    use = scorer or SCORERS.get(name)
    if use is None:
        raise ConfigError(
            f"nothing computes the property {name!r}: name a scorer that says what is real", "scorer"
        )
    curve = {"type": "sigmoid", "low": 0, "high": 1}  # not used: the raw values are
    config = ObjectiveConfig.model_validate(
        {"components": [{"use": use, "name": "real", "transform": curve}]}
    )
    objective = build_objective(config, base_dir=Path.cwd())
    try:
        yield lambda mols: np.asarray(objective(mols, everything=True).raw["real"])
    finally:
        objective.close()
