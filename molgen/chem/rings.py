"""How common a ring system is: counts over public molecules, shipped as package data (tables/ring_systems.tsv.gz).

The table counts, for each ring system of :func:`molgen.chem.fragments.ring_systems` without its stereo, the molecules
that contain it. It was made by ``python -m molgen.data.ring_table``; license and sources are in tables/NOTICE.
"""

from __future__ import annotations

import gzip
from functools import cache
from importlib.resources import files

from rdkit import Chem

from molgen.chem.fragments import ring_systems

FORMAT = 1
#: A ring system that fewer of the counted molecules have is unknown. Once in this table agrees best with Walters' bar
#: of five times in ChEMBL (docs/filters.md); filters, scorer, flags and gates all mean this bar.
KNOWN = 1
_MARKS = ("@", "/", "\\")


@cache
def _read() -> tuple[dict[str, str], dict[str, int]]:
    header: dict[str, str] = {}
    counts: dict[str, int] = {}
    packed = files("molgen.chem").joinpath("tables/ring_systems.tsv.gz").read_bytes()
    for line in gzip.decompress(packed).decode().splitlines():
        if line.startswith("#"):
            key, _, value = line[1:].strip().partition(": ")
            header[key] = f"{header[key]}; {value}" if key in header else value
        elif not line.startswith("smiles\t"):
            smiles, _, count = line.partition("\t")
            counts[smiles] = int(count)
    assert header["format"] == str(FORMAT), header
    return header, counts


def table_info() -> dict[str, str]:
    """Format, sources, number of molecules counted and license of the shipped table."""
    return dict(_read()[0])


def flat(ring_smiles: str) -> str:
    """The ring system without stereo marks: the key of the table."""
    if not any(mark in ring_smiles for mark in _MARKS):
        return ring_smiles
    mol = Chem.MolFromSmiles(ring_smiles)
    if mol is None:
        return ring_smiles
    Chem.RemoveStereochemistry(mol)
    return str(Chem.MolToSmiles(mol))


def frequency(ring_smiles: str) -> int:
    """How many of the counted molecules contain this ring system (canonical SMILES; stereo is ignored); 0: none."""
    return _read()[1].get(flat(ring_smiles), 0)


def frequencies(mol: Chem.Mol) -> dict[str, int]:
    """Each distinct ring system of the molecule, as :func:`ring_systems` writes it, with its frequency."""
    return {smiles: frequency(smiles) for smiles in dict.fromkeys(ring_systems(mol))}


def min_frequency(mol: Chem.Mol) -> int | None:
    """Frequency of the rarest ring system in the molecule; None where it has no ring."""
    return min(frequencies(mol).values(), default=None)
