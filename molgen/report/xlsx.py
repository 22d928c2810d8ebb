"""Delivered molecules as an Excel workbook with a picture of each structure.

Numbers are numbers, texts are texts: a text that begins with ``=``, ``+``, ``-`` or ``@`` is never a formula. Pictures
move and hide with their rows, so that filtering in Excel works.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import Cell
from openpyxl.drawing.image import Image
from openpyxl.drawing.spreadsheet_drawing import AnchorMarker, TwoCellAnchor
from openpyxl.formatting.rule import DataBarRule
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from molgen.chem.draw import png, png_weights
from molgen.optimize.protocol import Delivery
from molgen.report.atoms import Explained, explained
from molgen.report.sdf import read_smiles
from molgen.report.summary import component_words
from molgen.report.table import Column, ResultTable

_PICTURE = (190, 130)  # pixels on the sheet; drawn at twice that, for sharp print
_EMU = 9525  # per pixel
_HEADER = PatternFill("solid", fgColor="FFE6ECF2")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_MODIFIED = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(</dcterms:modified>)")


def to_xlsx(table: ResultTable, delivery: Delivery) -> bytes:
    """Write the workbook: sheet ``candidates`` (the table, with pictures before it), ``columns`` and ``run``."""
    book = Workbook()
    book.properties.creator = "molgen"
    book.properties.created = _EPOCH.replace(tzinfo=None)
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "candidates"
    colored = next(explained(delivery), None)
    _candidates(sheet, table, colored)
    picture = [] if colored is None else [("structure", "", f"of the best ones, {colored.words()}")]
    _plain(
        book.create_sheet("columns"),
        ("column", "unit", "meaning"),
        [*picture, *((column.name, column.unit, column.meaning) for column in table.columns)],
        (28, 14, 90),
    )
    _plain(book.create_sheet("run"), ("what", "value"), _run_rows(delivery), (44, 90))
    stream = io.BytesIO()
    book.save(stream)
    return _without_clock(stream.getvalue())


def _candidates(sheet: Worksheet, table: ResultTable, colored: Explained | None) -> None:
    colors = "" if colored is None else f" (atoms: blue raises {colored.name}, orange lowers it)"
    _header(sheet, [f"structure{colors}", *table.names])
    sheet.column_dimensions["A"].width = _PICTURE[0] / 7 + 1
    last = len(table.rows) + 1
    for number, column in enumerate(table.columns, start=2):
        letter = get_column_letter(number)
        sheet.column_dimensions[letter].width = _width(column, [row[number - 2] for row in table.rows])
        if table.rows and (column.name == "score" or column.name.endswith("_desirability")):
            bar = DataBarRule(start_type="num", start_value=0, end_type="num", end_value=1, color="FF8FB8DE")
            sheet.conditional_formatting.add(f"{letter}2:{letter}{last}", bar)
    at = table.names.index("smiles") if "smiles" in table.names else None
    for line, row in enumerate(table.rows, start=2):
        sheet.row_dimensions[line].height = (_PICTURE[1] + 6) * 0.75
        for number, (column, value) in enumerate(zip(table.columns, row, strict=True), start=2):
            cell = sheet.cell(row=line, column=number)
            _set(cell, value)
            wrap = column.kind == "text" and column.name not in ("smiles", "scaffold")
            cell.alignment = Alignment(vertical="center", wrap_text=wrap)
            if isinstance(value, float):
                cell.number_format = "0.00" if abs(value) < 1000 else "0.0"
        if at is not None:
            _picture(sheet, line, row[at], colored)
    sheet.freeze_panes = "D2"
    if table.rows:
        sheet.auto_filter.ref = f"B1:{get_column_letter(len(table.columns) + 1)}{last}"
    sheet.page_setup.orientation = "landscape"
    sheet.print_title_rows = "1:1"


def _picture(sheet: Worksheet, line: int, smiles: Any, colored: Explained | None) -> None:
    mol = read_smiles(smiles)
    if mol is None:
        return
    size = (_PICTURE[0] * 2, _PICTURE[1] * 2)
    weights = None if colored is None else colored.weights(line - 1, mol.GetNumAtoms())
    drawn = (
        png(mol, size)
        if weights is None or colored is None
        else png_weights(mol, weights, colored.scale, size)
    )
    image = Image(io.BytesIO(drawn))
    start = AnchorMarker(col=0, colOff=3 * _EMU, row=line - 1, rowOff=3 * _EMU)
    end = AnchorMarker(col=0, colOff=(_PICTURE[0] + 3) * _EMU, row=line - 1, rowOff=(_PICTURE[1] + 3) * _EMU)
    image.anchor = TwoCellAnchor(editAs="twoCell", _from=start, to=end)
    sheet.add_image(image)


def _plain(
    sheet: Worksheet, header: Sequence[str], rows: Sequence[Sequence[Any]], widths: Sequence[int]
) -> None:
    _header(sheet, header)
    for number, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(number)].width = width
    for line, row in enumerate(rows, start=2):
        for number, value in enumerate(row, start=1):
            cell = sheet.cell(row=line, column=number)
            _set(cell, value)
            cell.alignment = Alignment(vertical="top", wrap_text=True)
    sheet.freeze_panes = "A2"


def _header(sheet: Worksheet, names: Sequence[str]) -> None:
    for number, name in enumerate(names, start=1):
        cell = sheet.cell(row=1, column=number)
        _set(cell, name)
        cell.font = Font(bold=True)
        cell.fill = _HEADER
        cell.alignment = Alignment(vertical="center", wrap_text=True)
    sheet.row_dimensions[1].height = 32


def _set(cell: Cell | Any, value: Any) -> None:
    if isinstance(value, str):
        cell.value = value
        cell.data_type = "s"  # openpyxl would take "=..." for a formula and "#N/A" for an error
        if value.startswith(_FORMULA):
            cell.quotePrefix = True  # it stays a text when somebody edits the cell
    elif value is not None:
        cell.value = value


def _width(column: Column, values: Sequence[Any]) -> float:
    if column.kind != "text":
        return max(9.0, min(len(column.name) * 0.7 + 2, 16.0))
    longest = max((len(str(value)) for value in values if value is not None), default=0)
    return float(max(9, min(max(longest, len(column.name)) + 2, 44)))


def _run_rows(delivery: Delivery) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = [
        ("run", delivery.name),
        ("delivered", len(delivery.candidates)),
        ("requested", delivery.requested),
    ]
    rows += [("note", note) for note in delivery.notes]
    for part in delivery.components:
        rows.append((f"objective: {part['name']} ({part.get('role', 'score')})", component_words(part)))
    rows += [(f"funnel: {label}", count) for label, count in delivery.funnel]
    rows += [(f"lost: {reason}", count) for reason, count in delivery.losses.items()]
    return rows


def _without_clock(data: bytes) -> bytes:
    """Rewrite the archive with fixed dates: the same delivery gives the same file."""
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(data)) as source,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                stamp = _EPOCH.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
                content = _MODIFIED.sub(rb"\g<1>" + stamp + rb"\g<2>", content)
            entry = zipfile.ZipInfo(name, date_time=(2000, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, content)
    return out.getvalue()
