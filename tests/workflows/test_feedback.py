"""Feedback is read as people write it, and a table with mistakes names every one of them and changes nothing."""

from types import SimpleNamespace

import pytest

from molgen.core.errors import DataError
from molgen.workflows.feedback import Assay, read_feedback

CANDIDATES = {"mg-3": "CCO", "mg-8": "c1ccccc1O", "mg-9": "CCN"}
ASSAY = Assay("egfr", SimpleNamespace(unit="log10", name="pIC50"), ("pIC50", "egfr"))


def read(tmp_path, text, name="feedback.csv", assays=()):
    (tmp_path / name).write_text(text)
    return read_feedback(tmp_path / name, candidates=CANDIDATES, assays=assays)


def verdicts(found):
    return {mol.smiles: liked for mol, liked in found.verdicts}


def test_structures_or_ids_with_likes_and_empty_cells(tmp_path):
    by_structure = read(tmp_path, "smiles,like,comment\nOCC,yes,good\nOc1ccccc1,-1,greasy\nCCCC,,\n")
    assert verdicts(by_structure) == {"CCO": True, "Oc1ccccc1": False}
    by_id = read(tmp_path, "id,like\nmg-3,1\nmg-8,0\nmg-9,\n")
    assert verdicts(by_id) == {"CCO": True, "Oc1ccccc1": False}
    assert [mol.smiles for mol in by_id.known] == ["Oc1ccccc1"]
    assert by_id.notes == ["1 likes and 1 dislikes from column 'like'", "1 without an opinion or a value"]


def test_measurements_with_units_and_bounds(tmp_path):
    (values,) = read(tmp_path, "smiles,pIC50\nCCO,7.2\nCCN,<5\nCCC,\n", assays=[ASSAY]).measured.values()
    assert [(one.molecule.smiles, one.value, one.side) for one in values] == [
        ("CCO", 7.2, 0),
        ("CCN", 5.0, -1),
    ]
    (values,) = read(tmp_path, "smiles,pIC50\nCCO,100 nM\n", assays=[ASSAY]).measured.values()
    assert values[0].value == pytest.approx(7.0)


def test_predictions_are_not_taken_for_measurements(tmp_path):
    text = "id,smiles,egfr,egfr_desirability,like\nmg-3,CCO,7.9,0.9,yes\n"
    assert read(tmp_path, text, assays=[ASSAY]).measured == {}
    text = "id,smiles,egfr,egfr_desirability,egfr_measured\nmg-3,CCO,7.9,0.9,5.5\n"
    (values,) = read(tmp_path, text, assays=[ASSAY]).measured.values()
    assert values[0].value == 5.5


def test_every_wrong_line_is_named_with_its_cure(tmp_path):
    text = "id,smiles,like,pIC50\nmg-3,CCO,maybe,\nx,C(C,yes,\nmg-8,c1ccccc1O,,high\nmg-9,CCN,no,\n"
    with pytest.raises(DataError) as caught:
        read(tmp_path, text, assays=[ASSAY])
    words = str(caught.value)
    assert "3 lines cannot be used, so nothing was changed" in words
    assert "line 2: 'maybe' is no verdict; write 1 / 0, yes / no" in words
    assert "line 3: " in words
    assert "line 4: " in words
    assert "high" in words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "id,like\nmg-77,yes\n",
            "line 2: 'mg-77' is no candidate of this run; ids are those of results/candidates.csv",
        ),
        ("smiles,rating\nCCO,5\n", "no column holds feedback; add a column 'like'"),
        ("smiles,like\nCCO,\n", "every cell of like is empty"),
        ("smiles,like\nCCO,yes\nOCC,no\n", "line 3: CCO is liked in one line and disliked in another"),
        ("a,b\n1,2\n", "feedback.csv"),
    ],
)
def test_a_table_without_usable_feedback_is_refused_in_words(tmp_path, text, words):
    with pytest.raises(DataError) as caught:
        read(tmp_path, text)
    assert words in str(caught.value)
