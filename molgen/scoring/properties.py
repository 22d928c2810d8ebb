"""The descriptors of :mod:`molgen.chem.descriptors` as scorers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from molgen.chem.descriptors import DESCRIPTORS
from molgen.core.schema import Section
from molgen.scoring.protocol import Context, Scored
from molgen.scoring.registry import SCORERS

if TYPE_CHECKING:
    from rdkit import Chem

    from molgen.chem.molecule import Molecule

#: What RDKit raises on a molecule that it cannot handle.
RDKIT_ERRORS = (ValueError, RuntimeError, ArithmeticError, LookupError)


class Property:
    """One descriptor as a scorer; the raw value is exactly what RDKit computes from the molecule's SMILES."""

    def __init__(self, name: str) -> None:
        descriptor = DESCRIPTORS[name]
        self.name = name
        self.unit = descriptor.unit
        self.cost = SCORERS[name].cost
        self._function = descriptor.function

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Score a list; see :class:`molgen.scoring.protocol.Scored`."""
        return each(self._function, mols)

    def __reduce__(self) -> tuple[type[Property], tuple[str]]:
        return Property, (self.name,)


def build(name: str, params: Section, context: Context) -> Property:
    """The scorer of the descriptor ``name``."""
    return Property(name)


def each(function: Callable[[Chem.Mol], float], mols: Sequence[Molecule]) -> Scored:
    """Apply a function of one RDKit molecule; what RDKit refuses has no value, its words are the error."""
    values = np.full(len(mols), np.nan)
    errors: dict[int, str] = {}
    for i, mol in enumerate(mols):
        try:
            values[i] = function(mol.mol)
        except RDKIT_ERRORS as error:
            errors[i] = f"{type(error).__name__}: {error}"
    return Scored(values, errors)
