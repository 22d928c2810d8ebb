"""The medicinal-chemistry filters of MOSES (MCF and PAINS lists, ring size, charge, elements) as one yes or no.

The lists come in as the two files ``mcf.csv`` and ``wehi_pains.csv`` of the package molsets. For filters with
named reasons in a design run see :mod:`molgen.chem.alerts`; this is the published number.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rdkit import Chem, rdBase

from molgen.core.errors import DataError

_ALLOWED = frozenset({1, 6, 7, 8, 9, 16, 17, 35})
_MAX_RING = 7
_SYMBOLS = {"C": 6, "c": 6, "N": 7, "n": 7, "O": 8, "o": 8, "F": 9, "S": 16, "s": 16, "Cl": 17, "Br": 35}
_BOND_KINDS = {
    "-": Chem.BondType.SINGLE,
    "=": Chem.BondType.DOUBLE,
    "#": Chem.BondType.TRIPLE,
    ":": Chem.BondType.AROMATIC,
}


# What a molecule must have before a pattern can match at all: elements, and pairs of elements joined by a bond of
# one kind, each with a count. Most patterns fail this for most molecules, at a fraction of the price of a match.
_Feature = tuple[int, ...]


@dataclass(frozen=True)
class MosesFilters:
    """The compiled filters; ``passes`` judges molecules one by one."""

    queries: tuple[Chem.Mol, ...]
    features: tuple[_Feature, ...]
    needs: np.ndarray  # int [queries, features]

    @classmethod
    def read(cls, mcf: str | Path, pains: str | Path) -> MosesFilters:
        """Compile the SMARTS of ``mcf.csv`` (columns names, smarts) and ``wehi_pains.csv`` (smarts, name; no header).

        Raises:
            DataError: a file is missing, or a line is not SMARTS.
        """
        try:
            with open(mcf, newline="") as file:
                texts = [(str(mcf), n, row["smarts"]) for n, row in enumerate(csv.DictReader(file), start=2)]
            with open(pains, newline="") as file:
                texts += [(str(pains), n, row[0]) for n, row in enumerate(csv.reader(file), start=1) if row]
        except (OSError, KeyError, UnicodeDecodeError) as error:
            raise DataError(f"{mcf}, {pains}: not the filter lists of molsets ({error})") from error
        queries = tuple(_compile(*entry) for entry in texts)
        needs = [_features_of_query(query) for query in queries]
        features = tuple(sorted(set().union(*needs)))
        return cls(queries, features, np.array([[need[feature] for feature in features] for need in needs]))

    def passes(self, mols: Sequence[Chem.Mol]) -> np.ndarray:
        """Whether each molecule passes all filters, ``bool [n]``."""
        with rdBase.BlockLogs():
            return np.array([self._passes(mol) for mol in mols], dtype=bool)

    def _passes(self, mol: Chem.Mol) -> bool:
        if any(len(ring) > _MAX_RING for ring in mol.GetRingInfo().AtomRings()):
            return False
        if any(atom.GetFormalCharge() != 0 or atom.GetAtomicNum() not in _ALLOWED for atom in mol.GetAtoms()):
            return False
        with_hydrogens = Chem.AddHs(mol)  # the PAINS list names hydrogens as atoms
        has = _features_of_molecule(with_hydrogens)
        possible = (self.needs <= np.array([has[feature] for feature in self.features])).all(axis=1)
        return not any(with_hydrogens.HasSubstructMatch(self.queries[i]) for i in np.flatnonzero(possible))


def _compile(file: str, line: int, smarts: str) -> Chem.Mol:
    query = Chem.MolFromSmarts(smarts.strip())
    if query is None:
        raise DataError(f"{file}, line {line}: not SMARTS: {smarts.strip()!r}")
    return query


def _features_of_molecule(mol: Chem.Mol) -> Counter[_Feature]:
    features: Counter[_Feature] = Counter((atom.GetAtomicNum(),) for atom in mol.GetAtoms())
    for bond in mol.GetBonds():
        features[
            _pair(bond.GetBeginAtom().GetAtomicNum(), bond.GetEndAtom().GetAtomicNum(), bond.GetBondType())
        ] += 1
    return features


def _features_of_query(query: Chem.Mol) -> Counter[_Feature]:
    """Features that every match has. Where the SMARTS leaves something open it is left out: weaker, never wrong."""
    elements = [_fixed_element(atom.GetSmarts()) for atom in query.GetAtoms()]
    features: Counter[_Feature] = Counter((element,) for element in elements if element)
    for bond in query.GetBonds():
        ends = elements[bond.GetBeginAtomIdx()], elements[bond.GetEndAtomIdx()]
        kind = _BOND_KINDS.get(bond.GetSmarts(allBondsExplicit=True))  # type: ignore[call-arg]
        if all(ends) and kind is not None:
            features[_pair(*ends, kind)] += 1
    return features


def _pair(a: int, b: int, kind: Chem.BondType) -> _Feature:
    return (min(a, b), max(a, b), int(kind))


def _fixed_element(smarts: str) -> int:
    """The atomic number that every match of an atom's SMARTS has, or 0 where it leaves that open."""
    inner = smarts.removeprefix("[").removesuffix("]").partition(";")[0]
    first = inner.split("&")[0]
    if "," in inner or "$" in inner or "!" in first:
        return 0
    if first[:1] == "#":
        return int(first[1:]) if first[1:].isdigit() else 0
    return _SYMBOLS.get(first, 0)
