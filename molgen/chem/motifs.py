"""Motifs that a medicinal chemist does not want in a delivered molecule, in two tiers, each with a name in words.

Tier 1 is what nobody wants (unstable, explosive, a drawing error of a generator): at most one approved drug in a
thousand has one. Tier 2 is real chemistry that most projects do not want and some do (a nitroarene, a catechol, a
covalent warhead); such a motif is relaxed by its name. The table is tables/motifs.tsv.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors as rdmd

from molgen.chem.alerts import compile_smarts
from molgen.core.errors import ConfigError
from molgen.core.suggest import did_you_mean

FORMAT = 1
#: Found by code: no SMARTS says which atoms are bridgeheads.
ANTI_BREDT = "anti-Bredt double bond"
_SMALL_RING = 7


@dataclass(frozen=True)
class Motif:
    """One row of the table; ``queries`` are alternatives, ``hit`` and ``miss`` SMILES with it and without."""

    tier: int
    name: str
    smarts: tuple[str, ...]
    hit: str
    miss: str
    queries: tuple[Chem.Mol, ...]

    def __contains__(self, mol: Chem.Mol) -> bool:
        if not self.queries:
            return has_anti_bredt_bond(mol)
        return any(mol.HasSubstructMatch(query) for query in self.queries)


@cache
def motifs(tier: int | None = None) -> tuple[Motif, ...]:
    """The motifs of one tier, or of both, compiled once per process."""
    if tier is not None:
        return tuple(motif for motif in motifs() if motif.tier == tier)
    text = files("molgen.chem").joinpath("tables/motifs.tsv").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert lines[0] == f"# format: {FORMAT}", lines[0]
    found = []
    for line in lines:
        if line.startswith(("#", "tier\t")):
            continue
        level, name, smarts, hit, miss = line.split("\t")
        alternatives = tuple(filter(None, smarts.split(" ; ")))
        queries = tuple(compile_smarts(one, name).query for one in alternatives)
        assert queries or name == ANTI_BREDT, line
        found.append(Motif(int(level), name, alternatives, hit, miss, queries))
    return tuple(found)


def check_names(names: Collection[str]) -> None:
    """Raises ConfigError, with the nearest name, for a motif that is not in the table."""
    known = [motif.name for motif in motifs()]
    for name in names:
        if name not in known:
            raise ConfigError(f"no motif {name!r}{did_you_mean(name, known)}")


def motif_hits(mol: Chem.Mol, tier: int | None = None, *, allow: Collection[str] = ()) -> list[str]:
    """Names of the motifs (of one tier) that the molecule has, in the order of the table, without those allowed."""
    return [motif.name for motif in motifs(tier) if motif.name not in allow and mol in motif]


def first_motif(mol: Chem.Mol, tier: int | None = None, *, allow: Collection[str] = ()) -> str | None:
    """The first motif that hits, or None; cheaper than :func:`motif_hits`."""
    return next((m.name for m in motifs(tier) if m.name not in allow and mol in m), None)


def has_anti_bredt_bond(mol: Chem.Mol) -> bool:
    """Whether a double bond starts at a bridgehead that lies in two rings of at most seven atoms: it cannot exist."""
    bridgeheads: list[int] = []
    rdmd.CalcNumBridgeheadAtoms(mol, atoms=bridgeheads)
    if not bridgeheads:
        return False
    rings = [set(ring) for ring in mol.GetRingInfo().AtomRings() if len(ring) <= _SMALL_RING]
    for index in bridgeheads:
        atom = mol.GetAtomWithIdx(index)
        if sum(index in ring for ring in rings) < 2:
            continue
        for bond in atom.GetBonds():
            if bond.GetBondType() == Chem.BondType.DOUBLE and bond.IsInRing():
                return True
    return False
