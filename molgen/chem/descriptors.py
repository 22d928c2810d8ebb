"""Named descriptors of one molecule, with their units and sources; values identical to RDKit's own functions.

RDKit keeps logP, TPSA and weight on the molecule once computed, and QED here reads the same molecule, so a set of
descriptors of one ``Mol`` object costs each part once. Keep the object; do not parse again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from rdkit import Chem
from rdkit.Chem import Crippen, Descriptors, Lipinski, MolSurf
from rdkit.Chem import rdMolDescriptors as rdmd

from molgen.chem.qed import qed
from molgen.chem.sa_score import sa_score
from molgen.chem.stereo import stereo_centers, undefined_double_bonds, undefined_stereo_centers


@dataclass(frozen=True)
class Descriptor:
    """A number per molecule: ``function(rdkit Mol) -> float`` in ``unit`` ("" = dimensionless or a count).

    ``cost`` is a rough CPU time in seconds per molecule.
    """

    name: str
    unit: str
    function: Callable[[Chem.Mol], float]
    source: str
    summary: str
    cost: float = 5e-5

    def __call__(self, mol: Chem.Mol) -> float:
        """The value for one molecule."""
        return float(self.function(mol))


def largest_ring(mol: Chem.Mol) -> int:
    """Atoms in the largest ring of the smallest set of smallest rings; 0 without rings."""
    return max((len(ring) for ring in mol.GetRingInfo().AtomRings()), default=0)


def longest_chain(mol: Chem.Mol) -> int:
    """Longest unbranched row of acyclic CH2 and CH3 carbons."""
    carbons = {
        atom.GetIdx()
        for atom in mol.GetAtoms()
        if atom.GetAtomicNum() == 6
        and not atom.IsInRing()
        and atom.GetDegree() <= 2
        and atom.GetTotalNumHs() >= 2
        and not any(b.GetBondTypeAsDouble() != 1.0 for b in atom.GetBonds())
    }
    longest = 0
    while carbons:
        row = [carbons.pop()]
        size = 0
        while row:
            size += 1
            for neighbor in mol.GetAtomWithIdx(row.pop()).GetNeighbors():
                if neighbor.GetIdx() in carbons:
                    carbons.discard(neighbor.GetIdx())
                    row.append(neighbor.GetIdx())
        longest = max(longest, size)
    return longest


_ALL = (
    Descriptor("mol_weight", "g/mol", Descriptors.MolWt, "rdkit Descriptors.MolWt", "molecular weight", 3e-5),
    Descriptor("logp", "", Crippen.MolLogP, "rdkit Crippen.MolLogP", "Wildman-Crippen logP", 2e-4),
    Descriptor(
        "molar_refractivity", "cm3/mol", Crippen.MolMR, "rdkit Crippen.MolMR", "Crippen refractivity", 2e-4
    ),
    Descriptor("tpsa", "A^2", MolSurf.TPSA, "rdkit MolSurf.TPSA", "topological polar surface area", 3e-5),
    Descriptor("hbd", "", Lipinski.NumHDonors, "rdkit Lipinski.NumHDonors", "hydrogen bond donors"),
    Descriptor("hba", "", Lipinski.NumHAcceptors, "rdkit Lipinski.NumHAcceptors", "hydrogen bond acceptors"),
    Descriptor(
        "rotatable_bonds",
        "",
        Lipinski.NumRotatableBonds,
        "rdkit Lipinski.NumRotatableBonds",
        "rotatable bonds",
    ),
    Descriptor("rings", "", rdmd.CalcNumRings, "rdkit CalcNumRings", "rings (SSSR)"),
    Descriptor(
        "aromatic_rings", "", rdmd.CalcNumAromaticRings, "rdkit CalcNumAromaticRings", "aromatic rings"
    ),
    Descriptor("largest_ring", "", largest_ring, "molgen, on rdkit RingInfo", "atoms in the largest ring"),
    Descriptor("heavy_atoms", "", rdmd.CalcNumHeavyAtoms, "rdkit CalcNumHeavyAtoms", "heavy atoms"),
    Descriptor("heteroatoms", "", rdmd.CalcNumHeteroatoms, "rdkit CalcNumHeteroatoms", "atoms not C or H"),
    Descriptor(
        "fraction_csp3", "", rdmd.CalcFractionCSP3, "rdkit CalcFractionCSP3", "sp3 share of the carbons"
    ),
    Descriptor("formal_charge", "e", Chem.GetFormalCharge, "rdkit GetFormalCharge", "net formal charge"),
    Descriptor(
        "stereo_centers", "", stereo_centers, "rdkit FindMolChiralCenters", "tetrahedral stereo centers", 1e-4
    ),
    Descriptor(
        "undefined_stereo_centers",
        "",
        undefined_stereo_centers,
        "rdkit FindMolChiralCenters",
        "stereo centers left open",
        1e-4,
    ),
    Descriptor(
        "undefined_double_bonds",
        "",
        undefined_double_bonds,
        "rdkit FindPotentialStereo",
        "double bonds left open (E or Z)",
        2e-4,
    ),
    Descriptor("spiro_atoms", "", rdmd.CalcNumSpiroAtoms, "rdkit CalcNumSpiroAtoms", "spiro atoms"),
    Descriptor(
        "bridgehead_atoms",
        "",
        rdmd.CalcNumBridgeheadAtoms,
        "rdkit CalcNumBridgeheadAtoms",
        "bridgehead atoms",
    ),
    Descriptor("longest_chain", "", longest_chain, "molgen", "longest acyclic CH2/CH3 row", 8e-5),
    Descriptor(
        "qed", "", qed, "rdkit QED.qed (Bickerton 2012)", "drug-likeness, 0..1, higher is better", 7e-4
    ),
    Descriptor(
        "sa_score", "", sa_score, "rdkit Contrib SA_Score (Ertl 2009)", "synthesis: 1 easy .. 10 hard", 2e-4
    ),
)

#: All descriptors by name.
DESCRIPTORS: dict[str, Descriptor] = {descriptor.name: descriptor for descriptor in _ALL}


def describe(mol: Chem.Mol, names: Iterable[str]) -> dict[str, float]:
    """The named descriptors of one molecule. Raises KeyError for a name that is not in DESCRIPTORS."""
    return {name: DESCRIPTORS[name](mol) for name in names}
