"""Structural alerts: RDKit's named catalogs, and the user's own substructures, compiled once per process."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from rdkit import Chem, rdBase
from rdkit.Chem import FilterCatalog

from molgen.chem.screen import Features, Screen, features, skeleton
from molgen.core.errors import ConfigError

_PARAMETERS = FilterCatalog.FilterCatalogParams.FilterCatalogs


@dataclass(frozen=True)
class Catalog:
    """A published collection: what it holds, where it is from, how grave a hit is ("medium" or "low")."""

    name: str
    summary: str
    source: str
    severity: str
    same_as: str = ""


_BAELL = "Baell and Holloway, J. Med. Chem. 53 (2010) 2719"
_RD_FILTERS = "ChEMBL 23 structural alerts, as in rd_filters"

#: All catalogs by name. RDKit has BRENK again as CHEMBL_Dundee and NIH again as CHEMBL_BMS (``same_as``).
COLLECTIONS: dict[str, Catalog] = {
    one.name: one
    for one in (
        Catalog("PAINS_A", "pan-assay interference, the 16 most frequent classes", _BAELL, "medium"),
        Catalog("PAINS_B", "pan-assay interference, 55 classes", _BAELL, "medium"),
        Catalog("PAINS_C", "pan-assay interference, 409 rare classes", _BAELL, "medium"),
        Catalog("PAINS", "all 480 classes of pan-assay interference", _BAELL, "medium"),
        Catalog("BRENK", "105 unwanted groups", "Brenk et al., ChemMedChem 3 (2008) 435", "low"),
        Catalog(
            "NIH", "180 reactive or promiscuous groups", "Jadhav et al., J. Med. Chem. 53 (2010) 37", "low"
        ),
        Catalog("ZINC", "50 groups left out of ZINC's drug-like sets", "blaster.docking.org", "low"),
        Catalog("CHEMBL_BMS", "180 alerts of Bristol-Myers Squibb", _RD_FILTERS, "low", "NIH"),
        Catalog("CHEMBL_Dundee", "105 alerts of Dundee", _RD_FILTERS, "low", "BRENK"),
        Catalog(
            "CHEMBL_Glaxo",
            "55 hard filters of Glaxo Wellcome: reactive groups, unsuitable leads",
            f"Hann et al., J. Chem. Inf. Comput. Sci. 39 (1999) 897; {_RD_FILTERS}",
            "medium",
        ),
        Catalog("CHEMBL_Inpharmatica", "91 alerts of Inpharmatica", _RD_FILTERS, "low"),
        Catalog(
            "CHEMBL_LINT", "57 alerts of Pfizer", f"Blake, Med. Chem. 1 (2005) 649; {_RD_FILTERS}", "low"
        ),
        Catalog("CHEMBL_MLSMR", "116 alerts of the NIH screening collection", _RD_FILTERS, "low"),
        Catalog("CHEMBL_SureChEMBL", "166 non-MedChem-friendly groups", _RD_FILTERS, "low"),
    )
}
#: Catalog name -> what it holds.
CATALOGS: dict[str, str] = {one.name: f"{one.summary} ({one.source})" for one in COLLECTIONS.values()}


@dataclass(frozen=True)
class Alert:
    """A named rule that a molecule hits."""

    catalog: str
    name: str

    def __str__(self) -> str:
        return f"{self.catalog}: {self.name}"


class _Compiled:
    """A catalog whose entries are tried only where they can match; the answers are those of RDKit's catalog."""

    def __init__(self, name: str) -> None:
        entries = _entries(name)
        patterns = [_pattern(entry) for entry in entries]
        self._screen = Screen(patterns)
        self._entries = [
            (entry.GetDescription(), entry.HasFilterMatch, None if pattern is None else skeleton(pattern))
            for entry, pattern in zip(entries, patterns, strict=True)
        ]

    def hits(self, mol: Chem.Mol, has: Features) -> Iterator[str]:
        for i in self._screen.possible(has):
            name, matches, plain = self._entries[i]
            if (plain is None or mol.HasSubstructMatch(plain)) and matches(mol):
                yield name


@cache
def _entries(name: str) -> list[FilterCatalog.FilterCatalogEntry]:
    if name not in COLLECTIONS:
        raise ConfigError(f"unknown alert catalog {name!r}; there are: {', '.join(COLLECTIONS)}")
    parameters = FilterCatalog.FilterCatalogParams()
    parameters.AddCatalog(getattr(_PARAMETERS, name))
    whole = FilterCatalog.FilterCatalog(parameters)
    return [whole.GetEntry(i) for i in range(whole.GetNumEntries())]


def _pattern(entry: FilterCatalog.FilterCatalogEntry) -> Chem.Mol | None:
    """The one query of an entry, which RDKit gives away only inside of its serialized form; None if not just one."""
    text = entry.Serialize()
    found = [
        text[mark.end() : mark.end() + int(mark[1])]
        for mark in re.finditer(rb" (\d+) (?=\xef\xbe\xad\xde)", text)
    ]
    return Chem.Mol(found[0]) if len(found) == 1 else None


@cache
def _catalog(name: str) -> _Compiled:
    return _Compiled(name)


def check_catalogs(names: Iterable[str]) -> None:
    """Raises ConfigError, listing all catalogs, for a name that is none."""
    for name in names:
        _entries(name)


def alert_names(catalog: str) -> list[str]:
    """The names of a catalog's alerts, in its order; a few stand there twice. Raises ConfigError."""
    return [entry.GetDescription() for entry in _entries(catalog)]


def alerts(
    mol: Chem.Mol, catalogs: Sequence[str] = ("PAINS", "BRENK"), *, has: Features | None = None
) -> list[Alert]:
    """All alerts of the named catalogs that ``mol`` hits, in catalog order; the same as RDKit's, at a fraction.

    ``has``: :func:`molgen.chem.screen.features` of the molecule, if they are known. Raises ConfigError for an unknown
    catalog.
    """
    has = has or features(mol)
    return [Alert(name, hit) for name in catalogs for hit in _catalog(name).hits(mol, has)]


def has_alert(mol: Chem.Mol, catalogs: Sequence[str] = ("PAINS", "BRENK")) -> bool:
    """Whether any alert hits; cheaper than :func:`alerts`, it stops at the first."""
    has = features(mol)
    return any(True for name in catalogs for _ in _catalog(name).hits(mol, has))


@dataclass(frozen=True)
class Substructure:
    """A compiled SMARTS of the user with the name that appears in reasons."""

    name: str
    smarts: str
    query: Chem.Mol

    def __contains__(self, mol: Chem.Mol) -> bool:
        return mol.HasSubstructMatch(self.query)


def compile_smarts(smarts: str, name: str | None = None) -> Substructure:
    """Compile one SMARTS (a SMILES is one). Raises ConfigError that shows the string."""
    with rdBase.BlockLogs():
        query = Chem.MolFromSmarts(smarts) if isinstance(smarts, str) and smarts.strip() else None
    if query is None or query.GetNumAtoms() == 0:
        raise ConfigError(f"not a SMARTS that RDKit can read: {smarts!r}; check brackets and ring digits")
    query.UpdatePropertyCache(strict=False)
    return Substructure(name or smarts, smarts, query)


def compile_all(patterns: Iterable[str] | dict[str, str]) -> list[Substructure]:
    """Compile a list of SMARTS, or a table name -> SMARTS; all bad ones are reported in one ConfigError."""
    items = patterns.items() if isinstance(patterns, dict) else ((None, smarts) for smarts in patterns)
    compiled: list[Substructure] = []
    bad: list[str] = []
    for name, smarts in items:
        try:
            compiled.append(compile_smarts(smarts, name))
        except ConfigError:
            bad.append(repr(smarts) if name is None else f"{name}: {smarts!r}")
    if bad:
        raise ConfigError("not a SMARTS that RDKit can read: " + "; ".join(bad))
    return compiled


def hits(mol: Chem.Mol, substructures: Iterable[Substructure]) -> list[str]:
    """Names of the substructures that ``mol`` contains."""
    return [item.name for item in substructures if mol.HasSubstructMatch(item.query)]
