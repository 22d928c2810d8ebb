"""Random SMILES of a molecule: the same structure written from another atom in another order."""

from __future__ import annotations

from rdkit import Chem


def random_smiles(smiles: str, seed: int) -> str:
    """A random SMILES string of the same molecule, a pure function of ``seed``; unparsable input comes back as is."""
    mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        return smiles
    return str(Chem.MolToRandomSmilesVect(mol, 1, randomSeed=seed % (2**31 - 1) + 1)[0])


def rooted_smiles(smiles: str, seed: int) -> str:
    """The canonical spelling, begun at an atom that ``seed`` chooses; unparsable input comes back as is.

    Nearer to what a model of canonical SMILES has seen than :func:`random_smiles`, which also reorders branches and
    rings.
    """
    mol = Chem.MolFromSmiles(smiles)
    if mol is None or mol.GetNumAtoms() == 0:
        return smiles
    return str(Chem.MolToSmiles(mol, rootedAtAtom=seed % mol.GetNumAtoms()))
