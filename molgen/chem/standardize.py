"""Standardization policies: which form of a structure counts as the molecule, and why a structure is refused.

A policy is a frozen value; its ``tag`` (name and version) belongs into every manifest and cache key. Reason codes
of refused structures (the ``why`` of :class:`molgen.core.errors.MoleculeError`) are the keys of :data:`REASONS`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from rdkit import Chem, rdBase
from rdkit.Chem import rdMolHash
from rdkit.Chem.MolStandardize import rdMolStandardize

from molgen.chem.parse import parse
from molgen.core.errors import ConfigError, MoleculeError

#: Reason code -> what it means. Every refused structure carries exactly one of these.
REASONS: dict[str, str] = {
    "empty": "no structure in this row",
    "unparsable": "not a SMILES (or molfile) that RDKit can read",
    "valence": "an atom has more bonds than its element allows",
    "aromaticity": "an aromatic ring has no Kekule structure",
    "too_large": "more heavy atoms than the policy allows",
    "dummy_atom": "a wildcard atom (*): an attachment point or a query, not a molecule",
    "radical": "an unpaired electron, often a missing hydrogen",
    "element": "an element that the policy does not allow",
    "no_carbon": "no organic fragment (water, counter-ion only, inorganic salt)",
    "multiple_fragments": "several fragments where the policy asks for one",
    "standardization": "RDKit failed while standardizing",
    "truncated": "the record ends in the middle: the file was cut off",
}

_ORGANIC = frozenset({1, 5, 6, 7, 8, 9, 14, 15, 16, 17, 34, 35, 53})


@dataclass(frozen=True)
class Policy:
    """What is done to a structure before it becomes a Molecule. ``elements`` None allows all of them."""

    name: str
    version: int = 1
    largest_fragment: bool = True
    neutralize: bool = True
    remove_isotopes: bool = True
    keep_stereo: bool = True
    refuse_dummies: bool = True
    refuse_radicals: bool = True
    require_carbon: bool = True
    elements: frozenset[int] | None = _ORGANIC
    max_heavy: int | None = 150
    parse_only: bool = False

    @property
    def tag(self) -> str:
        """Name and version, for manifests and cache keys."""
        return f"{self.name}/{self.version}"


#: The named policies. ``default``: largest organic fragment, neutralized where possible (permanent charges, nitro
#: groups and N-oxides stay), no isotopes, stereo kept. ``flat``: default without stereo. ``none``: parse and
#: canonicalize only, for parity with published protocols.
POLICIES: dict[str, Policy] = {
    "default": Policy("default"),
    "flat": Policy("flat", keep_stereo=False),
    "none": Policy(
        "none",
        largest_fragment=False,
        neutralize=False,
        remove_isotopes=False,
        refuse_dummies=False,
        refuse_radicals=False,
        require_carbon=False,
        elements=None,
        max_heavy=None,
        parse_only=True,
    ),
}


def get_policy(policy: str | Policy) -> Policy:
    """The policy of that name. Raises ConfigError that lists the names."""
    if isinstance(policy, Policy):
        return policy
    try:
        return POLICIES[policy]
    except KeyError:
        raise ConfigError(
            f"unknown standardization policy {policy!r}; there are: {', '.join(POLICIES)}"
        ) from None


@cache
def _tools() -> tuple[Any, Any, Any]:
    parameters = rdMolStandardize.CleanupParameters()
    parameters.preferOrganic = True
    return (
        rdMolStandardize.LargestFragmentChooser(parameters),
        rdMolStandardize.Uncharger(canonicalOrder=True),
        rdMolStandardize.MetalDisconnector(),
    )


# Bracket atoms on which the policies have nothing to do (a carbon center may still be a radical).
_HARMLESS = frozenset({"[nH]", "[C@H]", "[C@@H]", "[C@]", "[C@@]"})
_BRACKET = re.compile(r"\[[^\]]*\]")


def _nothing_to_do(text: str, policy: Policy) -> bool:
    """Whether the string alone shows that standardization changes nothing (radicals apart)."""
    if "." in text or "*" in text or ">" in text:
        return False
    return "[" not in text or _HARMLESS.issuperset(_BRACKET.findall(text))


def _has_radical(mol: Chem.Mol) -> bool:
    return any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms())


def standardize(mol: Chem.Mol, policy: str | Policy = "default", *, text: str | None = None) -> Chem.Mol:
    """The standardized form of ``mol`` (which is not changed; it may be returned as it is).

    ``text``, the SMILES that ``mol`` was just parsed from, allows a shortcut for the many plain molecules.
    Raises MoleculeError with a reason code of :data:`REASONS`.
    """
    policy = get_policy(policy)
    if policy.parse_only:
        return mol
    if text is None or not _nothing_to_do(text, policy):
        try:
            mol = _standardize(mol, policy)
        except MoleculeError:
            raise
        except (ValueError, RuntimeError) as error:  # RDKit's own exceptions derive from these
            raise MoleculeError("standardization", str(error).strip().splitlines()[-1]) from error
    elif "[" in text and policy.refuse_radicals and _has_radical(mol):
        raise MoleculeError("radical", "an atom has an unpaired electron")
    heavy = mol.GetNumHeavyAtoms()
    if policy.max_heavy is not None and heavy > policy.max_heavy:
        raise MoleculeError(
            "too_large", f"{heavy} heavy atoms, the policy {policy.name} allows {policy.max_heavy}"
        )
    if policy.require_carbon and not any(atom.GetAtomicNum() == 6 for atom in mol.GetAtoms()):
        raise MoleculeError("no_carbon", "no fragment with carbon")
    if not policy.keep_stereo:
        mol = Chem.Mol(mol)
        Chem.RemoveStereochemistry(mol)
    return mol


def _standardize(mol: Chem.Mol, policy: Policy) -> Chem.Mol:
    chooser, uncharger, disconnector = _tools()
    if policy.refuse_dummies and any(atom.GetAtomicNum() == 0 for atom in mol.GetAtoms()):
        raise MoleculeError("dummy_atom", "wildcard atom (*)")
    if policy.largest_fragment:
        if policy.elements is not None and any(
            a.GetAtomicNum() not in policy.elements for a in mol.GetAtoms()
        ):
            mol = disconnector.Disconnect(mol)  # covalently drawn salts: CC(=O)O[Na]
        if len(Chem.GetMolFrags(mol)) > 1:
            mol = chooser.choose(mol)
    elif len(Chem.GetMolFrags(mol)) > 1:
        raise MoleculeError("multiple_fragments", f"the policy {policy.name} allows one fragment")
    mol = Chem.RWMol(mol)
    if policy.remove_isotopes:
        for atom in mol.GetAtoms():
            atom.SetIsotope(0)
    if policy.neutralize:
        _merge_charges(mol)
        mol = Chem.RWMol(uncharger.uncharge(mol))
    for atom in mol.GetAtoms():
        atom.SetAtomMapNum(0)
    mol = Chem.RemoveHs(mol.GetMol())  # also sanitizes; isotope-free hydrogens go back to implicit ones
    Chem.AssignStereochemistry(
        mol, cleanIt=True, force=True
    )  # a center may have lost its meaning with its isotope
    if policy.refuse_radicals and _has_radical(mol):
        raise MoleculeError("radical", "an atom has an unpaired electron")
    if policy.elements is not None:
        foreign = sorted({a.GetSymbol() for a in mol.GetAtoms() if a.GetAtomicNum() not in policy.elements})
        if foreign:
            raise MoleculeError("element", f"{', '.join(foreign)} not allowed by the policy {policy.name}")
    return mol


def _merge_charges(mol: Chem.RWMol) -> None:
    """Write S and P oxides with double bonds, as ZINC does; ChEMBL writes [S+][O-]: one molecule, one string."""
    for bond in mol.GetBonds():
        if bond.GetBondType() != Chem.BondType.SINGLE:
            continue
        ends = bond.GetBeginAtom(), bond.GetEndAtom()
        for center, oxygen in (ends, ends[::-1]):
            if (
                center.GetAtomicNum() in (15, 16)
                and center.GetFormalCharge() > 0
                and not center.GetIsAromatic()
                and oxygen.GetAtomicNum() in (8, 16)
                and oxygen.GetFormalCharge() == -1
                and oxygen.GetDegree() == 1
            ):
                bond.SetBondType(Chem.BondType.DOUBLE)
                center.SetFormalCharge(center.GetFormalCharge() - 1)
                oxygen.SetFormalCharge(0)


@cache
def _tautomers() -> Any:
    enumerator = rdMolStandardize.TautomerEnumerator()
    enumerator.SetMaxTautomers(200)
    enumerator.SetMaxTransforms(400)
    enumerator.SetRemoveSp3Stereo(False)  # a center next to a carbonyl still makes two products
    return enumerator


def tautomer_key(mol: Chem.Mol | str) -> str:
    """An identity that ignores salts, charge states, isotopes and tautomers; stereo counts where it is fixed.

    Two molecules with one key are the same compound to a chemist who orders it. The key is RDKit's heteroatom
    tautomer hash of the canonical tautomer of the standardized molecule: either alone splits more tautomers (2 % and
    40 % of enumerated ones; together 0.6 %). Some 4 ms. Raises MoleculeError for what does not standardize.
    """
    if isinstance(mol, str):
        mol = parse(mol)
    with rdBase.BlockLogs():
        canonical = _tautomers().Canonicalize(standardize(mol))
        return str(rdMolHash.MolHash(canonical, rdMolHash.HashFunction.HetAtomTautomer))
