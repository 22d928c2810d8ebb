"""The scorer ``shape``: best overlay of a molecule's conformers on a reference ligand.

Gaussian volume overlap after optimizing the overlay (RDKit's port of PubChem's Align3D; Grant, Gallardo and Pickup,
J. Comput. Chem. 17 (1996) 1653), with pharmacophore features ("colors") counted half.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rdkit import Chem, rdBase
from rdkit.Chem import rdShapeAlign

from molgen.chem.conformers import embed
from molgen.chem.molecule import Molecule
from molgen.chem.stereo import undefined_double_bonds, undefined_stereo_centers
from molgen.core.errors import MoleculeError
from molgen.scoring.protocol import Context, Scored
from molgen.scoring.shape.params import ShapeParams
from molgen.scoring.shape.reference import Reference, read_references

_KEPT = 2000  # overlays kept for the evidence and the poses of what is delivered
_BALANCE = 0.5  # of shape and color while an overlay is optimized; for the value `shape` alone 1.0


@dataclass(frozen=True)
class Overlay:
    """The best overlay of a molecule: ``shape`` and ``color`` Tanimoto 0..1, on which reference, and its mol block."""

    value: float
    shape: float
    color: float | None
    reference: str
    block: str


class Shape:
    """Shape and pharmacophore Tanimoto to the most alike reference, 0..1; see the module and docs/docking.md.

    ``ligands``: the references in their poses; ``references``: the same as molecules, which results are compared with.
    """

    unit = ""
    evidence_words = {  # noqa: RUF012 - never changed
        "shape": "volume overlap of the best overlay, Tanimoto, 0 to 1",
        "color": "pharmacophore overlap of the best overlay, Tanimoto, 0 to 1",
        "reference": "reference ligand it was laid on",
        "stereo": "whether its stereo was defined, or one isomer was picked",
    }

    def __init__(
        self, name: str, params: ShapeParams, references: Sequence[Reference], files: dict[str, str]
    ) -> None:
        self.name, self.params, self.ligands, self.files = name, params, list(references), dict(files)
        # Embedding of a drug-like molecule, then an overlay per conformer and reference.
        self.references = [mol for ligand in self.ligands if (mol := _flat(ligand)) is not None]
        self.cost = params.conformers * (0.018 + 0.002 * len(self.ligands))
        computed = [reference.name for reference in references if reference.computed]
        self.summary = f"likeness in space ({params.score}) to " + ", ".join(r.name for r in self.ligands)
        if computed:
            self.summary += f"; computed conformer, not a measured pose: {', '.join(computed)}"
        self._known: OrderedDict[str, Overlay | str] = OrderedDict()

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Score a list; the notes name the reference and both parts."""
        values = np.full(len(mols), np.nan)
        errors: dict[int, str] = {}
        notes: dict[int, str] = {}
        for i, mol in enumerate(mols):
            found = self._overlay(mol)
            if isinstance(found, str):
                errors[i] = found
                continue
            values[i] = found.value
            color = "" if found.color is None else f", color {found.color:.2f}"
            notes[i] = f"on {found.reference}: shape {found.shape:.2f}{color}"
        return Scored(values, errors, notes)

    def evidence(self, mols: Sequence[Molecule]) -> dict[str, list[float | str | None]]:
        """Columns ``shape``, ``color``, ``reference``, ``stereo``."""
        rows = [self._overlay(mol) for mol in mols]
        good = [row if isinstance(row, Overlay) else None for row in rows]
        return {
            "shape": [None if row is None else row.shape for row in good],
            "color": [None if row is None else row.color for row in good],
            "reference": [None if row is None else row.reference for row in good],
            "stereo": [None if row is None else _stereo(mol) for row, mol in zip(good, mols, strict=True)],
        }

    def poses(self, mols: Sequence[Molecule]) -> list[str | None]:
        """Mol block of each molecule as it lies on the reference, heavy atoms; None where there is no overlay."""
        rows = [self._overlay(mol) for mol in mols]
        return [row.block if isinstance(row, Overlay) else None for row in rows]

    def __reduce__(self) -> tuple[Any, ...]:
        return Shape, (self.name, self.params, self.ligands, self.files)

    def _overlay(self, mol: Molecule) -> Overlay | str:
        if mol.smiles not in self._known:
            if len(self._known) >= _KEPT:
                self._known.popitem(last=False)
            self._known[mol.smiles] = self._compute(mol)
        return self._known[mol.smiles]

    def _compute(self, mol: Molecule) -> Overlay | str:
        try:
            full = embed(
                mol.mol, self.params.conformers, seed=self.params.seed, seconds=self.params.time_limit
            )
        except MoleculeError as error:
            return error.detail
        probe = Chem.RemoveHs(full)
        best: Overlay | None = None
        pose = probe
        for reference in self.ligands:
            for conformer in probe.GetConformers():
                # A copy each time: an overlay moves the molecule, and would be the start of the next one.
                lying = Chem.Mol(probe, confId=conformer.GetId())
                try:
                    found = self._align(reference, lying)
                except (ValueError, RuntimeError) as error:
                    return f"no overlay: {error}"
                if best is None or found.value > best.value:
                    best, pose = found, lying
        assert best is not None
        pose.SetProp("_Name", mol.id or "")
        return Overlay(best.value, best.shape, best.color, best.reference, Chem.MolToMolBlock(pose))

    def _align(self, reference: Reference, lying: Chem.Mol) -> Overlay:
        alone = self.params.score == "shape"
        with rdBase.BlockLogs():
            shape, color = rdShapeAlign.AlignMol(
                reference.mol, lying, useColors=not alone, opt_param=1.0 if alone else _BALANCE
            )
        value = {"shape": shape, "color": color, "combo": (shape + color) / 2}[self.params.score]
        if not np.isfinite(value):
            raise ValueError("its volume or pharmacophore is not defined")
        return Overlay(min(1.0, value), shape, None if alone else color, reference.name, "")


def _stereo(mol: Molecule) -> str:
    open_ones = int(undefined_stereo_centers(mol.mol)) + int(undefined_double_bonds(mol.mol))
    return "one isomer picked" if open_ones else "defined"


def _flat(ligand: Reference) -> Molecule | None:
    try:
        return Molecule.from_smiles(Chem.MolToSmiles(ligand.mol), id=ligand.name)
    except MoleculeError:  # fine to lie on, but not what the policy lets in
        return None


def build(name: str, params: ShapeParams, context: Context) -> Shape:
    """Read the references; raises ConfigError with keys relative to the parameters."""
    return Shape(name, params, *read_references(params, context.base_dir))
