from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem

from molgen.metrics.drift import PROPERTIES, drifts, property_table, share_shifts


def test_effects_are_in_deviations_of_the_reference() -> None:
    rng = np.random.default_rng(0)
    reference = {"logp": rng.normal(3, 2, 4000), "qed": rng.normal(0.5, 0.1, 4000)}
    sample = {"logp": rng.normal(5, 1, 4000), "qed": rng.normal(0.5, 0.1, 4000)}
    logp, qed = drifts(sample, reference)
    assert logp.effect == pytest.approx(1.0, abs=0.06)
    assert logp.words == "large"
    assert logp.larger == pytest.approx(0.815, abs=0.02)
    assert logp.spread == pytest.approx(0.5, abs=0.03)
    assert logp.distance == pytest.approx(2.0, abs=0.15)
    assert qed.words == "none"
    assert qed.larger == pytest.approx(0.5, abs=0.02)


def test_a_property_without_spread_or_counterpart_is_no_crash() -> None:
    found = drifts({"rings": np.ones(5), "other": np.ones(5)}, {"rings": np.ones(7)})
    assert [(drift.name, drift.effect, drift.larger) for drift in found] == [("rings", 0.0, 0.5)]


def test_all_properties_of_the_report_are_computed() -> None:
    table = property_table([Chem.MolFromSmiles("CCO"), Chem.MolFromSmiles("c1ccccc1")])
    assert set(table) == set(PROPERTIES)
    assert table["rings"].tolist() == [0.0, 1.0]


def test_scaffolds_that_became_frequent_or_rare_come_first() -> None:
    found = share_shifts({"a": 50, "b": 10}, 100, {"a": 10, "b": 10, "c": 30}, 100, top=2)
    assert [(row.key, row.share, row.reference_share) for row in found] == [("a", 0.5, 0.1), ("c", 0.0, 0.3)]
    assert share_shifts({}, 0, {"a": 1}, 1) == []
