"""The kinds of models that are compared: how each is fitted, read back, and for how many compounds it is meant."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

import numpy as np

from molgen.scoring.qsar.features import Features


class Fitted(Protocol):
    """A fitted model of any kind."""

    kind: str

    def mean_of(self, x: Features) -> np.ndarray:
        """Predicted values float64 ``[n]``."""
        ...

    def predict(self, x: Features) -> tuple[np.ndarray, np.ndarray]:
        """Predicted values and the model's own spread, float64 ``[n]``."""
        ...

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything that it is made of."""
        ...


@dataclass(frozen=True)
class Kind:
    """One kind; ``fewest`` and ``most`` compounds for which it is considered unless asked for by name."""

    name: str
    words: str
    module: str
    class_name: str
    fewest: int
    most: int

    def fit(self, x: Features, y: np.ndarray, side: np.ndarray, seed: int, *, quick: bool = False) -> Fitted:
        """Fit to values ``y``; ``side`` -1 / +1 marks open-ended ones."""
        function: Callable[..., Fitted] = import_module(self.module).fit
        return function(x, y, side, seed, quick=quick)

    def from_arrays(self, arrays: dict[str, np.ndarray]) -> Fitted:
        """Inverse of ``Fitted.arrays``."""
        maker: Any = getattr(import_module(self.module), self.class_name)
        fitted: Fitted = maker.from_arrays(arrays)
        return fitted


_HERE = "molgen.scoring.qsar"
KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("gp", "Gaussian process, Tanimoto kernel of counts", f"{_HERE}.gp", "GaussianProcess", 0, 5000),
        Kind("forest", "random forest on count fingerprints and descriptors", f"{_HERE}.forest", "Forest", 0, 10**9),
        Kind("graph", "graph network (GINE) on atoms and bonds", f"{_HERE}.graph", "GraphNetwork", 2001, 10**9),
    )
}  # fmt: skip


def candidates(n: int) -> list[Kind]:
    """The kinds that are worth trying on ``n`` compounds."""
    return [kind for kind in KINDS.values() if kind.fewest <= n <= kind.most]
