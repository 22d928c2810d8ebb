"""Delivered molecules as CSV (RFC 4180, UTF-8, header first)."""

from __future__ import annotations

import csv
import io

from molgen.report.table import ResultTable, text_of


def to_csv(table: ResultTable) -> str:
    """Write the table as CSV text; an empty cell means no value."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(table.names)
    writer.writerows([text_of(value) for value in row] for row in table.rows)
    return stream.getvalue()
