from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

from molgen.benchmark.classifiers import classifier
from molgen.benchmark.features import N_BITS, Features
from molgen.core.errors import DataError
from molgen.data.converters import write_arrays

SMILES = [
    "CC(=O)Nc1ccc(O)cc1", "CC(=O)Oc1ccccc1C(=O)O", "CN1CCC[C@H]1c1cccnc1", "CCO", "c1ccccc1", "NCCc1ccc(O)c(O)c1",
    "CN1C=NC2=C1C(=O)N(C)C(=O)N2C", "CC(C)Cc1ccc(C(C)C(=O)O)cc1", "O=C1NCCN1", "C1CCNCC1", "CCN(CC)CC", "OCC(O)CO",
]  # fmt: skip
LABELS = np.arange(len(SMILES)) % 2
#: Published with TDC's own tests.
TDC = [
    "CC(C)(C)[C@H]1CCc2c(sc(NC(=O)COc3ccc(Cl)cc3)c2C(N)=O)C1",
    "CCNC(=O)c1ccc(NC(=O)N2CC[C@H](C)[C@H](O)C2)c(C)c1",
    "C[C@@H]1CCN(C(=O)CCCc2ccccc2)C[C@@H]1O",
]


def features(smiles: list[str]) -> list[Features]:
    return [Features.parse(text) for text in smiles]


def test_published_vectors(fetched: None) -> None:
    assert classifier("gsk3b")(features(TDC[:1])).tolist() == pytest.approx([0.03], abs=1e-15)
    assert classifier("jnk3")(features(TDC)).tolist() == pytest.approx([0.01, 0.0, 0.01], abs=1e-15)
    expected = [0.0015465365340340924, 0.0023541754878916416, 0.004715407010872501]
    assert classifier("drd2")(features(TDC)).tolist() == pytest.approx(expected, abs=1e-14)


def test_a_forest_gives_what_scikit_learn_gives(tmp_path: Path) -> None:
    from sklearn.ensemble import RandomForestClassifier

    molecules = features(SMILES)
    bits = np.zeros((len(molecules), N_BITS))
    for row, molecule in enumerate(molecules):
        bits[row, molecule.ecfp4_bits] = 1
    model = RandomForestClassifier(n_estimators=7, max_depth=3, random_state=0).fit(bits, LABELS)
    parts = {"left": [], "right": [], "feature": [], "threshold": [], "active": []}
    roots, offset = [], 0
    for tree in (estimator.tree_ for estimator in model.estimators_):
        own, leaf = np.arange(tree.node_count), tree.children_left < 0
        parts["left"].append(np.where(leaf, own, tree.children_left) + offset)
        parts["right"].append(np.where(leaf, own, tree.children_right) + offset)
        parts["feature"].append(np.where(leaf, 0, tree.feature))
        parts["threshold"].append(tree.threshold)
        parts["active"].append(tree.value[:, 0, 1] / tree.value[:, 0].sum(axis=1))
        roots.append(offset)
        offset += tree.node_count
    arrays = {key: np.concatenate(value) for key, value in parts.items()}
    write_arrays(tmp_path / "f.npz", {**arrays, "root": np.array(roots)})
    ours = classifier("gsk3b", tmp_path / "f.npz")(molecules)
    assert ours.tolist() == model.predict_proba(bits)[:, 1].tolist()
    assert len(set(ours.tolist())) > 3


def test_a_machine_gives_what_libsvm_gives(tmp_path: Path) -> None:
    from sklearn.svm import SVC

    molecules = features(SMILES * 3)
    counts = np.zeros((len(molecules), N_BITS))
    for row, molecule in enumerate(molecules):
        places, numbers = molecule.fcfp6_folded
        counts[row, places] = numbers
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # scikit-learn will drop what the old files hold
        model = SVC(kernel="rbf", gamma=0.02, C=10, probability=True, random_state=0)
        model.fit(counts, np.tile(LABELS, 3))
        theirs = model.predict_proba(counts)[:, 1]
    arrays = {
        "vectors": model.support_vectors_.astype(np.uint8),
        "weights": model._dual_coef_[0],
        "intercept": model._intercept_,
        "gamma": np.array([0.02]),
        "platt": np.concatenate([model._probA, model._probB]),
    }
    write_arrays(tmp_path / "s.npz", arrays)
    ours = classifier("drd2", tmp_path / "s.npz")(molecules)
    assert np.abs(ours - theirs).max() < 1e-12
    assert np.ptp(ours) > 0.1


def test_batches_do_not_change_a_value(tmp_path: Path, fetched: None) -> None:
    score = classifier("jnk3")
    whole = score(features(SMILES * 30))
    alone = score(features(SMILES))
    assert whole.tolist() == np.tile(alone, 30).tolist()
    assert score([]).shape == (0,)


def test_the_arrays_of_another_classifier_are_refused(tmp_path: Path) -> None:
    write_arrays(tmp_path / "x.npz", {"left": np.zeros(1)})
    for name in ("drd2", "gsk3b"):
        with pytest.raises(DataError, match=f"molgen data fetch {name}"):
            classifier(name, tmp_path / "x.npz")
