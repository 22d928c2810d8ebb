"""Show a table of molecules with structures in a notebook, without a call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from html import escape
from typing import TYPE_CHECKING, Any

from molgen.chem.draw import svg
from molgen.report.sdf import read_smiles
from molgen.report.summary import NO_VALUE, number

if TYPE_CHECKING:
    import pandas as pd

_PICTURE = (180, 125)
_CELL = "padding:2px 8px;border-bottom:1px solid #8884;text-align:left;vertical-align:middle"


class MoleculeFrame(ABC):
    """Base of results that are tables of molecules: ``to_frame()`` for work, a table with structures in Jupyter."""

    #: Column of ``to_frame()`` that holds the SMILES.
    smiles_column: str = "smiles"
    #: Rows that a notebook shows.
    shown: int = 20

    @abstractmethod
    def to_frame(self) -> pd.DataFrame:
        """All rows and columns as a pandas DataFrame, best first."""

    def caption(self) -> str:
        """One line above the table; empty for none."""
        return ""

    def _repr_html_(self) -> str:
        return show(self.to_frame(), smiles_column=self.smiles_column, n=self.shown, caption=self.caption())


def show(frame: pd.DataFrame, smiles_column: str = "smiles", n: int = 20, caption: str = "") -> str:
    """HTML of the first ``n`` rows with a picture of each structure; everything is escaped.

    Raises KeyError, naming the columns there are, where ``smiles_column`` is none of them.
    """
    if smiles_column not in frame.columns:
        raise KeyError(f"no column {smiles_column!r}; columns: {', '.join(map(str, frame.columns))}")
    names = [str(name) for name in frame.columns]
    part = frame.head(n)
    heads = "".join(f'<th style="{_CELL}">{escape(name)}</th>' for name in ["structure", *names])
    at = list(frame.columns).index(smiles_column)
    rows = "".join(
        f"<tr>{_picture(row[at])}{''.join(_cell(value, k == at) for k, value in enumerate(row))}</tr>"
        for row in part.itertuples(index=False, name=None)
    )
    more = f"<p>{len(part):,} of {len(frame):,} rows shown</p>" if len(frame) > len(part) else ""
    above = f"<p>{escape(caption)}</p>" if caption else ""
    return (
        f'<div style="overflow-x:auto">{above}<table style="border-collapse:collapse;font-size:13px">'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{more}</div>"
    )


def _picture(smiles: Any) -> str:
    mol = read_smiles(smiles) if isinstance(smiles, str) else None
    inside = svg(mol, _PICTURE) if mol is not None else ""
    return f'<td style="{_CELL};background:#fff;min-width:{_PICTURE[0]}px">{inside}</td>'


def _cell(value: Any, is_smiles: bool) -> str:
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    missing = value is None or value != value
    text = NO_VALUE if missing else number(value) if isinstance(value, float) else escape(str(value))
    style = f"{_CELL};min-width:170px;max-width:260px;overflow-wrap:anywhere" if is_smiles else _CELL
    return f'<td style="{style}">{text}</td>'
