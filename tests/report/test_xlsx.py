import io
import zipfile
from dataclasses import replace

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet
from PIL import Image

from molgen.optimize.protocol import Delivery
from molgen.report.sdf import read_smiles
from molgen.report.table import build_table
from molgen.report.xlsx import to_xlsx


def sheet_of(delivery: Delivery) -> Worksheet:
    return openpyxl.load_workbook(io.BytesIO(to_xlsx(build_table(delivery), delivery)))["candidates"]


def test_every_row_has_a_picture_of_its_own_in_its_row(delivery: Delivery) -> None:
    sheet = sheet_of(delivery)
    rows = sorted(image.anchor._from.row for image in sheet._images)
    assert rows == list(range(1, len(delivery.candidates) + 1))
    picture = Image.open(sheet._images[0].ref).convert("L")
    dark = sum(picture.histogram()[:128])
    assert 300 < dark < picture.width * picture.height / 4


def test_pictures_move_and_hide_with_their_rows(delivery: Delivery) -> None:
    assert {image.anchor.editAs for image in sheet_of(delivery)._images} == {"twoCell"}


def test_header_is_frozen_and_numbers_are_numbers(delivery: Delivery) -> None:
    sheet = sheet_of(delivery)
    assert sheet.freeze_panes == "D2"
    header = [cell.value for cell in sheet[1]]
    first = dict(zip(header, sheet[2], strict=True))
    assert first["rank"].value == 1
    assert first["score"].data_type == "n"
    assert first["mol_weight"].data_type == "n"
    assert first["smiles"].data_type == "s"
    assert sheet.column_dimensions["E"].width > 15


def test_text_that_looks_like_a_formula_became_a_formula(hostile: Delivery) -> None:
    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(build_table(hostile), hostile)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert all(cell.data_type in ("s", "n") for cell in cells)
    risky = [cell for cell in cells if str(cell.value).startswith(("=", "@", "-")) and cell.data_type == "s"]
    assert {"=HYPERLINK(1)", "=1+1", "=cmd()", "@x", "-2+3"} <= {cell.value for cell in risky}
    assert all(cell.quotePrefix for cell in risky)


def test_same_delivery_same_bytes(delivery: Delivery) -> None:
    table = build_table(delivery)
    assert to_xlsx(table, delivery) == to_xlsx(table, delivery)
    with zipfile.ZipFile(io.BytesIO(to_xlsx(table, delivery))) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {2000}


def test_other_sheets_explain_the_columns_and_the_run(delivery: Delivery) -> None:
    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(build_table(delivery), delivery)))
    columns = {row[0]: row[1:] for row in book["columns"].iter_rows(min_row=2, values_only=True)}
    assert columns["mol_weight"][0] == "Da"
    assert list(columns) == build_table(delivery).names
    run = dict(book["run"].iter_rows(min_row=2, values_only=True))
    assert run["delivered"] == 30
    assert run["funnel: proposed"] == 3000


def test_atoms_that_a_scorer_explains_are_colored_in_the_picture(delivery: Delivery) -> None:
    atoms = read_smiles(delivery.candidates[0]["smiles"]).GetNumAtoms()
    weights = [1.0] * atoms
    told = replace(delivery, atoms={"qed": [weights, *[None] * (len(delivery.candidates) - 1)]})
    sheet = sheet_of(told)
    assert sheet["A1"].value == "structure (atoms: blue raises qed, orange lowers it)"
    pictures = {image.anchor._from.row: Image.open(image.ref).convert("RGB") for image in sheet._images}
    blue = [
        sum(count for count, (r, _, b) in picture.getcolors(1 << 20) if b > 220 and r < 120)
        for picture in (pictures[1], pictures[2])
    ]
    assert blue[0] > 1000
    assert blue[1] < 100
    book = openpyxl.load_workbook(io.BytesIO(to_xlsx(build_table(told), told)))
    assert "in blue raise it" in book["columns"]["C2"].value
