"""QED with the values of rdkit.Chem.QED at a third less cost: alerts that cannot match are not tried.

Weights, curves, acceptors and the 116 alert patterns are RDKit's own objects; only the order of work differs. What
an alert needs at least (elements and how many, a charge, a triple bond, an isotope) is read from its query once,
and alerts whose needs the molecule does not meet are skipped. Bickerton et al., Nature Chemistry 4 (2012) 90.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache, lru_cache

from rdkit import Chem
from rdkit.Chem import QED, Crippen, FilterCatalog, MolSurf
from rdkit.Chem import rdMolDescriptors as rdmd

_FORMULA = re.compile(r"([A-Z][a-z]?)(\d*)")
_PLENTY = 10_000
_STRICT = rdmd.NumRotatableBondsOptions.Strict


@dataclass(frozen=True)
class _Needs:
    """Necessary conditions of a query: for each group of elements, how many atoms of it; and rare features."""

    atoms: tuple[tuple[frozenset[int], int], ...]
    charge: bool
    triple: bool
    isotope: bool


@dataclass(frozen=True)
class _AtomNeeds:
    elements: frozenset[int] | None  # None: any
    charge: bool = False
    isotope: bool = False


def _atom_needs(lines: list[str]) -> _AtomNeeds:
    """What an atom must be to match, from RDKit's description of the query (a tree, two blanks per level)."""
    head = lines[0].strip()
    children: list[list[str]] = []
    depth = len(lines[0]) - len(lines[0].lstrip())
    for line in lines[1:]:
        if len(line) - len(line.lstrip()) == depth + 2:
            children.append([])
        if children:
            children[-1].append(line)
    if head in ("AtomAnd", "AtomOr") and children:
        parts = [_atom_needs(child) for child in children]
        known = [part.elements for part in parts if part.elements is not None]
        if head == "AtomAnd":
            elements = frozenset.intersection(*known) if known else None
            return _AtomNeeds(elements, any(p.charge for p in parts), any(p.isotope for p in parts))
        elements = frozenset().union(*known) if len(known) == len(parts) else None
        return _AtomNeeds(elements, all(p.charge for p in parts), all(p.isotope for p in parts))
    kind, *rest = head.split()
    if len(rest) == 3 and rest[1:] == ["=", "val"]:  # anything else, negations too, promises nothing
        value = int(rest[0])
        if kind in ("AtomType", "AtomAtomicNum"):
            return _AtomNeeds(frozenset({value % 1000}))
        if kind == "AtomFormalCharge" and value:
            return _AtomNeeds(None, charge=True)
        if kind == "AtomIsotope" and value:
            return _AtomNeeds(None, isotope=True)
    return _AtomNeeds(None)


def _needs(pattern: Chem.Mol) -> _Needs:
    atoms = [
        _atom_needs([line for line in atom.DescribeQuery().splitlines() if line.strip()])
        for atom in pattern.GetAtoms()
    ]
    groups = {atom.elements for atom in atoms if atom.elements is not None}
    counts = tuple(
        (group, sum(1 for a in atoms if a.elements is not None and a.elements <= group)) for group in groups
    )
    return _Needs(
        counts,
        any(a.charge for a in atoms),
        any(bond.DescribeQuery().strip() == "BondOrder 3 = val" for bond in pattern.GetBonds()),
        any(a.isotope for a in atoms),
    )


@cache
def _alerts() -> tuple[tuple[Chem.Mol, _Needs], ...]:
    return tuple((pattern, _needs(pattern)) for pattern in QED.StructuralAlerts)


@cache
def _features() -> tuple[Chem.Mol, Chem.Mol, Chem.Mol]:
    return Chem.MolFromSmarts("[!+0]"), Chem.MolFromSmarts("*#*"), Chem.MolFromSmarts("[!0*]")


def _count(symbol: str, number: int) -> int:
    """The number of atoms, or "plenty": fewer distinct answers keep the cache of catalogs small and warm."""
    exact = {"C": 0, "N": 2, "O": 2}.get(symbol, 1)
    return number if number <= exact else _PLENTY


@lru_cache(maxsize=1024)
def _possible(
    counts: tuple[tuple[str, int], ...], charge: bool, triple: bool, isotope: bool
) -> FilterCatalog:
    """A catalog of the alerts that such a molecule could match; matched in one call, in C++."""
    table = Chem.GetPeriodicTable()
    have = {table.GetAtomicNumber(symbol): count for symbol, count in counts}
    catalog = FilterCatalog.FilterCatalog()
    for number, (pattern, needs) in enumerate(_alerts()):
        if (needs.charge and not charge) or (needs.triple and not triple) or (needs.isotope and not isotope):
            continue
        if any(sum(have.get(element, 0) for element in group) < least for group, least in needs.atoms):
            continue
        name = str(number)
        entry = FilterCatalog.FilterCatalogEntry(name, FilterCatalog.SmartsMatcher(name, pattern, 1))
        catalog.AddEntry(entry)
    return catalog


def count_alerts(mol: Chem.Mol) -> int:
    """How many of QED's structural alerts match; equal to ``QED.properties(mol).ALERTS``."""
    charged, triple, isotope = _features()
    counts = tuple(
        (symbol, _count(symbol, int(number or 1)))
        for symbol, number in _FORMULA.findall(rdmd.CalcMolFormula(mol))
        if symbol != "H"
    )
    catalog = _possible(
        counts, mol.HasSubstructMatch(charged), mol.HasSubstructMatch(triple), mol.HasSubstructMatch(isotope)
    )
    return len(catalog.GetMatches(mol))


def properties(mol: Chem.Mol) -> QED.QEDproperties:
    """The eight properties of QED, identical to ``rdkit.Chem.QED.properties``.

    Values that RDKit keeps on the molecule (logP, TPSA, weight) are shared with the other descriptors.
    """
    if mol.GetNumAtoms() != mol.GetNumHeavyAtoms():
        mol = Chem.RemoveHs(mol)
    return QED.QEDproperties(
        MW=rdmd._CalcMolWt(mol),
        ALOGP=Crippen.MolLogP(mol),
        HBA=sum(len(mol.GetSubstructMatches(pattern)) for pattern in QED.Acceptors),
        HBD=rdmd.CalcNumHBD(mol),
        PSA=MolSurf.TPSA(mol),
        ROTB=rdmd.CalcNumRotatableBonds(mol, _STRICT),
        AROM=_aromatic_rings(mol),
        ALERTS=count_alerts(mol),
    )


def _aromatic_rings(mol: Chem.Mol) -> int:
    """Rings that are left when ring atoms with a non-aromatic neighbor are deleted (QED's own definition)."""
    if not mol.HasSubstructMatch(QED.AliphaticRings):
        # nothing is deleted; the size of the smallest set of smallest rings is the cyclomatic number
        return mol.GetNumBonds() - mol.GetNumAtoms() + len(Chem.GetMolFrags(mol))
    return len(Chem.GetSSSR(Chem.DeleteSubstructs(mol, QED.AliphaticRings)))


def qed(mol: Chem.Mol) -> float:
    """Quantitative estimate of drug-likeness, 0..1, mean weights; identical to ``rdkit.Chem.QED.qed``."""
    values = properties(mol)
    desirabilities = [QED.ads(value, QED.adsParameters[name]) for name, value in values._asdict().items()]
    weights = QED.WEIGHT_MEAN
    total = sum(weight * math.log(value) for weight, value in zip(weights, desirabilities, strict=True))
    return math.exp(total / sum(weights))
