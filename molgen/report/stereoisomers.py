"""The stereoisomers that delivered molecules leave open, one row each: what one would have to order or separate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rdkit import Chem
from rdkit.Chem.EnumerateStereoisomers import (
    EnumerateStereoisomers,
    GetStereoisomerCount,
    StereoEnumerationOptions,
)
from rdkit.Chem.rdMolDescriptors import CalcNumBridgeheadAtoms
from rdkit.rdBase import BlockLogs

from molgen.report.sdf import read_smiles
from molgen.report.table import Column, ResultTable

_COLUMNS = (
    Column("id", "text", "", "name of the isomer: that of the molecule, and a number"),
    Column("smiles", "text", "", "structure of the isomer"),
    Column("inchikey", "text", "", "InChIKey of the isomer"),
    Column("molecule", "text", "", "the delivered molecule that it is an isomer of"),
    Column("rank", "integer", "", "its rank"),
    Column("isomers_written", "integer", "", "isomers of it in this file"),
    Column(
        "isomers_possible",
        "integer",
        "",
        "2 for each open center or double bond; mirror planes make it fewer",
    ),
)


def isomer_table(candidates: Sequence[Mapping[str, Any]], most: int) -> ResultTable:
    """Up to ``most`` distinct isomers of each molecule that leaves stereo open; defined centers stay as they are."""
    rows: list[tuple[Any, ...]] = []
    for candidate in candidates:
        mol = read_smiles(candidate.get("smiles"))
        if mol is None:
            continue
        with BlockLogs():
            possible = int(GetStereoisomerCount(mol))
        if possible < 2:
            continue
        found = isomers(mol, most)
        rows += [
            (
                f"{candidate.get('id')}-{k}",
                smiles,
                _inchikey(smiles),
                str(candidate.get("id")),
                candidate.get("rank"),
                len(found),
                possible,
            )
            for k, smiles in enumerate(found, 1)
        ]
    return ResultTable(_COLUMNS, tuple(rows))


def isomers(mol: Chem.Mol, most: int) -> list[str]:
    """SMILES of up to ``most`` isomers, sorted; of a bridged molecule only those that can be embedded in space."""
    bridged = (
        CalcNumBridgeheadAtoms(mol) > 0
    )  # elsewhere hardly any isomer is impossible, and embedding takes long
    options = StereoEnumerationOptions(
        onlyUnassigned=True, unique=True, maxIsomers=most, tryEmbedding=bridged, rand=1
    )
    with BlockLogs():
        return sorted({Chem.MolToSmiles(isomer) for isomer in EnumerateStereoisomers(mol, options=options)})


def _inchikey(smiles: str) -> str:
    mol = read_smiles(smiles)
    with BlockLogs():
        return Chem.MolToInchiKey(mol) if mol is not None else ""
