"""Parts of a molecule: Murcko scaffold, ring systems, BRICS fragments."""

from __future__ import annotations

from functools import cache

from rdkit import Chem, rdBase
from rdkit.Chem import BRICS
from rdkit.Chem.Scaffolds import MurckoScaffold


@cache
def _kept_bonds() -> Chem.Mol:
    """The double bonds out of a ring that stay with it: C=O, S=O, C=N, C=C, C=S and their like."""
    return Chem.MolFromSmarts("[#6R,#16R]=[OR0,SR0,CR0,NR0]")


def murcko_scaffold(mol: Chem.Mol, generic: bool = False) -> str:
    """Canonical SMILES of the Bemis-Murcko scaffold (rings, linkers, exocyclic double bonds); "" without rings.

    ``generic``: all atoms carbon, all bonds single. Bemis and Murcko, J. Med. Chem. 39 (1996) 2887.
    """
    scaffold = MurckoScaffold.GetScaffoldForMol(mol)
    if generic and scaffold.GetNumAtoms():
        scaffold = MurckoScaffold.GetScaffoldForMol(MurckoScaffold.MakeScaffoldGeneric(scaffold))
    return Chem.MolToSmiles(scaffold)


def ring_systems(mol: Chem.Mol) -> list[str]:
    """Canonical SMILES of each ring system, one entry per occurrence.

    A ring system is what stays connected when every single bond outside of rings is cut: fused, bridged and spiro
    rings with their exocyclic double bonds (definition of Walters, "Identifying ring systems in molecules", 2022,
    which useful_rdkit_utils and chembl-gen-check use too). Cut bonds are filled with hydrogen, stereo is kept.
    """
    rings = mol.GetRingInfo().AtomRings()
    if not rings:
        return []
    protected = {mol.GetBondBetweenAtoms(*match).GetIdx() for match in mol.GetSubstructMatches(_kept_bonds())}
    cuts = [
        bond.GetIdx()
        for bond in mol.GetBonds()
        if bond.GetBondType() == Chem.BondType.SINGLE
        and not bond.IsInRing()
        and bond.GetIdx() not in protected
    ]
    in_rings = {atom for ring in rings for atom in ring}
    atoms: list[tuple[int, ...]] = []
    with rdBase.BlockLogs():
        cut = Chem.FragmentOnBonds(mol, cuts, dummyLabels=[(0, 0)] * len(cuts)) if cuts else mol
        # not sanitized here: closing a part does that, and the chains between ring systems are dropped anyway
        parts = Chem.GetMolFrags(cut, asMols=True, sanitizeFrags=False, fragsMolAtomMapping=atoms)
        return [
            _closed(part)
            for part, members in zip(parts, atoms, strict=True)
            if not in_rings.isdisjoint(members)
        ]


_KNOWN: dict[str, str] = {}
_MOST_KNOWN = 100_000  # ring systems with their cuts; a few thousand make up nearly all


def _closed(part: Chem.Mol) -> str:
    """SMILES of a cut-out part with hydrogens where bonds were cut; looked up, for most parts were seen before."""
    key = Chem.MolToSmiles(part)
    found = _KNOWN.get(key)
    if found is None:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        found = _KNOWN[key] = _close(part)
    return found


def _close(part: Chem.Mol) -> str:
    for atom in part.GetAtoms():
        if atom.GetAtomicNum() == 0:
            atom.SetAtomicNum(1)
            atom.SetIsotope(0)
    part = Chem.RemoveAllHs(part)
    for bond in part.GetBonds():
        if bond.GetBondType() == Chem.BondType.DOUBLE and (
            bond.GetBeginAtom().GetDegree() == 1 or bond.GetEndAtom().GetDegree() == 1
        ):
            bond.SetStereo(Chem.BondStereo.STEREONONE)  # an end without substituents has no E and Z
    return Chem.MolToSmiles(part)


def brics_fragments(mol: Chem.Mol) -> list[str]:
    """Sorted SMILES of the BRICS fragments, attachment points as numbered wildcards (Degen 2008)."""
    return sorted(BRICS.BRICSDecompose(mol))
