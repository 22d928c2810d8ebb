"""Cut a molecule into the tree of its fragments: every acyclic single bond is cut, the rest stays whole.

What leaves this module is plain: which fragments, and which atom of the one is bonded to which atom of the other. Atoms
of a fragment are numbered as in the fragment's canonical SMILES. Training and sampling need neither it nor RDKit.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rdkit import Chem, rdBase

#: Beyond these a molecule is outside of the codec; it is counted and named, never cut silently.
MAX_FRAGMENTS, MAX_HEAVY_ATOMS, MAX_FRAGMENT_ATOMS = 32, 64, 32
_ORDERS = {
    Chem.BondType.SINGLE: 1,
    Chem.BondType.DOUBLE: 2,
    Chem.BondType.TRIPLE: 3,
    Chem.BondType.AROMATIC: 4,
}
_TYPES = {code: kind for kind, code in _ORDERS.items()}

Atoms = tuple[tuple[int, int, int, bool], ...]  # element, charge, hydrogens with cut bonds filled, aromatic
Bonds = tuple[tuple[int, int, int], ...]
Raw = tuple[Atoms, Bonds]


class OutsideError(ValueError):
    """The molecule is outside of what the codec covers; the text is the reason, the same for the same kind."""


@dataclass
class Tree:
    """Fragments of one molecule, the first is the root; ``parent[i] < i``.

    The cut bond joins atom ``entry[i]`` of fragment i to atom ``parent_site[i]`` of its parent (0 for the root).
    ``atoms[i]`` are the atoms of the molecule that fragment i is made of, by their number in the fragment.
    """

    fragments: list[str] = field(default_factory=list)
    parent: list[int] = field(default_factory=list)
    entry: list[int] = field(default_factory=list)
    parent_site: list[int] = field(default_factory=list)
    atoms: list[list[int]] = field(default_factory=list)


class Cutter:
    """Cuts molecules; remembers the fragments it has met, because nearly all of them come again."""

    def __init__(self) -> None:
        self._known: dict[Raw, tuple[str, tuple[int, ...]]] = {}

    def cut_smiles(self, smiles: str) -> Tree:
        """The tree of a molecule, stereo left out. Raises :class:`OutsideError`."""
        with rdBase.BlockLogs():
            mol = Chem.MolFromSmiles(smiles)
        if mol is None:
            raise OutsideError("not a molecule")
        return self.cut(mol)

    def cut(self, mol: Chem.Mol) -> Tree:
        """The tree of a sanitized molecule without explicit hydrogens, in canonical order.

        The root is the largest ring system; branches follow depth first, small ones first; ties go by RDKit's canonical
        rank, so that the order belongs to the molecule and not to the way it was written.
        """
        count = mol.GetNumAtoms()
        if not 0 < count <= MAX_HEAVY_ATOMS:
            raise OutsideError("no atom" if count == 0 else f"more than {MAX_HEAVY_ATOMS} heavy atoms")
        elements, charges, hydrogens, aromatic = [], [], [], []
        for atom in mol.GetAtoms():
            number = atom.GetAtomicNum()
            if number <= 1:
                raise OutsideError("explicit hydrogen" if number else "attachment point")
            if atom.GetIsotope():
                raise OutsideError("isotope")
            if atom.GetNumRadicalElectrons():
                raise OutsideError("radical")
            elements.append(number)
            charges.append(atom.GetFormalCharge())
            hydrogens.append(atom.GetTotalNumHs())
            aromatic.append(atom.GetIsAromatic())
        group = list(range(count))
        kept, cuts = [], []
        for bond in mol.GetBonds():
            a, b = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
            order = _ORDERS.get(bond.GetBondType())
            if order is None:
                raise OutsideError("bond that is neither single, double, triple nor aromatic")
            if order == 1 and charges[a] * charges[b] >= 0 and not bond.IsInRing():
                cuts.append((a, b))
                hydrogens[a] += 1
                hydrogens[b] += 1
                continue
            kept.append((a, b, order))
            first, second = _find(group, a), _find(group, b)
            if first != second:
                group[max(first, second)] = min(first, second)
        number_of: dict[int, int] = {}
        members: list[list[int]] = []
        owner, position = [0] * count, [0] * count
        for i in range(count):
            k = number_of.setdefault(_find(group, i), len(members))
            if k == len(members):
                members.append([])
            owner[i], position[i] = k, len(members[k])
            members[k].append(i)
        if len(cuts) != len(members) - 1:
            raise OutsideError("more than one component")
        if len(members) > MAX_FRAGMENTS:
            raise OutsideError(f"more than {MAX_FRAGMENTS} fragments")
        bonds: list[list[tuple[int, int, int]]] = [[] for _ in members]
        for a, b, order in kept:
            bonds[owner[a]].append((position[a], position[b], order))
        names, places = [], []
        for atoms, own in zip(members, bonds, strict=True):
            key = (tuple((elements[i], charges[i], hydrogens[i], aromatic[i]) for i in atoms), tuple(own))
            found = self._known.get(key)
            if found is None:
                found = self._known[key] = canonical_fragment(key)
            names.append(found[0])
            places.append(found[1])
        neighbors: list[list[tuple[int, int, int]]] = [[] for _ in members]
        for a, b in cuts:
            neighbors[owner[a]].append((owner[b], a, b))
            neighbors[owner[b]].append((owner[a], b, a))
        return _ordered(mol, names, members, places, neighbors, bonds, position)


def _find(group: list[int], i: int) -> int:
    while group[i] != i:
        i = group[i]
    return i


def _ordered(
    mol: Chem.Mol,
    names: list[str],
    members: list[list[int]],
    places: list[tuple[int, ...]],
    neighbors: list[list[tuple[int, int, int]]],
    bonds: list[list[tuple[int, int, int]]],
    position: list[int],
) -> Tree:
    rank = Chem.CanonicalRankAtoms(mol, breakTies=True, includeChirality=False)
    cyclic = [len(own) >= len(atoms) for own, atoms in zip(bonds, members, strict=True)]
    lowest = [min(rank[i] for i in atoms) for atoms in members]
    root = min(range(len(members)), key=lambda k: (not cyclic[k], -len(members[k]), lowest[k]))
    order, above = [root], {root: -1}
    for k in order:
        for other, _, _ in neighbors[k]:
            if other not in above:
                above[other] = k
                order.append(other)
    size = [len(atoms) for atoms in members]
    for k in reversed(order[1:]):
        size[above[k]] += size[k]
    tree = Tree()
    todo = [(root, 0, 0, 0)]
    while todo:
        k, parent, entry, site = todo.pop()
        here = len(tree.fragments)
        tree.fragments.append(names[k])
        tree.parent.append(parent)
        tree.entry.append(entry)
        tree.parent_site.append(site)
        placed = [0] * len(members[k])
        for atom, place in zip(members[k], places[k], strict=True):
            placed[place] = atom
        tree.atoms.append(placed)
        # the last one pushed comes first
        branches = [x for x in neighbors[k] if x[0] != above[k]]
        branches.sort(key=lambda x: (size[x[0]], rank[x[2]]), reverse=True)
        for other, mine, its in branches:
            todo.append((other, here, places[other][position[its]], places[k][position[mine]]))
    return tree


def canonical_fragment(raw: Raw) -> tuple[str, tuple[int, ...]]:
    """Canonical SMILES of a fragment whose cut bonds are filled with hydrogen, and where in it each raw atom stands.

    Hydrogens are written out before RDKit looks at the atoms: left to its valence model a sulfone with two cut bonds
    would become sulfur dioxide, without a place to bind. The string is parsed and written again, because the first one
    depends on the order in which the atoms came.
    """
    atoms, bonds = raw
    if len(atoms) > MAX_FRAGMENT_ATOMS:
        raise OutsideError(f"fragment of more than {MAX_FRAGMENT_ATOMS} atoms")
    built = Chem.RWMol()
    for element, charge, hydrogens, aromatic in atoms:
        atom = Chem.Atom(element)
        atom.SetFormalCharge(charge)
        atom.SetNoImplicit(True)
        atom.SetNumExplicitHs(hydrogens)
        atom.SetIsAromatic(aromatic)
        built.AddAtom(atom)
    for a, b, order in bonds:
        built.AddBond(a, b, _TYPES[order])
        built.GetBondBetweenAtoms(a, b).SetIsAromatic(order == 4)
    place = list(range(len(atoms)))
    mol: Chem.Mol = built.GetMol()
    with rdBase.BlockLogs():
        try:
            Chem.SanitizeMol(mol)
        except Chem.MolSanitizeException:
            raise OutsideError("fragment that is no molecule by itself") from None
        for _ in range(2):
            smiles = Chem.MolToSmiles(mol, isomericSmiles=False)
            written = list(mol.GetPropsAsDict(True, True)["_smilesAtomOutputOrder"])
            where = {old: new for new, old in enumerate(written)}
            place = [where[i] for i in place]
            mol = Chem.MolFromSmiles(smiles)
            if mol is None:
                raise OutsideError("fragment that is no molecule by itself")
    for (element, charge, hydrogens, _), i in zip(atoms, place, strict=True):
        atom = mol.GetAtomWithIdx(i)
        if (atom.GetAtomicNum(), atom.GetFormalCharge(), atom.GetTotalNumHs()) != (
            element,
            charge,
            hydrogens,
        ):
            raise OutsideError("fragment that is another molecule by itself")
    return smiles, tuple(place)


@dataclass(frozen=True)
class Description:
    """A fragment in numbers: atoms (element, charge, hydrogens, aromatic, smallest ring or 0), bonds, symmetries."""

    atoms: list[tuple[int, int, int, int, int]]
    bonds: list[tuple[int, int, int]]
    symmetries: list[tuple[int, ...]]


def describe(smiles: str, max_symmetries: int) -> Description:
    """The numbers of a fragment of the vocabulary.

    Symmetries are those automorphisms that also keep hydrogens and charges: to RDKit's matcher the two nitrogens of
    pyrazole are alike, but only one of them can be bound. Beyond ``max_symmetries`` only the identity is given.
    """
    mol = Chem.MolFromSmiles(smiles)
    rings = mol.GetRingInfo()
    atoms = [
        (
            atom.GetAtomicNum(),
            atom.GetFormalCharge(),
            atom.GetTotalNumHs(),
            int(atom.GetIsAromatic()),
            rings.MinAtomRingSize(atom.GetIdx()),
        )
        for atom in mol.GetAtoms()
    ]
    bonds = [(b.GetBeginAtomIdx(), b.GetEndAtomIdx(), _ORDERS[b.GetBondType()]) for b in mol.GetBonds()]
    identity = tuple(range(len(atoms)))
    matches = mol.GetSubstructMatches(mol, uniquify=False, maxMatches=1000)
    found = [m for m in matches if all(atoms[i][:3] == atoms[j][:3] for i, j in enumerate(m))]
    if len(matches) == 1000 or len(found) > max_symmetries:
        found = [identity]
    return Description(atoms, bonds, sorted(found) or [identity])
