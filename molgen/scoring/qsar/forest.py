"""A random forest kept as plain arrays: grown by scikit-learn, predicted by array operations with the same result."""

from __future__ import annotations

from typing import Any

import numpy as np

from molgen.scoring.qsar.features import Features

KIND = "forest"
TREES = 100
#: Rows from which fewer features are tried at a split, for time, and from which leaves are larger, for disk.
_MANY, _VERY_MANY = 2000, 5000
_BLOCK = 2048


class Forest:
    """Trees as arrays over all nodes: node ``i`` sends a molecule to ``left[i]`` if its feature is <= the threshold.

    ``roots`` int64 ``[trees]``; a leaf is its own ``left`` and ``right`` child. Breiman, Machine Learning 45 (2001) 5.
    """

    kind = KIND

    def __init__(
        self,
        roots: np.ndarray,
        feature: np.ndarray,
        threshold: np.ndarray,
        left: np.ndarray,
        right: np.ndarray,
        value: np.ndarray,
    ) -> None:
        self.roots, self.feature, self.threshold = roots, feature, threshold
        self.left, self.right, self.value = left, right, value

    def leaves(self, table: np.ndarray) -> np.ndarray:
        """The value of each tree for each row of a float32 table: float64 ``[trees, n]``."""
        n = len(table)
        flat, width = np.ascontiguousarray(table, dtype=np.float32).ravel(), table.shape[1]
        node = np.repeat(self.roots[:, None], n, axis=1).ravel()
        row = np.tile(np.arange(n, dtype=np.int64) * width, len(self.roots))
        moving = np.flatnonzero(self.left[node] != node)
        while len(moving):
            at = node[moving]
            # scikit-learn compares float32 features with float64 thresholds; so does NumPy here
            goes_left = flat[row[moving] + self.feature[at]] <= self.threshold[at]
            after = np.where(goes_left, self.left[at], self.right[at])
            node[moving] = after
            moving = moving[self.left[after] != after]
        return np.asarray(self.value[node].reshape(len(self.roots), n))

    def predict_table(self, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean over the trees and their standard deviation, float64 ``[n]``."""
        mean, spread = np.empty(len(table)), np.empty(len(table))
        for start in range(0, len(table), _BLOCK):
            part = slice(start, start + _BLOCK)
            each = self.leaves(table[part])
            mean[part] = np.cumsum(each, axis=0)[-1] / len(each)  # tree by tree, as scikit-learn adds
            spread[part] = each.std(axis=0)
        return mean, spread

    def mean_of(self, x: Features) -> np.ndarray:
        """Predicted values float64 ``[n]``."""
        return self.predict_table(x.table)[0]

    def predict(self, x: Features) -> tuple[np.ndarray, np.ndarray]:
        """Predicted values and the spread of the trees, float64 ``[n]``."""
        return self.predict_table(x.table)

    def arrays(self) -> dict[str, np.ndarray]:
        """The nodes of all trees."""
        return {
            "forest.roots": self.roots,
            "forest.feature": self.feature.astype(np.int16),
            "forest.threshold": self.threshold,
            "forest.left": self.left.astype(np.int32),
            "forest.right": self.right.astype(np.int32),
            "forest.value": self.value,
        }

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Forest:
        """Inverse of :meth:`arrays`."""
        whole = [arrays[f"forest.{name}"].astype(np.int64) for name in ("roots", "feature", "left", "right")]
        roots, feature, left, right = whole
        return cls(roots, feature, arrays["forest.threshold"], left, right, arrays["forest.value"])

    @classmethod
    def from_sklearn(cls, grown: Any) -> Forest:
        """The arrays of a fitted ``RandomForestRegressor``."""
        trees = [estimator.tree_ for estimator in grown.estimators_]
        sizes = np.array([tree.node_count for tree in trees], dtype=np.int64)
        roots = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        shift = np.repeat(roots, sizes)
        own = np.arange(int(sizes.sum()), dtype=np.int64)
        left, right, feature = (
            np.concatenate([getattr(tree, name) for tree in trees]).astype(np.int64)
            for name in ("children_left", "children_right", "feature")
        )
        leaf = left < 0
        return cls(
            roots,
            np.where(leaf, 0, feature),
            np.concatenate([tree.threshold for tree in trees]),
            np.where(leaf, own, left + shift),
            np.where(leaf, own, right + shift),
            np.concatenate([tree.value[:, 0, 0] for tree in trees]),
        )


def grow(table: np.ndarray, y: np.ndarray, seed: int, trees: int = TREES, out_of_bag: bool = False) -> Any:
    """scikit-learn's forest with our settings."""
    from sklearn.ensemble import RandomForestRegressor

    forest = RandomForestRegressor(
        n_estimators=trees,
        max_features="sqrt" if len(table) > _MANY else 0.1,
        min_samples_leaf=3 if len(table) > _VERY_MANY else 1,
        bootstrap=True,
        oob_score=out_of_bag,
        random_state=seed % (1 << 32),
        n_jobs=1,
    )
    return forest.fit(table, y)


def fit(x: Features, y: np.ndarray, side: np.ndarray, seed: int, *, quick: bool = False, **_: Any) -> Forest:
    """Grow on ``y`` float64 ``[n]``; open-ended values (``side``) are imputed one-sidedly from out-of-bag predictions.

    ``quick``: fewer trees, where only a comparison is wanted.
    """
    trees, target, table = (30 if quick else TREES), y.astype(np.float64).copy(), x.table
    open_ended = np.flatnonzero(side)
    if len(open_ended):
        # 50 trees: all but certain that each row is out of the bag of some tree (1 - 0.632 ** 50)
        guess = grow(table, target, seed, 50, out_of_bag=True).oob_prediction_[open_ended]
        bound = y[open_ended]
        target[open_ended] = np.where(
            side[open_ended] < 0, np.minimum(bound, guess), np.maximum(bound, guess)
        )
    return Forest.from_sklearn(grow(table, target, seed, trees))
