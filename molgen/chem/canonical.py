"""Canonical SMILES and scaffold of a string that may be broken, without a word from RDKit."""

from __future__ import annotations

from functools import lru_cache

from rdkit import Chem, rdBase

from molgen.chem.fragments import murcko_scaffold


def canonical(text: str, *, stereo: bool = True) -> str | None:
    """Canonical SMILES of ``text``; None where it spells no molecule."""
    with rdBase.BlockLogs():  # invalid strings are what callers count, nothing to print
        mol = Chem.MolFromSmiles(text) if text else None
    return Chem.MolToSmiles(mol, isomericSmiles=stereo) if mol is not None and mol.GetNumAtoms() else None


@lru_cache(maxsize=20_000)  # searches ask for the same few thousand molecules in every step
def scaffold_of(smiles: str) -> str:
    """The scaffold that a search files a molecule under, as the run does; itself if it has no ring."""
    mol = Chem.MolFromSmiles(smiles)
    return (murcko_scaffold(mol) if mol is not None else "") or smiles
