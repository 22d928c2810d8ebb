from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from molgen.core.errors import DataError
from molgen.metrics.distribution import read_sample
from molgen.metrics.fcd import moments
from molgen.metrics.moses import MosesInputs, moses_metrics, reference_statistics
from molgen.metrics.reference import ReferenceStatistics, read_moses_statistics

REFERENCE = ["Oc1ccccc1-c1cccc2cnccc12", "COc1cccc(NC(=O)Cc2coc3ccc(OC)cc23)c1", "CCO", "CCN"]
SAMPLE = ["CCN", "CCN", "c1ccc(-c2ccccc2)cc1", "not a molecule", "COc1cccc(NC(=O)C)c1"]


class FakeChemNet:
    def activations(self, smiles: list[str], *, batch_size: int = 512, progress: object = None) -> np.ndarray:
        return np.array([[len(s), s.count("c"), s.count("N")] for s in smiles], dtype=np.float32)


def test_the_reference_itself_is_perfect_and_not_novel(tmp_path: Path) -> None:
    reference = reference_statistics(read_sample(REFERENCE), FakeChemNet())
    inputs = MosesInputs(FakeChemNet(), {"Test": reference}, training=REFERENCE)
    result = moses_metrics(read_sample(REFERENCE), inputs, ks=(2,))
    assert result["FCD/Test"] == pytest.approx(0.0, abs=1e-6)
    assert result["SNN/Test"] == result["Scaf/Test"] == result["unique@2"] == result["valid"] == 1.0
    assert result["Frag/Test"] == pytest.approx(1.0)
    assert [result[name] for name in ("logP", "SA", "QED", "weight", "Novelty")] == [0.0] * 5


def test_every_metric_of_a_sample_is_there_and_short_ones_have_no_value() -> None:
    reference = reference_statistics(read_sample(REFERENCE), FakeChemNet())
    stages: list[str] = []
    result = moses_metrics(
        read_sample(SAMPLE),
        MosesInputs(FakeChemNet(), {"Test": reference, "TestSF": reference}),
        ks=(3, 1000),
        report=lambda stage, done, total: stages.append(stage),
    )
    assert (result["valid"], result["unique@3"], result["unique@1000"]) == (0.8, pytest.approx(2 / 3), None)
    assert result["FCD/Test"] == result["FCD/TestSF"] > 1
    assert "Novelty" not in result
    assert "Filters" not in result
    assert "nearest in TestSF" in stages


def test_reference_statistics_survive_the_file(tmp_path: Path) -> None:
    reference = reference_statistics(read_sample(REFERENCE), FakeChemNet())
    reference.save(tmp_path / "reference.npz")
    again = ReferenceStatistics.load(tmp_path / "reference.npz")
    assert (again.n, dict(again.fragments), dict(again.scaffolds)) == (
        4,
        dict(reference.fragments),
        dict(reference.scaffolds),
    )
    assert np.array_equal(again.fcd.sigma, reference.fcd.sigma)
    assert np.array_equal(again.fingerprints, reference.fingerprints)
    assert all(np.array_equal(again.properties[k], v) for k, v in reference.properties.items())
    assert [path.name for path in tmp_path.iterdir()] == ["reference.npz"]


def test_the_pickled_statistics_of_molsets_are_read_without_unpickling(tmp_path: Path) -> None:
    fingerprints = np.random.default_rng(0).integers(0, 2, size=(6, 1024)).astype("uint8")
    fcd = moments(np.random.default_rng(1).normal(size=(9, 4)))
    content = {
        "FCD": {"mu": fcd.mu.astype("f4"), "sigma": fcd.sigma},
        "SNN": {"fps": fingerprints},
        "Frag": {"frag": Counter({"C": 3})},
        "Scaf": {"scaf": Counter({"c1ccccc1": 2})},
        **{name: {"values": [1.0, 2.5]} for name in ("logP", "SA", "QED", "weight")},
    }
    np.savez_compressed(tmp_path / "test_stats.npz", stats=np.array(content, dtype=object))
    found = read_moses_statistics(tmp_path / "test_stats.npz")
    assert found.n == 6
    assert np.array_equal(np.unpackbits(found.fingerprints, axis=1), fingerprints)
    assert np.allclose(found.fcd.mu, fcd.mu)
    assert (found.fragments, found.scaffolds) == ({"C": 3}, {"c1ccccc1": 2})
    assert found.properties["QED"].tolist() == [1.0, 2.5]


@pytest.mark.parametrize("read", [ReferenceStatistics.load, read_moses_statistics])
def test_damaged_reference_files_are_named(read: object, tmp_path: Path) -> None:
    path = tmp_path / "stats.npz"
    for content in (b"", b"PK\x03\x04 no archive"):
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"stats\.npz"):
            read(path)
    np.savez(path, other=np.zeros(3))
    with pytest.raises(DataError, match=r"stats\.npz"):
        read(path)
    with pytest.raises(DataError, match=r"absent\.npz"):
        read(tmp_path / "absent.npz")
