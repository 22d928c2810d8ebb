import csv
import io
import math

import numpy as np
import openpyxl
import pytest
from rdkit import Chem

from molgen.optimize.protocol import Delivery
from molgen.report.csv import to_csv
from molgen.report.sdf import to_sdf
from molgen.report.table import build_table, clean, text_of
from molgen.report.xlsx import to_xlsx


def read_csv(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def read_sdf(text: str, names: list[str]) -> list[list[str]]:
    supplier = Chem.ForwardSDMolSupplier(io.BytesIO(text.encode()), sanitize=False)
    return [[mol.GetProp(name) for name in names] for mol in supplier]


def read_xlsx(data: bytes) -> list[list[str]]:
    rows = openpyxl.load_workbook(io.BytesIO(data))["candidates"].iter_rows(values_only=True)
    return [[text_of(value) for value in row[1:]] for row in rows]


@pytest.mark.parametrize("which", ["delivery", "hostile"])
def test_csv_sdf_and_xlsx_agree_row_by_row(which: str, request: pytest.FixtureRequest) -> None:
    given: Delivery = request.getfixturevalue(which)
    table = build_table(given)
    header, *rows = read_csv(to_csv(table))
    assert header == table.names
    assert len(rows) == len(given.candidates)
    assert read_sdf(to_sdf(table), table.names) == rows
    assert read_xlsx(to_xlsx(table, given)) == [header, *rows]


def test_columns_are_in_reading_order_and_user_columns_come_last(delivery: Delivery) -> None:
    names = build_table(delivery).names
    assert names[:7] == ["rank", "id", "smiles", "inchikey", "score", "qed", "qed_desirability"]
    assert names[-2:] == ["nll", "series"]
    assert names.index("flags") < names.index("nearest_reference") < names.index("step")


def test_a_column_that_only_some_rows_have_is_empty_in_the_others(delivery: Delivery) -> None:
    table = build_table(delivery)
    values = [row[table.names.index("series")] for row in table.rows]
    assert set(values) == {"quinazoline", None}


def test_clean_brings_every_value_to_a_cell() -> None:
    assert clean(np.float64(1 / 3)) == 0.333333
    assert clean(np.int64(7)) == 7
    assert isinstance(clean(np.int64(7)), int)
    assert clean(math.nan) is None
    assert clean(math.inf) is None
    assert clean(" a\n\nb\x00 ") == "a b"
    assert clean("") is None
    assert clean(("p1", "p2")) == "p1; p2"
    assert clean(True) == "True"


def test_no_value_was_written_as_nan_or_none(hostile: Delivery) -> None:
    text = to_csv(build_table(hostile)).lower()
    assert ",nan" not in text
    assert ",none" not in text


def test_an_empty_delivery_has_a_header_and_no_rows(delivery: Delivery) -> None:
    import dataclasses

    table = build_table(dataclasses.replace(delivery, candidates=[]))
    assert table.names[:3] == ["rank", "id", "smiles"]
    assert read_csv(to_csv(table)) == [table.names]
    assert to_sdf(table) == ""


def test_two_columns_never_share_a_name(delivery: Delivery) -> None:
    import dataclasses

    rows = [{"rank": 1, "smiles": "C", "a<b": 1, "a(b": 2}]
    names = build_table(dataclasses.replace(delivery, candidates=rows)).names
    assert len(set(names)) == len(names)
    assert {"a(b", "a(b_2"} <= set(names)


def test_sdf_has_2d_coordinates_the_id_as_title_and_the_same_structures(delivery: Delivery) -> None:
    table = build_table(delivery)
    mols = list(Chem.ForwardSDMolSupplier(io.BytesIO(to_sdf(table).encode())))
    assert len(mols) == len(table.rows)
    for mol, row in zip(mols, table.rows, strict=True):
        cells = dict(zip(table.names, row, strict=True))
        assert mol.GetProp("_Name") == cells["id"]
        assert not mol.GetConformer().Is3D()
        assert mol.GetConformer().GetPositions()[:, :2].std() > 0.5
        assert Chem.MolToSmiles(mol) == Chem.MolToSmiles(Chem.MolFromSmiles(cells["smiles"]))
