import numpy as np
import pytest

from molgen.core.errors import DataError
from molgen.data.sdf import Row
from molgen.scoring.qsar.curate import curate
from molgen.scoring.qsar.values import find_scale

FILLERS = [("C" * k + "c1ccccc1O", 5 + 0.1 * k) for k in range(1, 25)]


def table(*rows, target="pIC50", **options):
    """(smiles, cell) rows after 24 ordinary ones."""
    scale, _ = find_scale("t.csv", [target, "units"], target)
    every = [*FILLERS, *rows]
    return curate([Row(i + 2, s, f"m{i}", {target: v}) for i, (s, v) in enumerate(every)], scale, **options)


def last(found, n=1):
    return found.decisions[-n:]


def test_every_row_has_one_decision_and_the_counts_add_up():
    found = table(("CCN", 6.0), ("CCN.Cl", 6.2), ("c1ccc", 7.0), ("CCCN", ""), ("CCCCN", 4.0), ("CCCCN", 8.0))
    counts = found.counts()
    assert counts["rows"] == 30
    assert [d.decision for d in last(found, 6)] == [
        "kept",
        "merged",
        "rejected",
        "rejected",
        "conflict",
        "conflict",
    ]
    assert counts["reasons"] == {
        "merged: replicate": 1,
        "rejected: structure unparsable": 1,
        "rejected: value no_value": 1,
        "conflict: replicates": 2,
    }
    assert found.y[-1] == pytest.approx(6.1)
    assert found.spread[-1] == pytest.approx(0.2)
    assert found.replicates[-1] == 2
    assert "counter-ion" in found.decisions[-5].note
    assert len(found.frame()) == 30


def test_a_conflict_is_never_averaged_silently():
    rows = [("CCN", 6.0), ("NCC", 7.8)]
    assert len(table(*rows).y) == 24
    found = table(*rows, conflicts="median")
    assert found.y[-1] == pytest.approx(6.9)
    assert all("differ by 1.80" in d.note for d in last(found, 2))
    assert len(table(*rows, conflict=2.0).y) == 25


def test_open_ended_values_stay_open_ended():
    found = table(("CCN", "<5"), ("CCCN", ">8"), ("CCN", "<4.5"))
    assert found.side[-2:].tolist() == [-1, 1]
    assert found.y[-2] == 4.5  # the tighter bound
    assert found.counts()["censored"] == 2


def test_an_exact_value_wins_over_a_bound_that_it_keeps_and_conflicts_with_one_that_it_breaks():
    found = table(("CCN", "<5"), ("CCN", 4.2))
    assert (found.y[-1], found.side[-1]) == (4.2, 0)
    assert last(table(("CCN", "<5"), ("CCN", 7.5)))[0].decision == "conflict"
    assert last(table(("CCN", "<5"), ("CCN", ">6")))[0].decision == "conflict"


def test_tautomers_are_one_compound_and_stereo_isomers_are_two():
    found = table(("Oc1ccccn1", 6.0), ("O=c1cccc[nH]1", 6.2), ("C[C@H](N)C(=O)O", 5.0), ("CC(N)C(=O)O", 7.0))
    assert found.replicates[-3:].tolist() == [2, 1, 1]
    assert "tautomer" in found.decisions[-3].note
    assert all("stereo form" in d.note for d in last(found, 2))


def test_outliers_are_flagged_and_kept():
    found = table(("CCN", 14.0))
    assert found.decisions[-1].decision == "kept"
    assert "outlier" in found.decisions[-1].note


def test_units_are_converted_row_by_row():
    scale, _ = find_scale("t.csv", ["IC50", "units"], "IC50")
    rows = [Row(i, s, None, {"IC50": 10**-v * 1e9, "units": "nM"}) for i, (s, v) in enumerate(FILLERS)]
    found = curate([*rows, Row(99, "CCN", None, {"IC50": "0.1", "units": "uM"})], scale)
    assert found.y == pytest.approx([*(v for _, v in FILLERS), 7.0])


def test_parts_share_no_compound_and_make_up_the_whole():
    first, second = ({mol.smiles for mol in table(*big(), part=(i, 2)).molecules} for i in (1, 2))
    assert not first & second
    assert len(first | second) == 24 + 60
    assert table(*big(), part=(1, 2)).counts()["set_aside"] == len(second)


def big():
    return [("C" * k + "OCC" + "F" * j, 5.0 + 0.05 * k + j) for k in range(1, 31) for j in (0, 1)]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("CCN", 6.0)] * 30, r"1 with an exact value .* at least 20 \(29 merged: replicate\)"),
        ([("C" * k, 6.0) for k in range(1, 31)], "all 30 values of 'pIC50' are 6; there is nothing to learn"),
        (
            [("C" * k, "active") for k in range(1, 31)],
            r"30 of 30 cells .* 'active' is no number\. Choose another --target",
        ),
        ([("C" * k, 100 * k) for k in range(1, 31)], "a concentration without a unit"),
        ([("C" * k, f"<{k}") for k in range(1, 15)], "0 with an exact value"),
    ],
)
def test_tables_that_cannot_be_used_are_refused_in_words(rows, words):
    scale, _ = find_scale("t.csv", ["pIC50"], "pIC50")
    with pytest.raises(DataError, match=words):
        curate([Row(i + 2, s, None, {"pIC50": v}) for i, (s, v) in enumerate(rows)], scale, source="t.csv")


def test_values_of_other_properties_conflict_by_their_own_spread():
    scale, _ = find_scale("t.csv", ["clearance"], "clearance")
    rows = [Row(i, s, None, {"clearance": 100 * v}) for i, (s, v) in enumerate(FILLERS)]
    more = [Row(90 + i, "CCN", None, {"clearance": v}) for i, v in enumerate((600.0, 640.0))]
    found = curate([*rows, *more], scale)
    assert found.y[-1] == 620.0
    assert np.isfinite(found.y).all()
