"""Which molecules to measure next: what a model expects of each, how unsure it is, and no two that teach the same."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import norm

from molgen.chem.fingerprints import tanimoto
from molgen.core.errors import ConfigError
from molgen.core.suggest import did_you_mean

#: ``improvement``: expected improvement on the best measured one. ``uncertainty``: where the model knows least.
RULES = ("improvement", "uncertainty")


def expected_improvement(mean: np.ndarray, spread: np.ndarray, best: float) -> np.ndarray:
    """Float64 ``[n]``: by how much one is expected to exceed ``best`` (Jones et al., J. Glob. Optim. 13 (1998))."""
    safe = np.maximum(spread, 1e-12)
    z = (mean - best) / safe
    return np.asarray(safe * (z * norm.cdf(z) + norm.pdf(z)))


def choose_batch(
    mean: np.ndarray,
    spread: np.ndarray,
    prints: np.ndarray,
    n: int,
    *,
    best: float,
    rule: str = "improvement",
) -> tuple[list[int], np.ndarray]:
    """Positions of ``n`` molecules, in the order in which they were chosen, and what each was worth then, ``[n]``.

    ``mean`` and ``spread`` float64 ``[m]``: prediction, higher is better, and its standard deviation; ``prints``:
    packed ECFP4. What is like a chosen one gives way, so that a batch is not one series: under ``uncertainty`` it loses
    the variance that the chosen one's measurement would explain if similarity were correlation, under ``improvement``
    the same share of its worth. Raises ConfigError.
    """
    check_rule(rule)
    base = spread if rule == "uncertainty" else expected_improvement(mean, spread, best)
    base = base.astype(np.float64)
    # Variances of independent pieces of news multiply; an improvement can be found once only
    joint = np.ones(len(mean))
    open_ = np.ones(len(mean), dtype=bool)
    chosen: list[int] = []
    worth: list[float] = []
    for _ in range(min(n, len(mean))):
        value = base * (np.sqrt(joint) if rule == "uncertainty" else joint)
        pick = int(np.where(open_, value, -np.inf).argmax())
        chosen.append(pick)
        worth.append(float(value[pick]))
        open_[pick] = False
        alike = 1.0 - np.square(tanimoto(prints[pick : pick + 1], prints)[0].astype(np.float64))
        joint = joint * alike if rule == "uncertainty" else np.minimum(joint, alike)
    return chosen, np.array(worth)


def check_rule(rule: str, key: str = "rule", known: Sequence[str] = RULES) -> None:
    """Raise ConfigError for a rule that is none."""
    if rule not in known:
        raise ConfigError(f"unknown rule {rule!r}{did_you_mean(rule, known)}", key)
