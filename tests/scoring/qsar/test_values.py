import math

import pytest

from molgen.core.errors import DataError
from molgen.scoring.qsar.values import Unusable, find_scale, p_name_of, parse_cell, unit_of


@pytest.mark.parametrize(
    ("text", "unit"),
    [("nM", "nM"), ("NM", "nM"), ("nmol/L", "nM"), ("µM", "uM"), ("μM", "uM"), ("um", "uM"), ("mM", "mM"), ("M", "M"),
     ("pM", "pM"), ("micromolar", "uM"), ("mm", None), ("m", None), ("ug/mL", None), ("%", None)],
)  # fmt: skip
def test_units_are_read_as_a_chemist_writes_them_and_never_guessed(text, unit):
    assert unit_of(text) == unit


@pytest.mark.parametrize(
    ("cell", "number", "side", "unit"),
    [("7.3", 7.3, 0, None), (">10000", 10000, 1, None), ("<= 5 nM", 5, -1, "nM"), ("~0.3uM", 0.3, 0, "uM"),
     ("1e-7 M", 1e-7, 0, "M"), ("7,3", 7.3, 0, None), ("1,234.5", 1234.5, 0, None), ("1,234,567", 1234567, 0, None),
     ("12 ± 3 nM", 12, 0, "nM"), (12, 12, 0, None), ("-1.5", -1.5, 0, None), (".5", 0.5, 0, None)],
)  # fmt: skip
def test_cells(cell, number, side, unit):
    found = parse_cell(cell)
    assert found[0] == pytest.approx(number)
    assert found[1:3] == (side, unit)


@pytest.mark.parametrize(
    ("cell", "why"),
    [("", "no_value"), (None, "no_value"), (math.nan, "no_value"), ("n.d.", "no_value"), ("inactive", "not_a_number"),
     ("5-10", "range"), ("1,234", "ambiguous_comma"), (math.inf, "not_a_number"), ("1.2.3", "not_a_number"),
     (True, "not_a_number")],
)  # fmt: skip
def test_cells_without_a_number_say_why(cell, why):
    with pytest.raises(Unusable) as error:
        parse_cell(cell)
    assert error.value.why == why


def scale(target, columns=(), cells=(), **given):
    return find_scale("t.csv", [target, *columns], target, cells=cells, **given)[0]


def test_a_concentration_becomes_a_logarithm_and_its_qualifier_turns_round():
    found = scale("IC50 (nM)")
    assert (found.kind, found.name, found.row_unit) == ("molar", "pIC50", "nM")
    value, side, _ = found.read({"IC50 (nM)": ">10000"})
    assert (value, side) == (pytest.approx(5.0), -1)


@pytest.mark.parametrize(
    ("target", "name", "unit"),
    [("IC50_nM", "pIC50", "nM"), ("Ki [uM]", "pKi", "uM"), ("EGFR IC50 (µM)", "pEGFR IC50", "uM"),
     ("EC50/pM", "pEC50", "pM")],
)  # fmt: skip
def test_the_unit_may_stand_in_the_name_of_the_column(target, name, unit):
    found = scale(target)
    assert (found.name, found.row_unit) == (name, unit)


def test_each_row_may_have_its_unit():
    found = scale("IC50", ["units"])
    assert found.read({"IC50": "0.1", "units": "uM"})[0] == pytest.approx(7.0)
    assert found.read({"IC50": 100, "units": "nM"})[0] == pytest.approx(7.0)
    for unit, why in (("", "no_unit"), ("ug/mL", "unit")):
        with pytest.raises(Unusable) as error:
            found.read({"IC50": 100, "units": unit})
        assert error.value.why == why


def test_a_concentration_without_a_unit_is_refused_with_the_cure():
    with pytest.raises(DataError, match=r"--unit nM"):
        scale("IC50")
    assert scale("IC50", unit="none").kind == "plain"
    assert scale("IC50", unit="uM").row_unit == "uM"


def test_a_logarithm_stays_and_the_unit_column_beside_it_is_not_applied():
    found = scale("pIC50", ["units"])
    assert found.read({"pIC50": "7.2", "units": "nM"})[0] == 7.2
    assert found.read({"pIC50": "10000", "units": "nM"})[:2] == (pytest.approx(5.0), 0)
    assert found.read({"pIC50": ">10000 nM", "units": ""})[:2] == (pytest.approx(5.0), -1)
    with pytest.raises(Unusable) as error:
        scale("pIC50").read({"pIC50": "10000"})
    assert error.value.why == "implausible"


def test_a_unit_for_a_logarithm_is_a_contradiction_and_is_not_applied():
    with pytest.raises(DataError, match="leave --unit nM out"):
        scale("pIC50", cells=["7.1", "6.2", "5.5"], unit="nM")
    assert scale("pIC50", cells=["710", "62", "0.5"], unit="nM").kind == "molar"  # a misnamed column


@pytest.mark.parametrize("name", ["logIC50", "log IC50 (nM)", "log_Ki", "LogD", "log10 EC50"])
def test_a_positive_logarithm_is_not_turned_into_another_one(name):
    assert scale(name).kind == "plain"


def test_a_unit_of_the_row_goes_before_that_of_the_header():
    found = scale("IC50 (nM)", ["units"])
    assert found.read({"IC50 (nM)": 100, "units": ""})[0] == pytest.approx(7.0)
    assert found.read({"IC50 (nM)": 0.1, "units": "uM"})[0] == pytest.approx(7.0)
    assert found.read({"IC50 (nM)": "0.0001 mM", "units": "uM"})[0] == pytest.approx(7.0)


def test_qualifiers_of_a_column_of_their_own():
    found = scale("pKi", ["relation"])
    assert found.read({"pKi": 5, "relation": "<"})[1] == -1
    assert found.read({"pKi": 5, "relation": "'='"})[1] == 0
    with pytest.raises(Unusable, match="qualifier"):
        found.read({"pKi": 5, "relation": "around"})


def test_other_properties_are_left_as_they_are():
    found = scale("logS")
    assert (found.kind, found.name) == ("plain", "logS")
    assert found.read({"logS": "-4.2"}) == (-4.2, 0, "")
    with pytest.raises(Unusable):
        found.read({"logS": "-4.2 mg/L"})


def test_zero_has_no_logarithm():
    with pytest.raises(Unusable) as error:
        scale("Ki", unit="nM").read({"Ki": 0})
    assert error.value.why == "impossible"


def test_a_missing_column_names_the_nearest():
    with pytest.raises(DataError, match="did you mean 'pIC50'"):
        find_scale("t.csv", ["smiles", "pIC50"], "pic50")


def test_names_of_logarithms():
    assert p_name_of("IC50 (nM)") == "pIC50"
    assert p_name_of("pIC50") == "pIC50"
