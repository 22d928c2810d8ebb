"""Cross-validation of all candidates, nested where that is affordable, and the same on scrambled activities."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy import stats

from molgen.chem.fingerprints import nearest
from molgen.core.seeding import numpy_generator, stream
from molgen.scoring.qsar.features import Features
from molgen.scoring.qsar.kinds import Kind
from molgen.scoring.qsar.splits import group_folds, group_holdout, random_folds

NESTED_UP_TO = 2000
FOLDS, INNER_FOLDS = 5, 3
HELD_BACK = 0.2
SCRAMBLES, SCRAMBLED_ROWS = 40, 500

Tick = Callable[[], Any]


@dataclass
class Held:
    """Predictions of compounds that the model had not seen; float64 ``[n]``, NaN where a row was never held back.

    ``distance``: 1 - similarity to the nearest compound it had seen. ``baseline``: the mean of what it had seen.
    """

    prediction: np.ndarray
    spread: np.ndarray
    distance: np.ndarray
    baseline: np.ndarray

    @classmethod
    def empty(cls, n: int) -> Held:
        """Nothing held back yet."""
        return cls(*(np.full(n, np.nan) for _ in range(4)))


@dataclass
class Split:
    """One way of holding back: what each candidate predicted, and what the nested choice predicted (or None)."""

    name: str
    held: dict[str, Held]
    nested: np.ndarray | None = None
    chosen: list[str] = field(default_factory=list)


def metrics(y: np.ndarray, prediction: np.ndarray, baseline: np.ndarray, side: np.ndarray) -> dict[str, Any]:
    """Figures over the held-back compounds with exact values; open-ended ones are counted on the right side or not."""
    seen = ~np.isnan(prediction)
    exact = seen & (side == 0)
    error, plain = prediction[exact] - y[exact], baseline[exact] - y[exact]
    mse, of_mean = float(np.mean(error**2)), float(np.mean(plain**2))
    found: dict[str, Any] = {
        "n": int(exact.sum()),
        "rmse": mse**0.5,
        "rmse_of_mean": of_mean**0.5,
        "mae": float(np.abs(error).mean()),
        "q2": 1.0 - mse / of_mean if of_mean else float("nan"),
        "spearman": spearman(y[exact], prediction[exact]),
    }
    open_ended = seen & (side != 0)
    if open_ended.any():
        right = side[open_ended] * (prediction[open_ended] - y[open_ended]) >= 0
        found["censored"] = int(open_ended.sum())
        found["censored_right_side"] = int(right.sum())
    return found


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Rank correlation; 0 where one of the two does not vary."""
    if len(a) < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(stats.spearmanr(a, b).statistic)


def cross_validate(
    kinds: Sequence[Kind],
    x: Features,
    y: np.ndarray,
    side: np.ndarray,
    folds: np.ndarray,
    name: str,
    seed: int,
    *,
    nested: bool,
    tick: Tick,
) -> Split:
    """Hold back each fold in turn (rows of fold -1 are never held back); ``nested`` also chooses within each rest."""
    split = Split(name, {kind.name: Held.empty(len(y)) for kind in kinds})
    picked = np.full(len(y), np.nan)
    for fold in range(int(folds.max()) + 1):
        out, rest = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
        inside, outside = x.take(rest), x.take(out)
        distance = 1.0 - nearest(outside.bits, inside.bits)[1].astype(np.float64)
        own = stream(seed, "qsar", name, fold)
        for kind in kinds:
            fitted = kind.fit(inside, y[rest], side[rest], own)
            held = split.held[kind.name]
            held.prediction[out], held.spread[out] = fitted.predict(outside)
            held.distance[out] = distance
            held.baseline[out] = y[rest].mean()
            tick()
        if nested:
            best = _inner_choice(kinds, inside, y[rest], side[rest], own, tick)
            split.chosen.append(best)
            picked[out] = split.held[best].prediction[out]
    split.nested = picked if nested else None
    return split


def _inner_choice(
    kinds: Sequence[Kind], x: Features, y: np.ndarray, side: np.ndarray, seed: int, tick: Tick
) -> str:
    if len(kinds) == 1:
        return kinds[0].name
    folds = random_folds(len(y), INNER_FOLDS, numpy_generator(seed, "inner"))
    exact = side == 0
    error = {}
    for kind in kinds:
        predicted = np.empty(len(y))
        for fold in range(INNER_FOLDS):
            out, rest = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
            fitted = kind.fit(x.take(rest), y[rest], side[rest], seed, quick=True)
            predicted[out] = fitted.mean_of(x.take(out))
            tick()
        error[kind.name] = float(np.mean((predicted - y)[exact] ** 2))
    return choose(error)


def choose(error: dict[str, float]) -> str:
    """The candidate with the smallest error; the earlier (simpler) one where they are within 2 %."""
    best = min(error.values())
    return next(name for name, value in error.items() if value <= 1.02 * best)


def splits_of(
    n: int, groups: np.ndarray, seed: int, *, by_scaffold: bool
) -> list[tuple[str, np.ndarray, bool]]:
    """What is held back: (name, fold of each row, nested). Two five-fold splits, or one held-back part of many rows."""
    rng = numpy_generator(seed, "qsar", "folds")
    if n <= NESTED_UP_TO:
        plans = [("random", random_folds(n, FOLDS, rng), True)]
        if by_scaffold:
            plans.append(("scaffold", group_folds(groups, FOLDS, rng), True))
        return plans
    if by_scaffold:
        held = group_holdout(groups, HELD_BACK, rng)
        if held.sum() >= 0.5 * HELD_BACK * n:
            return [("scaffold", np.where(held, 0, -1), False)]
    return [("random", np.where(random_folds(n, round(1 / HELD_BACK), rng) == 0, 0, -1), False)]


@dataclass(frozen=True)
class Scrambled:
    """The rank correlation with the real activities and with each scrambled set, under the same protocol."""

    rows: int
    spearman: float
    scrambled: list[float]

    @property
    def p_value(self) -> float:
        """Share of outcomes at least as good as the real one, itself included (one-sided permutation test)."""
        better = sum(value >= self.spearman for value in self.scrambled)
        return (1 + better) / (1 + len(self.scrambled))


def scramble(
    kind: Kind, x: Features, y: np.ndarray, side: np.ndarray, seed: int, times: int, tick: Tick
) -> Scrambled:
    """Cross-validated rank correlation on ``times`` permutations of the activities (at most 500 rows), and on none.

    Ruecker et al., J. Chem. Inf. Model. 47 (2007) 2345: small sets reach surprising figures with scrambled activities.
    """
    rng = numpy_generator(seed, "qsar", "scramble")
    rows = np.flatnonzero(side == 0)
    if len(rows) > SCRAMBLED_ROWS:
        rows = np.sort(rng.choice(rows, SCRAMBLED_ROWS, replace=False))
    part, values = x.take(rows).alone(), y[rows]
    folds = random_folds(len(rows), FOLDS, rng)
    pieces = [(np.flatnonzero(folds == f), np.flatnonzero(folds != f)) for f in range(FOLDS)]
    none = np.zeros(len(rows), dtype=np.int8)
    found = []
    for turn in range(times + 1):
        mixed = values if turn == 0 else rng.permutation(values)
        predicted = np.empty(len(rows))
        for out, rest in pieces:
            fitted = kind.fit(part.take(rest), mixed[rest], none[rest], seed, quick=True)
            predicted[out] = fitted.mean_of(part.take(out)) - mixed[rest].mean()
        # without the means of the rests: they rank the folds backwards, which would flatter any real model
        found.append(spearman(mixed, predicted))
        tick()
    return Scrambled(len(rows), found[0], found[1:])
