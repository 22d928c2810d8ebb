"""One molecule into one receptor with AutoDock Vina; runs only in the worker processes of :mod:`.workers`.

Vina 1.2 (Eberhardt et al., J. Chem. Inf. Model. 61 (2021) 3891), ligands prepared by Meeko.
"""

from __future__ import annotations

import re
from typing import Any

from rdkit import Chem

from molgen.chem.conformers import embed, lowest
from molgen.chem.protonation import protonate
from molgen.core.errors import MoleculeError

_NO_TYPE = re.compile(r"Atom type (\w+) is not a valid AutoDock type")


class Engine:
    """Grids of one receptor, computed once, and :meth:`dock`.

    ``setup``: ``receptor`` (path), ``center``, ``size``, ``exhaustiveness``, ``seed``, ``protonation``.
    """

    def __init__(self, setup: dict[str, Any]) -> None:
        from vina import Vina

        self._setup = setup
        # Vina takes seed 0 for "choose one": the same molecule would get another value each time.
        self._vina = Vina(sf_name="vina", cpu=1, seed=setup["seed"] + 1, verbosity=0)
        self._vina.set_receptor(setup["receptor"])
        self._vina.compute_vina_maps(center=setup["center"], box_size=setup["size"])

    def dock(self, smiles: str) -> tuple[float, str]:
        """Affinity in kcal/mol (lower binds better) and the mol block of the best pose, heavy atoms.

        Raises MoleculeError, ValueError or RuntimeError with the reason.
        """
        text = prepare(smiles, self._setup["seed"], self._setup["protonation"])
        try:
            self._vina.set_ligand_from_string(text)
        except TypeError as error:  # its way to say that it cannot read the ligand
            found = _NO_TYPE.search(str(error))
            why = f"Vina has no atom type for {found[1]}" if found else " ".join(str(error).split())
            raise MoleculeError("not_prepared", why, smiles) from error
        self._vina.dock(exhaustiveness=self._setup["exhaustiveness"], n_poses=1)
        energies = self._vina.energies(n_poses=1)
        if not len(energies):
            raise MoleculeError("no_pose", "Vina found no pose inside the box", smiles)
        return float(energies[0][0]), pose_of(self._vina.poses(n_poses=1), smiles)


def prepare(smiles: str, seed: int, protonation: str = "drawn") -> str:
    """PDBQT of one relaxed conformer, protonated for pH 7.4 or as drawn; torsions are free, rings are not."""
    from meeko import MoleculePreparation, PDBQTWriterLegacy

    mol = Chem.MolFromSmiles(smiles)
    full = embed(protonate(mol) if protonation == "pH 7.4" else mol, 1, seed=seed)
    lowest(full)
    (setup, *others) = MoleculePreparation().prepare(full)
    text, good, why = PDBQTWriterLegacy.write_string(setup)
    if not good or others:
        raise MoleculeError(
            "not_prepared", f"Meeko cannot prepare it: {why.strip() or 'several forms'}", smiles
        )
    return text


def pose_of(text: str, smiles: str) -> str:
    """The first pose of Vina's answer as a mol block of the molecule as drawn: its file shows one form of it only."""
    from meeko import PDBQTMolecule, RDKitMolCreate

    mol = RDKitMolCreate.from_pdbqt_mol(PDBQTMolecule(text, skip_typing=True))[0]
    docked, drawn = Chem.RemoveHs(mol), Chem.MolFromSmiles(smiles)
    # Meeko wrote the bonds and charges of the form that was docked; both have the same skeleton.
    places = _skeleton(docked).GetSubstructMatch(_skeleton(drawn))
    at = docked.GetConformer()
    conformer = Chem.Conformer(drawn.GetNumAtoms())
    for atom, place in enumerate(places):
        conformer.SetAtomPosition(atom, at.GetAtomPosition(place))
    drawn.AddConformer(conformer)
    Chem.AssignStereochemistryFrom3D(drawn)
    return str(Chem.MolToMolBlock(drawn))


def _skeleton(mol: Chem.Mol) -> Chem.Mol:
    """The same atoms, all bonds single, without charges, hydrogens and stereo."""
    bare = Chem.RWMol()
    for atom in mol.GetAtoms():
        bare.AddAtom(Chem.Atom(atom.GetAtomicNum()))
    for bond in mol.GetBonds():
        bare.AddBond(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx(), Chem.BondType.SINGLE)
    return bare.GetMol()
