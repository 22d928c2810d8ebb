"""Turns published files that only exist as pickles into plain arrays while they are fetched; nothing is unpickled.

The classifiers of DRD2, GSK3B and JNK3 (Olivecrona et al. 2017; Li et al. 2018) were published as pickled objects of
scikit-learn. Their license is not stated, so they are converted on the machine of the user and never shipped.
:mod:`molgen.core.inert_pickle` reads the stream without importing or calling anything; what is kept is checked for
type, shape and range and written by :func:`write_arrays`, which gives the same bytes everywhere.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy

from molgen.core.errors import DataError
from molgen.core.inert_pickle import attributes, read_inert, to_array

N_BITS = 2048


def forest(source: Path, target: Path) -> None:
    """A pickled random forest of two classes over 0/1 fingerprints as arrays, all trees one after the other.

    ``left``, ``right`` (int32, index of the child; a leaf is its own child), ``feature`` (int16), ``threshold``
    (float64), ``active`` (float64, share of the second class at the node) and ``root`` (int32, one per tree).
    Raises DataError if the pickle is something else.
    """
    with source.open("rb") as stream:
        about = attributes(read_inert(stream, source.name), "RandomForestClassifier")
    _expect_two_classes(about, source)
    trees = about.get("estimators_")
    if not isinstance(trees, list) or not trees:
        raise DataError(f"{source}: a forest without trees")
    parts: dict[str, list[np.ndarray]] = {
        key: [] for key in ("left", "right", "feature", "threshold", "active")
    }
    roots, offset = [], 0
    for tree in trees:
        state = attributes(attributes(tree, "DecisionTreeClassifier").get("tree_"), "Tree")
        nodes, values = to_array(state.get("nodes")), to_array(state.get("values"))
        if nodes.dtype.names is None or values.shape != (len(nodes), 1, 2):
            raise DataError(f"{source}: a tree whose nodes have values of shape {values.shape}")
        own = np.arange(len(nodes))
        leaf = nodes["left_child"] < 0
        left, right = (np.where(leaf, own, nodes[key]) for key in ("left_child", "right_child"))
        # Children come after their parents: every walk ends.
        if not bool(((left > own) | leaf).all() & ((right > own) | leaf).all()):
            raise DataError(f"{source}: a tree whose branches do not lead downwards")
        feature = np.where(leaf, 0, nodes["feature"])
        if max(left.max(), right.max()) >= len(nodes) or not 0 <= feature.min() <= feature.max() < N_BITS:
            raise DataError(f"{source}: a tree that points outside of itself")
        parts["left"].append(left + offset)
        parts["right"].append(right + offset)
        parts["feature"].append(feature)
        parts["threshold"].append(nodes["threshold"])
        parts["active"].append(values[:, 0, 1] / values[:, 0].sum(axis=1))
        roots.append(offset)
        offset += len(nodes)
    types = {"left": "<i4", "right": "<i4", "feature": "<i2", "threshold": "<f8", "active": "<f8"}
    arrays = {key: np.concatenate(parts[key]).astype(types[key]) for key in parts}
    write_arrays(target, {**arrays, "root": np.array(roots, dtype="<i4")})


def svm(source: Path, target: Path) -> None:
    """A pickled two-class support-vector machine with a radial kernel over counts, and its probability model.

    ``vectors`` (uint8 ``[n, 2048]``), ``weights`` (float64 ``[n]``, signed), ``intercept``, ``gamma``, ``platt``
    (A, B). Raises DataError if the pickle is something else.
    """
    with source.open("rb") as stream:
        about = attributes(read_inert(stream, source.name), "SVC")
    _expect_two_classes(about, source)
    vectors = to_array(about.get("support_vectors_"))
    weights = to_array(about.get("_dual_coef_"))
    platt = [to_array(about.get(key)) for key in ("probA_", "probB_")]
    intercept, gamma = to_array(about.get("_intercept_")), about.get("_gamma")
    fits = about.get("kernel") == "rbf" and isinstance(gamma, float) and gamma > 0
    fits &= vectors.ndim == 2 and vectors.shape[1] == N_BITS and weights.shape == (1, len(vectors))
    fits &= intercept.shape == (1,) and all(part.shape == (1,) for part in platt)
    if not fits or not np.array_equal(vectors, vectors.astype(np.uint8)):
        raise DataError(f"{source}: not a radial two-class machine over {N_BITS} counts with probabilities")
    write_arrays(
        target,
        {
            "vectors": vectors.astype(np.uint8),
            "weights": weights[0].astype("<f8"),
            "intercept": intercept.astype("<f8"),
            "gamma": np.array([gamma], dtype="<f8"),
            "platt": np.concatenate(platt).astype("<f8"),
        },
    )


def _expect_two_classes(about: Mapping[str, Any], source: Path) -> None:
    if not np.array_equal(to_array(about.get("classes_")), [0, 1]):
        raise DataError(f"{source}: the classes are not 0 (inactive) and 1 (active)")


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write an ``.npz`` without objects, not compressed and without times: the same arrays give the same bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as out:
        for name, array in arrays.items():
            buffer = io.BytesIO()
            npy.write_array(buffer, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            info.create_system = 3
            out.writestr(info, buffer.getvalue())


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read what :func:`write_arrays` wrote; objects are refused. Raises DataError for a damaged file."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is damaged ({error}); delete it and fetch it again") from error
