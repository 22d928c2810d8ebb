"""What oracles need to know of one molecule: each part computed at first use, and shared by all oracles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from rdkit import Chem
from rdkit.Chem import Crippen, GraphDescriptors, rdFingerprintGenerator
from rdkit.Chem import rdMolDescriptors as rdmd

from molgen.benchmark.pharmacophore import pharmacophore
from molgen.chem.qed import qed

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule

N_BITS = 2048
_ATTRIBUTES = {"ECFP4": "ecfp4", "ECFP6": "ecfp6", "FCFP4": "fcfp4", "AP": "pairs"}
_SYMBOL = re.compile(r"([A-Z][a-z]*)(\d*)")


@cache
def _generators() -> dict[str, Any]:
    """RDKit's fingerprint generators of the published definitions; they hold settings, no state."""
    morgan = rdFingerprintGenerator.GetMorganGenerator
    roles = rdFingerprintGenerator.GetMorganFeatureAtomInvGen
    return {
        "ECFP4": morgan(radius=2, fpSize=N_BITS),
        "ECFP6": morgan(radius=3),
        "FCFP4": morgan(radius=2, atomInvariantsGenerator=roles()),
        "FCFP6": morgan(radius=3, atomInvariantsGenerator=roles()),
        "AP": rdFingerprintGenerator.GetAtomPairGenerator(minDistance=1, maxDistance=10),
    }


class Features:
    """One molecule as the oracles see it. ``smiles`` is the text that was scored, ``mol`` what RDKit reads from it.

    Fingerprints are unfolded counts (RDKit sparse vectors) unless their name says ``bits``.
    """

    def __init__(self, mol: Chem.Mol, smiles: str) -> None:
        self.mol = mol
        self.smiles = smiles

    @classmethod
    def of(cls, mols: Sequence[Molecule]) -> list[Features]:
        """Features of molecules of ours."""
        return [cls(mol.mol, mol.smiles) for mol in mols]

    @classmethod
    def parse(cls, smiles: str) -> Features:
        """Features of one string as it is, not standardized. Raises MoleculeError."""
        from molgen.chem.parse import parse

        return cls(parse(smiles), smiles)

    def fingerprint(self, kind: str) -> Any:
        """The count fingerprint ``ECFP4``, ``ECFP6``, ``FCFP4`` or ``AP`` (atom pairs up to ten bonds)."""
        return getattr(self, _ATTRIBUTES[kind])

    @cached_property
    def ecfp4(self) -> Any:
        """Circular counts, radius 2."""
        return _generators()["ECFP4"].GetSparseCountFingerprint(self.mol)

    @cached_property
    def ecfp6(self) -> Any:
        """Circular counts, radius 3."""
        return _generators()["ECFP6"].GetSparseCountFingerprint(self.mol)

    @cached_property
    def fcfp4(self) -> Any:
        """Circular counts over pharmacophoric roles of atoms, radius 2."""
        return _generators()["FCFP4"].GetSparseCountFingerprint(self.mol)

    @cached_property
    def pairs(self) -> Any:
        """Atom-pair counts up to ten bonds."""
        return _generators()["AP"].GetSparseCountFingerprint(self.mol)

    @cached_property
    def ecfp4_bits(self) -> np.ndarray:
        """Positions of the bits (of 2,048) that are on, radius 2."""
        return np.array(_generators()["ECFP4"].GetFingerprint(self.mol).GetOnBits(), dtype=np.int64)

    @cached_property
    def fcfp6_folded(self) -> tuple[np.ndarray, np.ndarray]:
        """Positions (identifier modulo 2,048) and counts of the role environments up to radius 3."""
        counts: dict[int, int] = {}
        environments = _generators()["FCFP6"].GetSparseCountFingerprint(self.mol).GetNonzeroElements()
        for identifier, count in environments.items():
            place = identifier % N_BITS
            counts[place] = counts.get(place, 0) + count
        return np.array(list(counts), dtype=np.int64), np.array(list(counts.values()), dtype=np.float64)

    @cached_property
    def logp(self) -> float:
        """Crippen logP."""
        return float(Crippen.MolLogP(self.mol))

    @cached_property
    def tpsa(self) -> float:
        """Topological polar surface in square angstrom, N and O only."""
        return float(rdmd.CalcTPSA(self.mol))

    @cached_property
    def bertz(self) -> float:
        """Bertz's complexity."""
        return float(GraphDescriptors.BertzCT(self.mol))

    @cached_property
    def qed(self) -> float:
        """Quantitative estimate of drug-likeness."""
        return float(qed(self.mol))

    @cached_property
    def rings(self) -> int:
        """Number of rings."""
        return int(rdmd.CalcNumRings(self.mol))

    @cached_property
    def aromatic_rings(self) -> int:
        """Number of aromatic rings."""
        return int(rdmd.CalcNumAromaticRings(self.mol))

    @cached_property
    def atoms(self) -> dict[str, int]:
        """Atoms by element symbol, hydrogens included."""
        return count_symbols(rdmd.CalcMolFormula(self.mol))

    @cached_property
    def n_atoms(self) -> int:
        """All atoms, hydrogens included."""
        return int(self.mol.GetNumAtoms(onlyExplicit=False))

    @cached_property
    def pharmacophore(self) -> frozenset[int]:
        """The two- and three-point pharmacophores (Gobbi and Poppinger) that occur."""
        return pharmacophore(self.mol)

    def has(self, pattern: Chem.Mol) -> bool:
        """Whether a substructure occurs."""
        return bool(self.mol.HasSubstructMatch(pattern))


def count_symbols(formula: str) -> dict[str, int]:
    """``"C2H6O"`` -> ``{"C": 2, "H": 6, "O": 1}``; charges are left out, repeated symbols add up."""
    counts: dict[str, int] = {}
    for symbol, number in _SYMBOL.findall(formula):
        counts[symbol] = counts.get(symbol, 0) + int(number or 1)
    return counts
