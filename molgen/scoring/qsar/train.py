"""Trains an activity model on curated values: compare, choose, calibrate, hold against scrambles, write the card."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from molgen.core.errors import ConfigError
from molgen.core.suggest import did_you_mean
from molgen.scoring.qsar import splits, validate
from molgen.scoring.qsar.card import verdict
from molgen.scoring.qsar.curate import Curated
from molgen.scoring.qsar.features import Features
from molgen.scoring.qsar.intervals import Intervals, calibrate
from molgen.scoring.qsar.kinds import KINDS, Kind, candidates
from molgen.scoring.qsar.model import QsarModel
from molgen.scoring.qsar.validate import Held, Scrambled, Split, metrics

if TYPE_CHECKING:
    import pandas as pd

FORMAT_DIGITS = 4
#: Times the usual error at which a measurement is listed as one to look at again.
SUSPECT = 3.0
_SUSPECTS = 10


@dataclass
class Training:
    """A trained model and the predictions for held-back compounds that its figures come from."""

    model: QsarModel
    validation: pd.DataFrame


def chosen_kinds(names: Sequence[str] | None, n: int) -> list[Kind]:
    """The candidates: those asked for, else those meant for ``n`` compounds. Raises ConfigError."""
    if not names:
        return candidates(n)
    for name in names:
        if name not in KINDS:
            raise ConfigError(f"unknown kind of model {name!r}{did_you_mean(name, KINDS)}", "models")
        if n > KINDS[name].most:
            raise ConfigError(
                f"{name} is exact and takes up to {KINDS[name].most:,} compounds, there are {n:,}", "models"
            )
    return [kind for kind in KINDS.values() if kind.name in names]


def steps_of(n: int, n_kinds: int, scaffold: bool) -> int:
    """How many times progress is reported for ``n`` compounds."""
    times = scrambles(n) + 1
    if n > validate.NESTED_UP_TO:
        return n_kinds + times + 1
    inner = validate.INNER_FOLDS * n_kinds if n_kinds > 1 else 0
    return (1 + scaffold) * validate.FOLDS * (n_kinds + inner) + times + 1


def scrambles(n: int) -> int:
    """How many scrambled sets; 19 are the fewest that can give p = 0.05."""
    return validate.SCRAMBLES if n <= 300 else 19


def train(
    curated: Curated,
    *,
    policy: str = "default",
    kinds: Sequence[str] | None = None,
    coverage: float = 0.8,
    seed: int = 1,
    about: dict[str, Any] | None = None,
    progress: Callable[[int, int], Any] | None = None,
) -> Training:
    """Choose among the candidates by cross-validation, fit the best one to everything, and say what it is worth.

    ``about`` goes into the card (data, versions). ``progress`` is called with (steps done, all steps).
    """
    y, side, n = curated.y, curated.side, len(curated.y)
    wanted = chosen_kinds(kinds, n)
    mols = [mol.mol for mol in curated.molecules]
    x = Features.of(mols)
    groups = splits.scaffolds(mols)
    no_scaffold = splits.why_no_scaffold_split(groups)
    done, total = 0, steps_of(n, len(wanted), not no_scaffold)

    def tick() -> None:
        nonlocal done
        done += 1
        if progress is not None:
            progress(min(done, total), total)

    found = [
        validate.cross_validate(wanted, x, y, side, folds, name, seed, nested=nested and len(wanted) > 1, tick=tick)
        for name, folds, nested in validate.splits_of(n, groups, seed, by_scaffold=not no_scaffold)
    ]  # fmt: skip
    figures = {split.name: _figures(split, y, side) for split in found}
    errors = {
        k.name: float(np.mean([f["candidates"][k.name]["rmse"] for f in figures.values()])) for k in wanted
    }
    best = KINDS[validate.choose(errors)]
    # by the process, whatever was chosen: a hundred fits to some hundred compounds are nothing to it
    quick = KINDS["gp"]
    scrambled = validate.scramble(quick, x, y, side, seed, scrambles(n), tick)
    intervals, seen = _calibrate(found, best.name, y, side)
    fitted = best.fit(x, y, side, seed)
    tick()
    card = {
        **(about or {}),
        "target": {"name": curated.scale.name, "unit": curated.scale.unit, "column": curated.scale.column},
        "policy": policy,
        "seed": seed,
        "curation": curated.counts(),
        "training_set": _describe(curated, groups),
        "model": {"kind": best.name, "words": best.words, "candidates": [k.name for k in wanted]},
        "validation": figures,
        "no_scaffold_split": no_scaffold,
        "scrambled": _scrambled(scrambled, quick),
        "intervals": _interval_figures(intervals, seen, coverage, found, best.name, y, side),
        "suspects": _suspects(curated, seen, y, side, intervals),
    }
    card["verdict"] = verdict(card)
    model = QsarModel(
        fitted, intervals, curated.ids, [m.smiles for m in curated.molecules], y, side, x.bits, _rounded(card)
    )
    return Training(model, _table(curated, found, best.name))


def _figures(split: Split, y: np.ndarray, side: np.ndarray) -> dict[str, Any]:
    each = {name: metrics(y, held.prediction, held.baseline, side) for name, held in split.held.items()}
    found: dict[str, Any] = {"candidates": each}
    if split.nested is not None:
        baseline = next(iter(split.held.values())).baseline
        found["nested"] = {**metrics(y, split.nested, baseline, side), "chosen": split.chosen}
    return found


def _exact(held: Held, y: np.ndarray, side: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = ~np.isnan(held.prediction) & (side == 0)
    return (held.prediction - y)[rows], held.spread[rows], held.distance[rows]


def _calibrate(found: list[Split], name: str, y: np.ndarray, side: np.ndarray) -> tuple[Intervals, Held]:
    """Calibrated on the first split (random, where there are two); the second teaches the effect of distance."""
    further = _exact(found[1].held[name], y, side) if len(found) > 1 else None
    first = found[0].held[name]
    return calibrate(*_exact(first, y, side), further=further), first


def _interval_figures(
    intervals: Intervals,
    held: Held,
    coverage: float,
    found: list[Split],
    name: str,
    y: np.ndarray,
    side: np.ndarray,
) -> dict[str, Any]:
    _, spread, distance = _exact(held, y, side)
    half = intervals.half_width(spread, distance, coverage)
    figures: dict[str, Any] = {
        "coverage": coverage,
        "calibrated_on": found[0].name,
        "compounds": len(intervals.scores),
        "half_width": None if np.isinf(half).any() else float(np.median(half)),
        "settings": intervals.settings(),
    }
    if len(found) > 1:
        residual, spread, distance = _exact(found[1].held[name], y, side)
        inside = np.abs(residual) <= intervals.half_width(spread, distance, coverage)
        figures["covered_new_scaffolds"] = float(inside.mean())
    return figures


def _describe(curated: Curated, groups: np.ndarray) -> dict[str, Any]:
    exact = curated.y[curated.side == 0]
    several = curated.spread[(curated.side == 0) & (curated.replicates > 1)]
    return {
        "compounds": len(curated.y),
        "exact": len(exact),
        "censored": int((curated.side != 0).sum()),
        "low": float(curated.y.min()),
        "high": float(curated.y.max()),
        "mean": float(exact.mean()),
        "sd": float(exact.std(ddof=1)),
        "scaffolds": len(np.unique(groups)),
        "largest_scaffold": float(np.bincount(groups).max() / len(groups)),
        "replicated": len(several),
        "replicate_spread": float(np.median(several)) if len(several) else None,
    }


def _scrambled(scrambled: Scrambled, kind: Kind) -> dict[str, Any]:
    return {
        "model": kind.name,
        "rows": scrambled.rows,
        "times": len(scrambled.scrambled),
        "spearman": scrambled.spearman,
        "scrambled_95th_percentile": float(np.quantile(scrambled.scrambled, 0.95)),
        "p_value": scrambled.p_value,
    }


def _suspects(
    curated: Curated, held: Held, y: np.ndarray, side: np.ndarray, intervals: Intervals
) -> list[dict[str, Any]]:
    """Measurements that a model which had not seen them misses by far more than usual: look at them again."""
    with np.errstate(invalid="ignore"):
        ratio = np.abs(held.prediction - y) / intervals.difficulty(held.spread, held.distance)
    usual = float(np.median(intervals.scores)) / 0.6745  # a standard deviation, were the errors normal
    ratio = np.where((side == 0) & ~np.isnan(ratio), ratio, 0.0) / max(usual, 1e-12)
    worst = np.argsort(-ratio, kind="stable")[:_SUSPECTS]
    return [
        {"id": curated.ids[k], "value": float(y[k]), "predicted": float(held.prediction[k]), "times": float(ratio[k])}
        for k in worst.tolist()
        if ratio[k] > SUSPECT
    ]  # fmt: skip


def _table(curated: Curated, found: list[Split], name: str) -> pd.DataFrame:
    import pandas as pd

    columns: dict[str, Any] = {
        "id": curated.ids,
        "smiles": [mol.smiles for mol in curated.molecules],
        "value": curated.y,
        "side": curated.side,
        "replicates": curated.replicates,
        "replicate_spread": curated.spread,
    }
    for split in found:
        held = split.held[name]
        columns[f"{split.name}_held_back"] = np.round(held.prediction, FORMAT_DIGITS)
        columns[f"{split.name}_similarity"] = np.round(1.0 - held.distance, FORMAT_DIGITS)
    return pd.DataFrame(columns)


def _rounded(value: Any) -> Any:
    """Figures to six digits; NaN, which JSON lacks, becomes None."""
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    return value
