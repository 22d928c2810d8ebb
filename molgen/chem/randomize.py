"""Random SMILES of a molecule: the same structure written from another atom in another order."""

from __future__ import annotations

from rdkit import Chem


def random_smiles(smiles: str, seed: int) -> str:
    """A random SMILES string of the same molecule, a pure function of ``seed``; unparsable input comes back as is."""
    mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        return smiles
    return str(Chem.MolToRandomSmilesVect(mol, 1, randomSeed=seed % (2**31 - 1) + 1)[0])
