"""Delivered molecules as SDF: 2D coordinates, the id as title, every column as a property."""

from __future__ import annotations

import io

from rdkit import Chem
from rdkit.rdBase import BlockLogs

from molgen.chem.draw import depict
from molgen.report.table import ResultTable, text_of

__all__ = ["read_smiles", "to_sdf"]


def to_sdf(table: ResultTable) -> str:
    """Write the table as SDF text, one record per row and all columns in each, empty ones too."""
    stream = io.StringIO()
    writer = Chem.SDWriter(stream)
    names = table.names
    writer.SetProps(names)
    for row in table.rows:
        cells = dict(zip(names, row, strict=True))
        mol = read_smiles(cells.get("smiles"))
        # A row whose structure is missing keeps its place, so that the files still agree row by row.
        mol = depict(mol) if mol is not None else Chem.Mol()
        mol.SetProp("_Name", text_of(cells.get("id")))
        for name in names:
            mol.SetProp(name, text_of(cells[name]))
        writer.write(mol)
    writer.close()
    return stream.getvalue()


def read_smiles(smiles: object) -> Chem.Mol | None:
    """Parse without noise; None where there is no structure to draw."""
    if not smiles:
        return None
    with BlockLogs():
        return Chem.MolFromSmiles(str(smiles))
