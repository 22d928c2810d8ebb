"""Delivered molecules as SDF: coordinates (pose, else 2D), the id as title, every column as a property."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from rdkit import Chem
from rdkit.rdBase import BlockLogs

from molgen.chem.draw import depict
from molgen.report.table import ResultTable, text_of

__all__ = ["read_smiles", "to_sdf"]


def to_sdf(table: ResultTable, poses: Mapping[str, Sequence[str | None]] | None = None) -> str:
    """Write the table as SDF text, one record per row and all columns in each, empty ones too.

    ``poses``: component -> mol block or None per row. A record has the coordinates of the first component with a pose
    for it, and says which in a further property ``pose``; without one it is drawn flat.
    """
    stream = io.StringIO()
    writer = Chem.SDWriter(stream)
    names = table.names
    writer.SetProps([*names, "pose"] if poses and "pose" not in names else names)
    for number, row in enumerate(table.rows):
        cells = dict(zip(names, row, strict=True))
        mol, source = _posed(number, poses or {})
        if mol is None:
            mol = read_smiles(cells.get("smiles"))
            # A row whose structure is missing keeps its place, so that the files still agree row by row.
            mol = depict(mol) if mol is not None else Chem.Mol()
        mol.SetProp("pose", source)
        mol.SetProp("_Name", text_of(cells.get("id")))
        for name in names:
            mol.SetProp(name, text_of(cells[name]))
        writer.write(mol)
    writer.close()
    return stream.getvalue()


def _posed(number: int, poses: Mapping[str, Sequence[str | None]]) -> tuple[Chem.Mol | None, str]:
    """The molecule of a row as it lies in space, and the component that laid it there."""
    for component, blocks in poses.items():
        block = blocks[number]
        with BlockLogs():
            mol = None if block is None else Chem.MolFromMolBlock(block, removeHs=False)
        if mol is not None:
            return mol, component
    return None, ""


def read_smiles(smiles: object) -> Chem.Mol | None:
    """Parse without noise; None where there is no structure to draw."""
    if not smiles:
        return None
    with BlockLogs():
        return Chem.MolFromSmiles(str(smiles))
