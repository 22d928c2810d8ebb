from __future__ import annotations

import hashlib
import pickle
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from molgen.core.errors import DataError
from molgen.data import catalog
from molgen.data.catalog import Entry, locate
from molgen.data.converters import forest, read_arrays, svm, write_arrays
from molgen.data.fetch import fetch

NODES = np.dtype(
    [("left_child", "<i8"), ("right_child", "<i8"), ("feature", "<i8"), ("threshold", "<f8"), ("n", "<i8")]
)


def stand_in(module: str, name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A class that pickles under a foreign name, as those of other versions of a library do."""
    holder = types.ModuleType(module)
    kind = type(name, (), {"__module__": module})
    setattr(holder, name, kind)
    monkeypatch.setitem(sys.modules, module, holder)
    return kind


@pytest.fixture
def classes(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    names = {
        "sklearn.ensemble.forest": "RandomForestClassifier",
        "sklearn.tree.tree": "DecisionTreeClassifier",
    }
    names |= {"sklearn.tree._tree_old": "Tree", "sklearn.svm.classes": "SVC"}
    return {name: stand_in(module, name, monkeypatch) for module, name in names.items()}


def with_state(kind: Any, **attributes: Any) -> Any:
    thing = kind()
    thing.__dict__.update(attributes)
    return thing


def a_forest(classes: dict[str, Any], nodes: list[tuple[Any, ...]]) -> bytes:
    values = np.array([[[3.0, 1.0]], [[3.0, 0.0]], [[0.0, 1.0]]])
    tree = with_state(classes["Tree"], nodes=np.array(nodes, dtype=NODES), values=values)
    trees = [with_state(classes["DecisionTreeClassifier"], tree_=tree)] * 2
    whole = with_state(classes["RandomForestClassifier"], estimators_=trees, classes_=np.array([0, 1]))
    return pickle.dumps(whole, protocol=3)


GOOD = [(1, 2, 7, 0.5, 4), (-1, -1, -2, -2.0, 3), (-1, -1, -2, -2.0, 1)]


def test_a_forest_becomes_arrays(classes: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "f.pkl").write_bytes(a_forest(classes, GOOD))
    forest(tmp_path / "f.pkl", tmp_path / "f.npz")
    arrays = read_arrays(tmp_path / "f.npz")
    assert arrays["root"].tolist() == [0, 3]
    assert arrays["left"].tolist() == [1, 1, 2, 4, 4, 5]
    assert arrays["right"].tolist() == [2, 1, 2, 5, 4, 5]
    assert arrays["feature"].tolist() == [7, 0, 0, 7, 0, 0]
    assert arrays["active"].tolist() == [0.25, 0, 1, 0.25, 0, 1]


@pytest.mark.parametrize(
    "nodes",
    [
        [(0, 2, 7, 0.5, 4), *GOOD[1:]],  # a branch that leads back: walking it would never end
        [(1, 9, 7, 0.5, 4), *GOOD[1:]],  # a branch into nowhere
        [(1, 2, 4096, 0.5, 4), *GOOD[1:]],  # a bit that there is not
    ],
)
def test_a_damaged_forest_is_refused(classes: dict[str, Any], tmp_path: Path, nodes: list[Any]) -> None:
    (tmp_path / "f.pkl").write_bytes(a_forest(classes, nodes))
    with pytest.raises(DataError, match=r"a tree (whose|that)"):
        forest(tmp_path / "f.pkl", tmp_path / "f.npz")


def test_another_kind_of_model_is_refused(classes: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "f.pkl").write_bytes(a_forest(classes, GOOD))
    with pytest.raises(DataError, match="expected an object of class SVC"):
        svm(tmp_path / "f.pkl", tmp_path / "f.npz")


def test_a_machine_becomes_arrays(classes: dict[str, Any], tmp_path: Path) -> None:
    vectors = np.zeros((3, 2048))
    vectors[1, 5] = 2
    about = {
        "classes_": np.array([0, 1]),
        "support_vectors_": vectors,
        "_dual_coef_": np.array([[0.5, -1.0, 0.5]]),
        "_intercept_": np.array([0.25]),
        "probA_": np.array([-2.0]),
        "probB_": np.array([0.1]),
        "kernel": "rbf",
        "_gamma": 0.5,
    }
    (tmp_path / "s.pkl").write_bytes(pickle.dumps(with_state(classes["SVC"], **about), protocol=3))
    svm(tmp_path / "s.pkl", tmp_path / "s.npz")
    arrays = read_arrays(tmp_path / "s.npz")
    assert arrays["vectors"].dtype == np.uint8
    assert arrays["vectors"][1, 5] == 2
    assert arrays["platt"].tolist() == [-2.0, 0.1]
    about["support_vectors_"] = vectors + 0.5
    (tmp_path / "s.pkl").write_bytes(pickle.dumps(with_state(classes["SVC"], **about), protocol=3))
    with pytest.raises(DataError, match="not a radial two-class machine"):
        svm(tmp_path / "s.pkl", tmp_path / "s.npz")


def test_the_same_arrays_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_arrays(tmp_path / name, {"x": np.arange(4.0), "y": np.zeros(2, dtype="<i4")})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_arrays_of_objects_are_not_read(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.array([{}], dtype=object))
    with pytest.raises(DataError, match="damaged"):
        read_arrays(tmp_path / "x.npz")


def test_fetching_converts_and_leaves_no_pickle(
    classes: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blob = a_forest(classes, GOOD)
    (tmp_path / "f.pkl").write_bytes(blob)
    forest(tmp_path / "f.pkl", tmp_path / "expected.npz")
    wheel = tmp_path / "pkg-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        packed.writestr("pkg/f.pkl", blob)
    entry = Entry(
        "f",
        "a forest",
        "f.npz",
        package="pkg",
        version="1",
        wheel=wheel.name,
        wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        member="pkg/f.pkl",
        member_sha256=hashlib.sha256(blob).hexdigest(),
        convert="molgen.data.converters:forest",
        sha256=hashlib.sha256((tmp_path / "expected.npz").read_bytes()).hexdigest(),
    )
    monkeypatch.setattr(catalog, "_catalog", lambda: {"f": entry})
    monkeypatch.setenv("MOLGEN_DATA", str(tmp_path / "cache"))
    for source in (wheel, tmp_path / "f.pkl", tmp_path / "expected.npz"):  # whichever somebody could bring
        fetch("f", source=source)
        assert locate("f").read_bytes() == (tmp_path / "expected.npz").read_bytes()
        assert [path.name for path in (tmp_path / "cache").iterdir()] == ["f.npz"]
    (tmp_path / "g.pkl").write_bytes(b"other")
    with pytest.raises(DataError, match="another version or damaged"):
        fetch("f", source=tmp_path / "g.pkl")
