"""Seeded 3D conformers within a time limit, or the reason why there are none."""

from __future__ import annotations

import math

from rdkit import Chem, rdBase
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from molgen.core.errors import MoleculeError

#: Larger molecules are refused: distance geometry takes minutes on them and looks at its clock too late.
MOST_ATOMS = 150


def embed(mol: Chem.Mol, n: int, *, seed: int = 0, seconds: float = 20.0) -> Chem.Mol:
    """The molecule with hydrogens and up to ``n`` conformers, ids 0, 1, ...

    ETKDGv3 (Wang et al., J. Chem. Inf. Model. 60 (2020) 2044). The same molecule, ``n`` and ``seed`` give the same
    coordinates (angstrom). Open stereo is settled by the seed. All or nothing: fewer conformers because time was over
    would make the result depend on the machine. Raises MoleculeError (``no_conformer``, ``too_slow``, ``too_large``,
    ``several_parts``).
    """
    if mol.GetNumHeavyAtoms() > MOST_ATOMS:
        raise MoleculeError(
            "too_large", f"{mol.GetNumHeavyAtoms()} heavy atoms, {MOST_ATOMS} are allowed in 3D"
        )
    if len(Chem.GetMolFrags(mol)) > 1:
        raise MoleculeError("several_parts", "several parts without a bond between them")
    full = Chem.AddHs(mol)
    for random_start in (False, True):
        params = rdDistGeom.ETKDGv3()
        params.randomSeed = seed
        params.numThreads = 1
        params.useRandomCoords = random_start
        params.timeout = max(1, math.ceil(seconds))
        params.trackFailures = True
        with rdBase.BlockLogs():
            rdDistGeom.EmbedMultipleConfs(full, n, params)
        if _timed_out(params):
            raise MoleculeError("too_slow", f"no conformers within {seconds:g} s")
        if full.GetNumConformers():
            return full
    raise MoleculeError("no_conformer", "no conformer satisfies its geometry (strained rings or stereo)")


def _timed_out(params: rdDistGeom.EmbedParameters) -> bool:
    return bool(params.GetFailureCounts()[int(rdDistGeom.EmbedFailureCauses.EXCEEDED_TIMEOUT)])


def lowest(mol: Chem.Mol) -> int:
    """Id of the conformer with the lowest MMFF94s energy after relaxation; 0 where the force field lacks an atom type.

    The conformers are relaxed in place.
    """
    with rdBase.BlockLogs():
        if not rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
            return mol.GetConformer().GetId()
        found = rdForceFieldHelpers.MMFFOptimizeMoleculeConfs(mol, maxIters=500, mmffVariant="MMFF94s")
    ids = [conformer.GetId() for conformer in mol.GetConformers()]
    return min(zip((energy for _, energy in found), ids, strict=True))[1]
