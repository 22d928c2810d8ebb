"""Structural alerts: RDKit's named catalogs, and the user's own substructures, compiled once per process."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from rdkit import Chem, rdBase
from rdkit.Chem import FilterCatalog

from molgen.core.errors import ConfigError

_PARAMETERS = FilterCatalog.FilterCatalogParams.FilterCatalogs

#: Catalog name -> what it holds. RDKit has BRENK again as CHEMBL_Dundee and NIH's predecessor as CHEMBL_BMS:
#: ask for one of a pair, or the same alert counts twice.
CATALOGS: dict[str, str] = {
    "PAINS_A": "pan-assay interference, 16 most frequent classes (Baell and Holloway 2010)",
    "PAINS_B": "pan-assay interference, 55 classes",
    "PAINS_C": "pan-assay interference, 409 rare classes; the costly part",
    "PAINS": "all 480 pan-assay interference classes",
    "BRENK": "105 unwanted groups for screening libraries (Brenk 2008)",
    "NIH": "180 reactive or promiscuous groups (Jadhav 2010, Doveston 2015)",
    "ZINC": "50 groups left out of ZINC's drug-like sets",
    "CHEMBL_BMS": "180 alerts of Bristol-Myers Squibb (Pearce 2006)",
    "CHEMBL_Dundee": "105 alerts of Dundee (Brenk 2008)",
    "CHEMBL_Glaxo": "55 hard filters of Glaxo Wellcome (Hann 1999)",
    "CHEMBL_Inpharmatica": "91 alerts of Inpharmatica",
    "CHEMBL_LINT": "57 alerts of Pfizer LINT (Blake 2005)",
    "CHEMBL_MLSMR": "116 alerts of the NIH MLSMR collection",
    "CHEMBL_SureChEMBL": "166 non-MedChem-friendly groups of SureChEMBL",
}


@dataclass(frozen=True)
class Alert:
    """A named rule that a molecule hits."""

    catalog: str
    name: str

    def __str__(self) -> str:
        return f"{self.catalog}: {self.name}"


@cache
def _catalog(name: str) -> FilterCatalog.FilterCatalog:
    if name not in CATALOGS:
        raise ConfigError(f"unknown alert catalog {name!r}; there are: {', '.join(CATALOGS)}")
    parameters = FilterCatalog.FilterCatalogParams()
    parameters.AddCatalog(getattr(_PARAMETERS, name))
    return FilterCatalog.FilterCatalog(parameters)


def check_catalogs(names: Iterable[str]) -> None:
    """Raises ConfigError, listing all catalogs, for a name that is none."""
    for name in names:
        _catalog(name)


def alerts(mol: Chem.Mol, catalogs: Sequence[str] = ("PAINS", "BRENK")) -> list[Alert]:
    """All alerts of the named catalogs that ``mol`` hits, in catalog order. Raises ConfigError for an unknown name."""
    return [
        Alert(name, match.GetDescription()) for name in catalogs for match in _catalog(name).GetMatches(mol)
    ]


def has_alert(mol: Chem.Mol, catalogs: Sequence[str] = ("PAINS", "BRENK")) -> bool:
    """Whether any alert hits; cheaper than :func:`alerts`, it stops at the first."""
    return any(_catalog(name).HasMatch(mol) for name in catalogs)


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
