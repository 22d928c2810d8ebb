"""Which of many substructure queries a molecule can match at all: cheap looks before the dear matches.

Most queries need something that most molecules lack: an element, two elements joined by a bond of one kind, a number
of rings, a charge. What a query needs is read from the query itself; where that leaves something open it promises
nothing, so a query that is left out could never have matched. :func:`skeleton` is the second look.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from rdkit import Chem

_KINDS: dict[str, tuple[float, ...]] = {
    "-": (1.0,),
    "=": (2.0,),
    "#": (3.0,),
    ":": (1.5,),
    "": (1.0, 1.5),
    "-,:": (1.0, 1.5),
}  # how a query writes a bond -> the orders that it can have; what is not here promises nothing
_COMMON = frozenset({1, 6, 7, 8})
_MOST_ELEMENTS = 6  # a longer list that has a common element hardly ever rules a molecule out
_BIG_RING = 8
_CHARGE, _RINGS, _BIG = "charge", "rings", "big ring"
_RING_SIZE = re.compile(r"r(\d+)")
_NO_ELEMENT = frozenset({"A", "a", "H", "R", "X", "D", "r", "v", "x", "h", "z", "Z"})

#: ("atom", elements), ("bond", element, element, orders), (charge,), (rings,), (big ring,) -> how many at least.
Needs = Counter[tuple[object, ...]]


@dataclass(frozen=True, slots=True)
class Features:
    """What a molecule has: atoms of each element, bonds by (lower element, higher element, order), and counts."""

    atoms: dict[int, int]
    bonds: dict[tuple[int, int, float], int]
    counts: dict[str, int]


def features(mol: Chem.Mol) -> Features:
    """What :class:`Screen` asks of a molecule; computed once, used for any number of screens."""
    numbers = []
    atoms: dict[int, int] = {}
    charged = 0
    for atom in mol.GetAtoms():
        number = atom.GetAtomicNum()
        numbers.append(number)
        atoms[number] = atoms.get(number, 0) + 1
        if atom.GetFormalCharge():
            charged += 1
    bonds: dict[tuple[int, int, float], int] = {}
    for bond in mol.GetBonds():
        a, b = numbers[bond.GetBeginAtomIdx()], numbers[bond.GetEndAtomIdx()]
        key = (a, b, bond.GetBondTypeAsDouble()) if a < b else (b, a, bond.GetBondTypeAsDouble())
        bonds[key] = bonds.get(key, 0) + 1
    rings = mol.GetRingInfo().AtomRings()
    counts = {
        _CHARGE: charged,
        _RINGS: len(rings),
        _BIG: sum(len(ring) >= _BIG_RING for ring in rings),
    }
    return Features(atoms, bonds, counts)


class Screen:
    """Tells, for a list of queries, which of them are worth a match."""

    def __init__(self, queries: Sequence[Chem.Mol | None]) -> None:
        needs = [Counter() if query is None else needs_of(query) for query in queries]
        self._all = (1 << len(queries)) - 1
        # for each need: the queries, as bits, that need more than 0, 1, 2 ... of it
        self._atoms: list[tuple[tuple[int, ...], list[int]]] = []
        self._bonds: list[tuple[list[tuple[int, int, float]], list[int]]] = []
        self._counts: list[tuple[str, list[int]]] = []
        for need in dict.fromkeys(key for one in needs for key in one):
            most = max(one[need] for one in needs)
            lacking = [sum(1 << i for i, one in enumerate(needs) if one[need] > have) for have in range(most)]
            match need:
                case ("atom", tuple(elements)):
                    self._atoms.append((elements, lacking))
                case ("bond", int(a), int(b), tuple(kinds)):
                    self._bonds.append(([(a, b, kind) for kind in kinds], lacking))
                case (str(name),):
                    self._counts.append((name, lacking))

    def possible(self, has: Features) -> list[int]:
        """Positions, in order, of the queries for which a molecule with these features has all that is needed."""
        lost = 0
        for elements, lacking in self._atoms:
            have = sum([has.atoms.get(element, 0) for element in elements])
            if have < len(lacking):
                lost |= lacking[have]
        for keys, lacking in self._bonds:
            have = sum([has.bonds.get(key, 0) for key in keys])
            if have < len(lacking):
                lost |= lacking[have]
        for name, lacking in self._counts:
            if has.counts[name] < len(lacking):
                lost |= lacking[has.counts[name]]
        left = self._all & ~lost
        found = []
        while left:
            lowest = left & -left
            found.append(lowest.bit_length() - 1)
            left ^= lowest
        return found


def needs_of(query: Chem.Mol) -> Needs:
    """What every molecule that the query matches has at least."""
    read = [_read_atom(atom.GetSmarts()) for atom in query.GetAtoms()]
    groups = [
        types
        for types, _ in read
        if types is not None and (len(types) <= _MOST_ELEMENTS or types.isdisjoint(_COMMON))
    ]
    needs: Needs = Counter()
    for _, inner in read:
        needs |= inner
    charged = sum(inner[_CHARGE,] > 0 for _, inner in read)
    for group in dict.fromkeys(groups):
        needs["atom", tuple(sorted(group))] = max(
            needs["atom", tuple(sorted(group))], sum(other <= group for other in groups)
        )
    pairs: list[tuple[int, int, tuple[float, ...]]] = []
    for bond in query.GetBonds():
        ends = [read[i][0] for i in (bond.GetBeginAtomIdx(), bond.GetEndAtomIdx())]
        kinds = _KINDS.get(bond.GetSmarts().strip())
        if kinds is not None and all(types is not None and len(types) == 1 for types in ends):
            a, b = sorted(number for types in ends if types is not None for number in types)
            pairs.append((a, b, kinds))
    for a, b, kinds in dict.fromkeys(pairs):
        same = sum(p[:2] == (a, b) and set(p[2]) <= set(kinds) for p in pairs)
        needs["bond", a, b, kinds] = max(needs["bond", a, b, kinds], same)
    parts = len(Chem.GetMolFrags(query))
    needs[_RINGS,] = max(needs[_RINGS,], query.GetNumBonds() - query.GetNumAtoms() + parts)
    needs[_CHARGE,] = max(needs[_CHARGE,], charged)
    return +needs


def skeleton(query: Chem.Mol) -> Chem.Mol | None:
    """The query with plain elements for its recursive atoms: what matches the query matches this, at a fraction.

    None where nothing is recursive, or too little would be left to look for.
    """
    plain = Chem.RWMol(query)
    changed = False
    for atom in query.GetAtoms():
        smarts = atom.GetSmarts()
        if "$(" in smarts:
            types, _ = _read_atom(smarts)
            text = "*" if types is None else "[" + ",".join(f"#{number}" for number in sorted(types)) + "]"
            plain.ReplaceAtom(atom.GetIdx(), Chem.AtomFromSmarts(text))
            changed = True
    if not changed or plain.GetNumAtoms() < 3:
        return None
    found = plain.GetMol()
    found.UpdatePropertyCache(strict=False)
    return found


_Read = tuple[
    "frozenset[int] | None", Needs
]  # the elements that an atom can be (None: any), and what it needs


@cache
def _read_atom(smarts: str) -> _Read:
    text = smarts[1:-1] if smarts.startswith("[") and smarts.endswith("]") else smarts
    return _all_of([_any_of(part) for part in _split(text, ";")])


def _any_of(text: str) -> _Read:
    ways = [_all_of([_primitive(part) for part in _split(way, "&")]) for way in _split(text, ",")]
    known = [types for types, _ in ways if types is not None]
    types = frozenset().union(*known) if len(known) == len(ways) else None
    needs = ways[0][1]
    for _, other in ways[1:]:
        needs = needs & other
    return types, needs


def _all_of(parts: Sequence[_Read]) -> _Read:
    known = [types for types, _ in parts if types is not None]
    needs: Needs = Counter()
    for _, more in parts:
        needs = needs | more
    return (frozenset.intersection(*known) if known else None), needs


def _primitive(text: str) -> _Read:
    """One primitive of SMARTS; what is not known here, negations too, promises nothing."""
    if text.startswith("$("):
        inner = Chem.MolFromSmarts(text[2:-1])
        if inner is None or not inner.GetNumAtoms():
            return None, Counter()
        return _read_atom(inner.GetAtomWithIdx(0).GetSmarts())[0], needs_of(inner)
    if text.startswith("#") and text[1:].isdigit():
        return frozenset({int(text[1:])}), Counter()
    if text in ("+", "-", "+1", "-1", "+2", "-2"):
        return None, Counter({(_CHARGE,): 1})
    if (size := _RING_SIZE.fullmatch(text)) and int(size[1]) >= _BIG_RING:
        return None, Counter({(_BIG,): 1})
    if text in _NO_ELEMENT or not re.fullmatch(r"[A-Z][a-z]?|[bcnops]|se|as|te|si", text):
        return None, Counter()
    return frozenset({Chem.GetPeriodicTable().GetAtomicNumber(text.capitalize())}), Counter()


def _split(text: str, separator: str) -> list[str]:
    """Split at a separator that is not inside of brackets."""
    parts, depth, start = [], 0, 0
    for place, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if character == separator and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    return [*parts, text[start:]]
