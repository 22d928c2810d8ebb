"""Write the SMILES of a fragment tree from arrays: no RDKit, tens of microseconds a molecule."""

from __future__ import annotations

from collections.abc import Sequence

from molgen.models.graph_vae.table import FragmentTable

_SYMBOLS = {
    3: "Li", 5: "B", 6: "C", 7: "N", 8: "O", 9: "F", 11: "Na", 12: "Mg", 13: "Al", 14: "Si", 15: "P", 16: "S",
    17: "Cl", 19: "K", 20: "Ca", 30: "Zn", 32: "Ge", 33: "As", 34: "Se", 35: "Br", 50: "Sn", 51: "Sb", 52: "Te",
    53: "I", 80: "Hg", 82: "Pb", 83: "Bi",
}  # fmt: skip
#: Valences for which SMILES leaves out the hydrogens.
_VALENCES = {
    5: (3,),
    6: (4,),
    7: (3, 5),
    8: (2,),
    9: (1,),
    15: (3, 5),
    16: (2, 4, 6),
    17: (1,),
    35: (1,),
    53: (1,),
}
_BONDS = {1: "", 2: "=", 3: "#", 4: ""}


class SmilesWriter:
    """Writes molecules over the fragments of a table; how a fragment is written from a site is worked out once."""

    def __init__(self, table: FragmentTable) -> None:
        self.table = table
        self._templates: dict[
            tuple[int, int], tuple[list[tuple[int, str, tuple[tuple[int, str], ...]]], str, int]
        ] = {}
        self._atoms: dict[tuple[int, int, int], str] = {}

    def write(
        self, fragment: Sequence[int], parent: Sequence[int], entry: Sequence[int], site: Sequence[int]
    ) -> str:
        """SMILES of one molecule: fragments, parents, entry sites and parents' sites in any order that grows a tree."""
        children: list[list[int]] = [[] for _ in fragment]
        for i in range(1, len(fragment)):
            children[parent[i]].append(i)
        return self._fragment(0, 0, fragment, entry, site, children)

    def _fragment(
        self,
        i: int,
        rings: int,
        fragment: Sequence[int],
        entry: Sequence[int],
        site: Sequence[int],
        children: list[list[int]],
    ) -> str:
        number = fragment[i]
        begin = entry[i] if i else 0
        steps, tail, used_rings = self._template(number, begin)
        branches: dict[int, list[int]] = {}
        for child in children[i]:
            branches.setdefault(site[child], []).append(child)
        text: list[str] = []
        for atom, before, closures in steps:
            here = branches.get(atom, ())
            text.append(before)
            text.append(self._atom(number, atom, len(here) + (i > 0 and atom == begin)))
            for digit, bond in closures:
                value = rings + digit
                text.append(f"{bond}{value}" if value < 10 else f"{bond}%{value}")
            for child in here:
                joint = (
                    "(-"
                    if self._aromatic(number, atom) and self._aromatic(fragment[child], entry[child])
                    else "("
                )
                text.append(joint)
                text.append(self._fragment(child, rings + used_rings, fragment, entry, site, children))
                text.append(")")
        text.append(tail)
        return "".join(text)

    def _aromatic(self, number: int, atom: int) -> bool:
        return bool(self.table.atoms[self.table.start[number] + atom, 3])

    def _atom(self, number: int, atom: int, used: int) -> str:
        key = (number, atom, used)
        found = self._atoms.get(key)
        if found is None:
            found = self._atoms[key] = self._atom_text(number, atom, used)
        return found

    def _atom_text(self, number: int, atom: int, used: int) -> str:
        table = self.table
        element, charge, hydrogens, aromatic, _ = (int(x) for x in table.atoms[table.start[number] + atom])
        rest = hydrogens - used
        assert rest >= 0, "more bonds than hydrogens to give away"
        bonds = table.bonds[table.bond_start[number] : table.bond_start[number + 1]]
        orders = [int(order) for a, b, order in bonds if atom in (a, b)]
        symbol = _SYMBOLS[element].lower() if aromatic else _SYMBOLS[element]
        if charge == 0 and rest == _implied(element, bool(aromatic), orders, used):
            return symbol
        sign = (
            ""
            if charge == 0
            else ("+" if charge > 0 else "-") + (str(abs(charge)) if abs(charge) > 1 else "")
        )
        return f"[{symbol}{'H' if rest else ''}{rest if rest > 1 else ''}{sign}]"

    def _template(
        self, number: int, begin: int
    ) -> tuple[list[tuple[int, str, tuple[tuple[int, str], ...]]], str, int]:
        found = self._templates.get((number, begin))
        if found is None:
            found = self._templates[number, begin] = self._walk(number, begin)
        return found

    def _walk(
        self, number: int, begin: int
    ) -> tuple[list[tuple[int, str, tuple[tuple[int, str], ...]]], str, int]:
        table = self.table
        first = table.start[number]
        rows = [
            tuple(int(x) for x in row)
            for row in table.bonds[table.bond_start[number] : table.bond_start[number + 1]]
        ]
        near: list[list[tuple[int, int]]] = [[] for _ in range(int(table.size[number]))]
        for a, b, order in rows:
            near[a].append((b, order))
            near[b].append((a, order))

        def bond_text(a: int, b: int, order: int) -> str:
            both = order == 1 and table.atoms[first + a, 3] and table.atoms[first + b, 3]
            return "-" if both else _BONDS[order]

        seen: set[int] = set()
        closures: list[list[tuple[int, str]]] = [[] for _ in near]
        below: list[list[tuple[int, int]]] = [[] for _ in near]
        rings = 0
        closed: set[frozenset[int]] = set()
        walked: set[tuple[int, int]] = set()

        def visit(atom: int, came_from: int) -> None:
            nonlocal rings
            seen.add(atom)
            for other, order in near[atom]:
                if other == came_from:
                    continue
                if other not in seen:
                    below[atom].append((other, order))
                    walked.add((atom, other))
                    visit(other, atom)
                elif (bond := frozenset((atom, other))) not in closed and (atom, other) not in walked:
                    closed.add(bond)
                    rings += 1  # each closure has a number of its own: no two are ever open under one number
                    closures[atom].append((rings, ""))
                    closures[other].append((rings, bond_text(atom, other, order)))

        visit(begin, -1)
        steps: list[tuple[int, str, tuple[tuple[int, str], ...]]] = []

        def write(atom: int, before: str) -> str:
            steps.append((atom, before, tuple(closures[atom])))
            after = ""
            for k, (other, order) in enumerate(below[atom]):
                last = k == len(below[atom]) - 1
                after = write(other, after + ("" if last else "(") + bond_text(atom, other, order))
                if not last:
                    after += ")"
            return after

        tail = write(begin, "")
        return steps, tail, rings


def _implied(element: int, aromatic: bool, orders: list[int], used: int) -> int:
    """Hydrogens that a SMILES reader adds to an atom without brackets; -1 where brackets are always needed."""
    if element not in _VALENCES:
        return -1
    if aromatic:
        if element == 6:
            return max(0, 3 - len(orders) - used)
        return 0 if element in (7, 8, 16) else -1
    total = sum(orders) + used
    for valence in _VALENCES[element]:
        if valence >= total:
            return valence - total
    return -1
