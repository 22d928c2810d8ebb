"""Which of QED's 116 structural alerts a molecule can match at all: what each needs at least, and quick looks for it.

Most alerts need something that most molecules lack: an element, a ring of three, a C=C bond, atoms in two rings. What
an alert needs is read from its own query, so that leaving it out can never change a count. The rest are matched by
RDKit in one call.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import permutations

from rdkit import Chem
from rdkit.Chem import QED, FilterCatalog
from rdkit.Chem import rdMolDescriptors as rdmd

_FORMULA = re.compile(r"([A-Z][a-z]?)(\d*)")
_PLENTY = 10_000
_MANY_RINGS = 12  # in cages RDKit's set of smallest rings need not be smallest: no alert is left out
_AROMATIC = 1000  # RDKit's atom types: atomic number, plus this for aromatic atoms

#: Small patterns that are looked for before the alerts that contain them. What an alert contains is worked out from
#: the queries; each of these costs less than the alerts that it rules out in most molecules.
_PROBES = ("[!+0]", "*#*", "[#6]=[#6]", "[#6]=[#7]", "[N,O]~[#7,#8]", "[#6](=O)O", "[O;H1]", "[N;H2]")
#: Alerts whose recursive SMARTS hide from that reading what they contain.
_HIDDEN = {"[$([CH2]),$([CH][CX4]),$(C([CX4])[CX4])]=[$([CH2]),$([CH][CX4]),$(C([CX4])[CX4])]": "[#6]=[#6]"}


@dataclass(frozen=True)
class _Atom:
    """What an atom must be to match: one of these types (None: any), and all of these conditions."""

    types: frozenset[int] | None
    conditions: frozenset[str] = frozenset()

    def implies(self, other: _Atom) -> bool:
        """Whether every atom that matches this one matches ``other``."""
        fits = other.types is None or (self.types is not None and self.types <= other.types)
        return fits and other.conditions <= self.conditions


@dataclass(frozen=True)
class _Needs:
    """Necessary conditions of an alert."""

    elements: tuple[tuple[frozenset[int], int], ...]  # so many atoms of these elements
    probes: frozenset[int]  # positions in _PROBES
    rings: int  # so many rings
    in_two: int  # so many atoms in two rings or more
    tight: int  # a ring of at most this size; 0: does not matter
    exactly: frozenset[int]  # rings of these sizes
    isotope: bool


@dataclass(frozen=True)
class _Rings:
    """The rings of a molecule: how many, how many atoms in two or more, and the sizes other than 5 and 6."""

    number: int
    in_two: int
    odd: frozenset[int]

    def allow(self, needs: _Needs) -> bool:
        """Whether there are the rings that an alert needs."""
        if self.number == _PLENTY:
            return True
        return (
            needs.rings <= self.number
            and needs.in_two <= self.in_two
            and (not needs.tight or min(self.odd, default=9) <= needs.tight)
            and needs.exactly <= self.odd
        )


def _read_atom(lines: list[str]) -> _Atom:
    """Read RDKit's description of an atom's query: a tree, two blanks per level."""
    head = lines[0].strip()
    depth = len(lines[0]) - len(lines[0].lstrip())
    children: list[list[str]] = []
    for line in lines[1:]:
        if len(line) - len(line.lstrip()) == depth + 2:
            children.append([])
        if children:
            children[-1].append(line)
    if head in ("AtomAnd", "AtomOr") and children:
        parts = [_read_atom(child) for child in children]
        known = [part.types for part in parts if part.types is not None]
        if head == "AtomAnd":
            types = frozenset.intersection(*known) if known else None
            return _Atom(types, frozenset().union(*(part.conditions for part in parts)))
        types = frozenset().union(*known) if len(known) == len(parts) else None
        return _Atom(types, frozenset.intersection(*(part.conditions for part in parts)))
    kind, *rest = head.split()
    if kind == "AtomFormalCharge" and rest in (["0", "!=", "val"], ["1", "=", "val"], ["-1", "=", "val"]):
        return _Atom(None, frozenset({"charged"}))
    if len(rest) == 3 and rest[1:] == ["=", "val"]:  # anything else, negations too, promises nothing
        value = int(rest[0])
        if kind == "AtomType":
            return _Atom(frozenset({value}))
        if kind == "AtomAtomicNum":
            return _Atom(frozenset({value, value + _AROMATIC}))
        return _Atom(None, frozenset({head}) if value or kind != "AtomIsotope" else frozenset())
    return _Atom(None)


def _read(pattern: Chem.Mol) -> list[_Atom]:
    return [
        _read_atom([line for line in atom.DescribeQuery().splitlines() if line.strip()])
        for atom in pattern.GetAtoms()
    ]


def _contains(pattern: Chem.Mol, atoms: list[_Atom], probe: Chem.Mol) -> bool:
    """Whether a match of ``pattern`` always holds one of ``probe``: it has its atoms and bonds, or stricter ones."""
    wanted = _read(probe)
    for places in permutations(range(len(atoms)), len(wanted)):
        if not all(atoms[place].implies(atom) for place, atom in zip(places, wanted, strict=True)):
            continue
        for bond in probe.GetBonds():
            found = pattern.GetBondBetweenAtoms(places[bond.GetBeginAtomIdx()], places[bond.GetEndAtomIdx()])
            asked = bond.DescribeQuery().strip()
            if found is None or (asked != "BondNull" and found.DescribeQuery().strip() != asked):
                break
        else:
            return True
    return False


def _needs(pattern: Chem.Mol, smarts: str, probes: list[Chem.Mol]) -> _Needs:
    atoms = _read(pattern)
    sets = [frozenset(t % _AROMATIC for t in atom.types) for atom in atoms if atom.types is not None]
    elements = tuple((group, sum(other <= group for other in sets)) for group in dict.fromkeys(sets))
    contained = {i for i, probe in enumerate(probes) if _contains(pattern, atoms, probe)}
    if smarts in _HIDDEN:
        contained.add(_PROBES.index(_HIDDEN[smarts]))
    Chem.FastFindRings(pattern)
    rings = [list(ring) for ring in Chem.GetSSSR(pattern)]
    smallest = min(map(len, rings), default=0)
    in_two = 0
    for atom, query in zip(pattern.GetAtoms(), atoms, strict=True):
        # with three ring bonds an atom is in two rings, in whatever larger molecule it is found
        fused = sum(bond.IsInRing() for bond in atom.GetBonds()) >= 3
        in_two += fused or "AtomInNRings 2 = val" in query.conditions
    exactly = set()
    for ring in rings:
        # A cycle is a sum of rings no larger than itself. Where its atoms are in one ring only (but for two
        # neighbors), all its bonds are of the same ring, so the cycle is that ring.
        others = [i for i in ring if "AtomInNRings 1 = val" not in atoms[i].conditions]
        neighbors = len(others) == 2 and pattern.GetBondBetweenAtoms(*others) is not None
        if len(ring) not in (5, 6) and (len(others) < 2 or neighbors):
            exactly.add(len(ring))
    isotope = any(c.startswith("AtomIsotope") for atom in atoms for c in atom.conditions)
    tight = smallest if 0 < smallest < 5 else 0
    return _Needs(elements, frozenset(contained), len(rings), in_two, tight, frozenset(exactly), isotope)


@cache
def _probes() -> list[Chem.Mol]:
    return [Chem.MolFromSmarts(smarts) for smarts in _PROBES]


@cache
def _alerts() -> list[tuple[FilterCatalog.FilterCatalogEntry, _Needs]]:
    found = []
    for number, pattern in enumerate(QED.StructuralAlerts):
        name = str(number)
        entry = FilterCatalog.FilterCatalogEntry(name, FilterCatalog.SmartsMatcher(name, pattern, 1))
        found.append((entry, _needs(Chem.Mol(pattern), QED.StructuralAlertSmarts[number], _probes())))
    return found


@lru_cache(maxsize=4096)
def _fit_elements(counts: tuple[tuple[str, int], ...], isotope: bool) -> int:
    """The alerts, as bits, for which there are the elements."""
    table = Chem.GetPeriodicTable()
    have = {table.GetAtomicNumber(symbol): count for symbol, count in counts} | {1: _PLENTY, 6: _PLENTY}
    return _bits(
        (isotope or not needs.isotope)
        and all(sum(have.get(e, 0) for e in group) >= least for group, least in needs.elements)
        for _, needs in _alerts()
    )


@lru_cache(maxsize=4096)
def _fit_rings(rings: _Rings) -> int:
    """The alerts, as bits, for which there are the rings."""
    return _bits(rings.allow(needs) for _, needs in _alerts())


def _bits(answers: Iterable[bool]) -> int:
    return sum(1 << number for number, yes in enumerate(answers) if yes)


@cache
def _needing() -> list[int]:
    """For each probe the alerts, as bits, that contain it."""
    return [_bits(probe in needs.probes for _, needs in _alerts()) for probe in range(len(_PROBES))]


@lru_cache(maxsize=4096)
def _catalog(mask: int) -> FilterCatalog.FilterCatalog:
    """These alerts, to be matched in one call, in C++."""
    catalog = FilterCatalog.FilterCatalog()
    for number, (entry, _) in enumerate(_alerts()):
        if mask >> number & 1:
            catalog.AddEntry(entry)
    return catalog


def _possible(mol: Chem.Mol) -> int:
    """The alerts, as bits, that are left to be tried."""
    formula = rdmd.CalcMolFormula(mol, True, False)
    counts = tuple(
        (symbol, _count(symbol, int(number or 1)))
        for symbol, number in _FORMULA.findall(formula)
        if symbol not in ("C", "H")  # every molecule has enough of them, as far as the alerts are concerned
    )
    mask = _fit_elements(counts, "[" in formula) & _fit_rings(_ring_sizes(mol))
    for probe, needing in zip(_probes(), _needing(), strict=True):
        if mask & needing and not mol.HasSubstructMatch(probe):
            mask &= ~needing
    return mask


def _count(symbol: str, number: int) -> int:
    """The number of atoms, or "plenty": fewer distinct answers keep the caches small and warm."""
    return number if number <= (2 if symbol in ("N", "O") else 1) else _PLENTY


def _ring_sizes(mol: Chem.Mol) -> _Rings:
    """What the alerts ask of rings, in few distinct answers."""
    rings = mol.GetRingInfo().AtomRings()
    sizes = [len(ring) for ring in rings]
    if len(sizes) > _MANY_RINGS:
        return _Rings(_PLENTY, _PLENTY, frozenset())
    in_two = sum(sizes) - len(set().union(*rings))  # an atom in three counts twice: never too few
    odd = frozenset(size for size in sizes if size < 5 or size > 6)
    return _Rings(min(len(sizes), 6), min(in_two, 12), odd)


def count_alerts(mol: Chem.Mol) -> int:
    """How many of QED's structural alerts match; equal to ``QED.properties(mol).ALERTS``."""
    return len(_catalog(_possible(mol)).GetMatches(mol))
