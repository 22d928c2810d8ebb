"""Graph sanity: what a chemist rejects at a look, whatever the project; the bars stand in one place.

Every check judges one neutralized fragment (policy ``default``) and answers with the name of the rule that is broken,
words, and by how much. Bars: section 4 of the study of marketed drugs, ChEMBL and ZINC in docs/filters.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors as rdmd

from molgen.chem.descriptors import longest_chain
from molgen.chem.rings import KNOWN
from molgen.chem.stereo import stereo_centers, undefined_double_bonds, undefined_stereo_centers

_HALOGENS = (17, 35, 53)


class Form(NamedTuple):
    """What of an element drugs have: the atom as SMARTS, words for what is none, and the name of the form."""

    smarts: str
    refused: str
    name: str


#: Atomic number -> the form that the rule ``element`` allows beside :attr:`Limits.elements`.
FORMS: dict[int, Form] = {
    # five-valent, one P=O or P=S, no hydrogen: reducing P-H, P-P, P-halogen and phosphines are reagents
    15: Form(
        "[#15X4v5+0H0](=[O,S;X1])([#6,#7,#8,#16])([#6,#7,#8,#16])[#6,#7,#8,#16]",
        "phosphorus that is not a phosphate, phosphonate or phosphine oxide",
        "phosphate, phosphonate or phosphine oxide",
    ),
    # boronic acid, its esters, benzoxaboroles: three neighbors, of them two O on H, C or B, and one C
    5: Form(
        "[#5X3v3+0H0]([#6])([OX2;H1,$(O([#5])[#6,#5])])[OX2;H1,$(O([#5])[#6,#5])]",
        "boron that is not a boronic acid or its ester",
        "boronic acid or ester",
    ),
    53: Form("[IX1+0]-c", "iodine that is not on an aromatic carbon", "on an aromatic carbon"),
}


@dataclass(frozen=True)
class Limits:
    """The bars; the defaults are those of the study that measured them on drugs, ChEMBL and ZINC.

    ``elements``: atomic numbers that are allowed in any form; those of :data:`FORMS` have one besides.
    """

    elements: frozenset[int] = frozenset({1, 6, 7, 8, 9, 16, 17, 35})
    fused_rings: int = 4
    bridgeheads: int = 2
    spiro_atoms: int = 1
    small_rings: int = 1
    stereo_centers: int = 4
    undefined_stereo_centers: int = 2
    undefined_double_bonds: int = 0
    chain: int = 6
    fluorine: int = 6
    other_halogens: int = 3
    ring_frequency: int = KNOWN
    sa_score: float = 4.5


class Fault(NamedTuple):
    """A broken rule: its name, what was found in words, what exactly (a key), and how far beyond the bar."""

    rule: str
    words: str
    subject: str = ""
    excess: float = 0.0


#: Rule -> what it asks for. The rules of :func:`graph_faults`, :func:`shape_faults` and :func:`stereo_faults`.
GRAPH_RULES: dict[str, str] = {
    "one fragment": "a single molecule, no salt or solvent beside it",
    "element": "H, C, N, O, F, S, Cl, Br; P as phosphate, phosphonate or phosphine oxide, B as boronic acid or ester,"
    " I on an aromatic carbon (others on request)",
    "isotope": "no isotope labels",
    "radical": "no unpaired electrons",
    "charge": "charges only beside an opposite one (nitro group, N-oxide, isonitrile)",
    "ring of 8 to 11 atoms": "no medium-sized ring",
    "macrocycle": "no ring of 12 atoms or more",
    "3-membered rings": "at most one ring of 3 atoms",
    "4-membered rings": "at most one ring of 4 atoms",
    "7-membered rings": "at most one ring of 7 atoms",
    "fused rings": "at most 4 rings that share bonds",
    "bridgeheads": "at most 2 bridgehead atoms",
    "spiro atoms": "at most 1 spiro center",
}
SHAPE_RULES: dict[str, str] = {
    "chain": "at most 6 acyclic CH2 or CH3 in a row",
    "fluorine": "at most 6 fluorine atoms",
    "other halogens": "at most 3 Cl, Br or I",
}
STEREO_RULES: dict[str, str] = {
    "stereo centers": "at most 4 tetrahedral stereo centers",
    "undefined stereo centers": "at most 2 stereo centers left open",
    "undefined double bonds": "no double bond left open (E or Z)",
}
#: Stricter than the rule ``element`` of the graph: what a list for purchase and screening does without.
PLAIN_RULES: dict[str, str] = {
    "element": "no P, B or I in any form (on request)",
}
_DEFAULT = Limits()


def graph_faults(mol: Chem.Mol, limits: Limits = _DEFAULT) -> Iterator[Fault]:
    """Elements, charges, ring sizes, fusion: what is not a sane graph."""
    yield from _atom_faults(mol, limits)
    rings = mol.GetRingInfo().AtomRings()
    if not rings:
        return
    sizes = [len(ring) for ring in rings]
    for size in sorted(set(sizes)):
        if size >= 8:
            rule = "macrocycle" if size >= 12 else "ring of 8 to 11 atoms"
            yield Fault(rule, f"ring of {size} atoms", str(size))
    for size in (3, 4, 7):
        more = sizes.count(size) - limits.small_rings
        if more > 0:
            words = f"more than one ring of {size} atoms" if limits.small_rings == 1 else ""
            words = words or f"more than {limits.small_rings} rings of {size} atoms"
            yield Fault(f"{size}-membered rings", words, "", more)
    for rule, found, most, words in (
        ("fused rings", fused_rings(mol), limits.fused_rings, "fused rings"),
        ("bridgeheads", rdmd.CalcNumBridgeheadAtoms(mol), limits.bridgeheads, "bridgehead atoms"),
        ("spiro atoms", rdmd.CalcNumSpiroAtoms(mol), limits.spiro_atoms, "spiro centers"),
    ):
        if found > most:
            yield Fault(rule, f"{found} {words}, at most {most}", "", found - most)


def plain_faults(mol: Chem.Mol, limits: Limits = _DEFAULT) -> Iterator[Fault]:
    """Phosphorus, boron and iodine in the forms that :func:`graph_faults` lets pass."""
    for number in sorted({atom.GetAtomicNum() for atom in mol.GetAtoms()} & FORMS.keys() - limits.elements):
        atoms = _in_form(mol, number)
        if atoms:
            symbol = mol.GetAtomWithIdx(min(atoms)).GetSymbol()
            yield Fault("element", f"element {symbol} ({FORMS[number].name})", symbol)


@cache
def _query(number: int) -> Chem.Mol:
    return Chem.MolFromSmarts(FORMS[number].smarts)


def _in_form(mol: Chem.Mol, number: int) -> set[int]:
    """The atoms of this element that have the form that drugs have."""
    most = mol.GetNumAtoms() * 24  # the same atom is found with its neighbors in each order
    return {match[0] for match in mol.GetSubstructMatches(_query(number), uniquify=False, maxMatches=most)}


def _atom_faults(mol: Chem.Mol, limits: Limits) -> Iterator[Fault]:
    foreign: dict[str, str] = {}
    forms: dict[int, set[int]] = {}
    isotopes, radicals, odd = False, False, False
    for atom in mol.GetAtoms():
        number = atom.GetAtomicNum()
        if number not in limits.elements:
            if number in FORMS and number not in forms:
                forms[number] = _in_form(mol, number)
            if atom.GetIdx() not in forms.get(number, ()):
                foreign[atom.GetSymbol()] = FORMS[number].refused if number in FORMS else ""
        isotopes = isotopes or atom.GetIsotope() != 0
        radicals = radicals or atom.GetNumRadicalElectrons() != 0
        charge = atom.GetFormalCharge()
        if charge and not odd:
            odd = not any(neighbor.GetFormalCharge() * charge < 0 for neighbor in atom.GetNeighbors())
    fragments = len(Chem.GetMolFrags(mol))
    if fragments > 1:
        yield Fault("one fragment", f"{fragments} fragments", "", fragments)
    for symbol, words in sorted(foreign.items()):
        words = words or ("wildcard atom *" if symbol == "*" else f"element {symbol}")
        yield Fault("element", words, symbol)
    if isotopes:
        yield Fault("isotope", "isotope label")
    if radicals:
        yield Fault("radical", "radical")
    if odd:
        yield Fault("charge", "charge that is not that of a nitro group, N-oxide or the like")


def shape_faults(mol: Chem.Mol, limits: Limits = _DEFAULT) -> Iterator[Fault]:
    """Long chains and many halogens."""
    chain = longest_chain(mol)
    if chain > limits.chain:
        words = f"chain of {chain} CH2 or CH3, at most {limits.chain}"
        yield Fault("chain", words, "", chain - limits.chain)
    numbers = [atom.GetAtomicNum() for atom in mol.GetAtoms()]
    fluorine = numbers.count(9)
    if fluorine > limits.fluorine:
        words = f"{fluorine} fluorine atoms, at most {limits.fluorine}"
        yield Fault("fluorine", words, "", fluorine - limits.fluorine)
    others = sum(numbers.count(halogen) for halogen in _HALOGENS)
    if others > limits.other_halogens:
        words = f"{others} Cl, Br or I, at most {limits.other_halogens}"
        yield Fault("other halogens", words, "", others - limits.other_halogens)


def stereo_faults(mol: Chem.Mol, limits: Limits = _DEFAULT) -> Iterator[Fault]:
    """Too many stereo centers, and stereo that the structure leaves open."""
    for rule, found, most in (
        ("stereo centers", stereo_centers(mol), limits.stereo_centers),
        ("undefined stereo centers", undefined_stereo_centers(mol), limits.undefined_stereo_centers),
        ("undefined double bonds", undefined_double_bonds(mol), limits.undefined_double_bonds),
    ):
        if found > most:
            yield Fault(rule, f"{found} {rule}, at most {most}", "", found - most)


def fused_rings(mol: Chem.Mol) -> int:
    """Number of rings in the largest system of rings that share bonds."""
    left = [set(ring) for ring in mol.GetRingInfo().BondRings()]
    largest = 0
    while left:
        system, size, grown = left.pop(), 1, True
        while grown:
            grown = False
            for ring in left[:]:
                if not system.isdisjoint(ring):
                    system |= ring
                    left.remove(ring)
                    size, grown = size + 1, True
        largest = max(largest, size)
    return largest
