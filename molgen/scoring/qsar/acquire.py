"""Which molecules to measure next: what could beat the best one, or what tells most about all the others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import linalg
from scipy.stats import norm

from molgen.chem.fingerprints import nearest, tanimoto
from molgen.core.errors import ConfigError
from molgen.core.suggest import did_you_mean

#: ``improvement``: expected improvement on the best measured one; finds actives, and teaches the model little.
#: ``knowledge``: what lowers the uncertainty about all candidates most; teaches the model, and finds fewer actives.
RULES = ("improvement", "knowledge")
#: Noise of a measurement over the signal, as the activity models expect it of assay data.
NOISE = 0.4
#: Measured compounds that are reckoned with: those nearest to the candidates (the matrix is solved for).
_MOST_MEASURED = 2000


def expected_improvement(mean: np.ndarray, spread: np.ndarray, best: float) -> np.ndarray:
    """Float64 ``[n]``: by how much one is expected to exceed ``best`` (Jones et al., J. Glob. Optim. 13 (1998))."""
    safe = np.maximum(spread, 1e-12)
    z = (mean - best) / safe
    return np.asarray(safe * (z * norm.cdf(z) + norm.pdf(z)))


def by_improvement(
    mean: np.ndarray, spread: np.ndarray, prints: np.ndarray, n: int, *, best: float
) -> tuple[list[int], np.ndarray]:
    """Positions of ``n`` molecules in the order of choice, and what each was worth then, in units of the target.

    ``mean`` and ``spread`` float64 ``[m]``: prediction, higher is better, and its standard deviation; ``prints``:
    packed ECFP4. What is like a chosen one loses the square of its similarity, so that a batch is not one series.
    """
    base = expected_improvement(mean, spread, best)
    apart = np.ones(len(base))
    chosen: list[int] = []
    worth: list[float] = []
    for _ in range(min(n, len(base))):
        value = base * apart
        value[chosen] = -np.inf
        pick = int(value.argmax())
        chosen.append(pick)
        worth.append(float(value[pick]))
        apart = np.minimum(apart, 1.0 - np.square(_similarity(prints[pick : pick + 1], prints)[0]))
    return chosen, np.array(worth)


def by_knowledge(prints: np.ndarray, measured: np.ndarray, n: int) -> tuple[list[int], np.ndarray]:
    """Positions of ``n`` molecules in the order of choice, and by how much each lowers the mean variance of all.

    ``prints`` and ``measured``: packed ECFP4 of the candidates and of what has been measured. Variances are those of a
    Gaussian process with the Tanimoto kernel, as shares of its prior variance (Cohn et al., J. Artif. Intell. Res. 4
    (1996) 129). Nothing is asked of the activity model, so a poor one does no harm.
    """
    if not len(prints):
        return [], np.zeros(0)
    if len(measured) > _MOST_MEASURED:
        near = nearest(measured, prints)[1]
        measured = measured[np.sort(np.argsort(-near, kind="stable")[:_MOST_MEASURED])]
    covariance = _similarity(prints, prints)
    if len(measured):
        across = _similarity(prints, measured)
        known = _similarity(measured, measured) + NOISE * np.eye(len(measured))
        covariance -= across @ linalg.solve(known, across.T, assume_a="pos")
    chosen: list[int] = []
    worth: list[float] = []
    for _ in range(min(n, len(prints))):
        own = np.maximum(covariance.diagonal(), 0.0) + NOISE
        value = np.square(covariance).mean(axis=0) / own
        value[chosen] = -np.inf
        pick = int(value.argmax())
        chosen.append(pick)
        worth.append(float(value[pick]))
        covariance -= np.outer(covariance[pick], covariance[pick]) / own[pick]
    return chosen, np.array(worth)


def check_rule(rule: str, key: str = "rule", known: Sequence[str] = RULES) -> None:
    """Raise ConfigError for a rule that is none."""
    if rule not in known:
        raise ConfigError(f"unknown rule {rule!r}{did_you_mean(rule, known)}", key)


def _similarity(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return tanimoto(a, b).astype(np.float64)
