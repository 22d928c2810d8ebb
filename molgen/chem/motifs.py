"""Motifs that a medicinal chemist does not want in a delivered molecule, in two tiers, each with a name in words.

Tier 1 is what nobody wants (unstable, explosive, a drawing error of a generator): at most one approved drug in a
thousand has one. Tier 2 is real chemistry that most projects do not want and some do (a nitroarene, a catechol, a
covalent warhead); it is relaxed by its name. The table is tables/motifs.yaml; a file of the user has its form.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from rdkit import Chem, rdBase
from rdkit.Chem import rdMolDescriptors as rdmd

from molgen.chem.alerts import compile_smarts
from molgen.chem.screen import Features, Screen, features, skeleton
from molgen.core.errors import ConfigError, Problem
from molgen.core.suggest import did_you_mean
from molgen.core.yamltext import ParsedYaml, parse

FORMAT = 1
ANTI_BREDT = "anti-Bredt double bond"
_SMALL_RING = 7
_KEYS = ("name", "tier", "why", "smarts", "code", "hits", "misses")


@dataclass(frozen=True)
class Motif:
    """One entry of a table; ``queries`` are alternatives, ``hits`` and ``misses`` SMILES with it and without."""

    tier: int
    name: str
    why: str
    smarts: tuple[str, ...]
    hits: tuple[str, ...]
    misses: tuple[str, ...]
    queries: tuple[Chem.Mol, ...]
    code: str = ""

    def __contains__(self, mol: Chem.Mol) -> bool:
        if self.code:
            return _CODE[self.code](mol)
        return any(mol.HasSubstructMatch(query) for query in self.queries)

    def count(self, mol: Chem.Mol) -> int:
        """How often the molecule has it (distinct sets of atoms)."""
        if self.code:
            return int(mol in self)
        return sum(len(mol.GetSubstructMatches(query)) for query in self.queries)


class MotifTable:
    """A list of motifs that is asked as a whole: what a molecule cannot have is not looked for."""

    def __init__(self, motifs: Sequence[Motif]) -> None:
        self.motifs = tuple(motifs)
        queries = [(k, query) for k, motif in enumerate(self.motifs) for query in motif.queries]
        self._queries = [(k, query, skeleton(query)) for k, query in queries]
        self._screen = Screen([query for _, query in queries])
        self._coded = [(k, _CODE[motif.code]) for k, motif in enumerate(self.motifs) if motif.code]

    def hits(self, mol: Chem.Mol, has: Features | None = None) -> Iterator[Motif]:
        """The motifs that the molecule has; those found by code come last. ``has``: its features, if known."""
        found = -1
        for i in self._screen.possible(has or features(mol)):
            k, query, plain = self._queries[i]
            if (
                k != found
                and (plain is None or mol.HasSubstructMatch(plain))
                and mol.HasSubstructMatch(query)
            ):
                found = k
                yield self.motifs[k]
        for k, code in self._coded:
            if code(mol):
                yield self.motifs[k]


@cache
def motifs(tier: int | None = None) -> tuple[Motif, ...]:
    """The motifs of one tier, or of both, compiled once per process."""
    return table(tier).motifs


@cache
def table(tier: int | None = None) -> MotifTable:
    """The shipped motifs of one tier, or of both, ready to be asked."""
    if tier is not None:
        return MotifTable([motif for motif in table().motifs if motif.tier == tier])
    text = files("molgen.chem").joinpath("tables/motifs.yaml").read_text(encoding="utf-8")
    return MotifTable(_read(text, "motifs.yaml"))


@cache
def version() -> int:
    """Version of the shipped table, raised with every change of what is matched."""
    text = files("molgen.chem").joinpath("tables/motifs.yaml").read_text(encoding="utf-8")
    return int(next(line for line in text.splitlines() if line.startswith("version:")).split()[1])


def read_motifs(path: str | Path) -> list[Motif]:
    """The motifs of a file of the user; its ``hits`` and ``misses`` are tried at once.

    Raises:
        ConfigError: all that is wrong, with lines: SMARTS, keys, names given twice, an example that fails.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", str(path)) from error
    found = _read(text, str(path))
    problems = [Problem(f"motifs: {one.name}", words) for one in found for words in failing_examples(one)]
    if problems:
        raise ConfigError(problems, str(path))
    return found


def failing_examples(motif: Motif) -> list[str]:
    """What the examples of a motif show to be wrong, in words; empty if nothing is."""
    wrong = []
    for smiles, wanted in [(s, True) for s in motif.hits] + [(s, False) for s in motif.misses]:
        with rdBase.BlockLogs():
            mol = Chem.MolFromSmiles(smiles)
        if mol is None:
            wrong.append(f"the example {smiles!r} is not a SMILES")
        elif (mol in motif) is not wanted:
            wrong.append(f"the example {smiles!r} {'has it not' if wanted else 'has it, and should not'}")
    return wrong


def check_names(names: Collection[str]) -> None:
    """Raises ConfigError, with the nearest name, for a motif that is not in the table."""
    known = [motif.name for motif in motifs()]
    for name in names:
        if name not in known:
            raise ConfigError(f"no motif {name!r}{did_you_mean(name, known)}")


def motif_hits(mol: Chem.Mol, tier: int | None = None, *, allow: Collection[str] = ()) -> list[str]:
    """Names of the motifs (of one tier) that the molecule has, without those allowed."""
    return [motif.name for motif in table(tier).hits(mol) if motif.name not in allow]


def first_motif(mol: Chem.Mol, tier: int | None = None, *, allow: Collection[str] = ()) -> str | None:
    """The first motif that hits, or None; cheaper than :func:`motif_hits`."""
    return next((motif.name for motif in table(tier).hits(mol) if motif.name not in allow), None)


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


_CODE: dict[str, Callable[[Chem.Mol], bool]] = {"anti_bredt": has_anti_bredt_bond}


def _read(text: str, source: str) -> list[Motif]:
    parsed = parse(text)
    problems = list(parsed.problems)
    data = parsed.data if isinstance(parsed.data, dict) else {}
    entries = data.get("motifs")
    if not problems and (data.get("format") != FORMAT or not isinstance(entries, list) or not entries):
        problems.append(
            Problem("", f"not a table of motifs: it starts with 'format: {FORMAT}', then 'motifs:'")
        )
    found: list[Motif] = []
    for i, entry in enumerate(entries if isinstance(entries, list) else []):
        found += _read_entry(entry, f"motifs[{i}]", parsed, problems, [motif.name for motif in found])
    if problems:
        raise ConfigError(problems, source)
    return found


def _read_entry(
    entry: Any, key: str, parsed: ParsedYaml, problems: list[Problem], taken: Collection[str]
) -> list[Motif]:
    """The motif of one entry, or nothing and its problems."""
    before = len(problems)

    def wrong(what: str, field: str = "") -> None:
        place = f"{key}.{field}" if field else key
        problems.append(Problem(place, what, parsed.lines.get(place, parsed.lines.get(key))))

    if not isinstance(entry, dict):
        wrong("an entry has at least a name and smarts")
        return []
    for name in entry:
        if name not in _KEYS:
            wrong(f"no such key{did_you_mean(str(name), _KEYS)}", str(name))
    texts = {
        field: [value] if isinstance(value := entry.get(field, []), str) else value
        for field in ("smarts", "hits", "misses")
    }
    for field, value in texts.items():
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            wrong("a list of texts is wanted", field)
            texts[field] = []
    name, tier, code = entry.get("name"), entry.get("tier", 2), entry.get("code", "")
    if not isinstance(name, str) or not name.strip():
        wrong("every motif has a name")
    elif name in taken:
        wrong(f"the name {name!r} is given twice", "name")
    if tier not in (1, 2):
        wrong("tier is 1 (nobody wants it) or 2 (most do not)", "tier")
    if code and code not in _CODE:
        wrong(f"no such code{did_you_mean(str(code), _CODE)}", "code")
    if bool(code) == bool(texts["smarts"]) and len(problems) == before:
        wrong("smarts is missing")
    queries = []
    for smarts in texts["smarts"]:
        try:
            queries.append(compile_smarts(smarts).query)
        except ConfigError as error:
            wrong(error.problems[0].message, "smarts")
    if len(problems) > before:
        return []
    lists = (tuple(texts[field]) for field in ("smarts", "hits", "misses"))
    smarts_, hits_, misses_ = lists
    return [Motif(tier, str(name), str(entry.get("why", "")), smarts_, hits_, misses_, tuple(queries), code)]
