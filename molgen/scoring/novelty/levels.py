"""Compares molecules with an indexed list and says at which level each is known, with the entry and the reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from rdkit import Chem, rdBase

from molgen.chem.alerts import Substructure
from molgen.chem.identity import Identities, gone, partners, sites
from molgen.chem.standardize import tautomer_key
from molgen.core.errors import MoleculeError
from molgen.scoring.novelty.features import SIMILAR, prefixes, tanimoto
from molgen.scoring.novelty.index import Index

Level = Literal["exact", "same_compound", "same_skeleton", "near", "core", "clear", "unreadable", "withheld"]

#: Level -> what it means, strictest first.
LEVELS: dict[str, str] = {
    "exact": "the same structure as drawn",
    "same_compound": "the same compound as another salt, charge state, isotope or tautomer",
    "same_skeleton": "another stereo form of the same compound",
    "near": f"at most 2 heavy atoms differ, or a Tanimoto similarity of at least {SIMILAR}",
    "core": "has one of the cores that were given",
    "clear": "no match in the list given",
}
#: Level -> its place, 0 for the strictest.
RANK = {level: rank for rank, level in enumerate(LEVELS)}
_CANDIDATES = 200  # of one molecule, compared in detail: enough for any list but a library of one scaffold
_APART = 2


@dataclass(frozen=True)
class Verdict:
    """How well a molecule is known: the level, the entry of the list that it was found by, and the reason in words."""

    level: Level
    match: str = ""
    match_smiles: str = ""
    why: str = ""
    tanimoto: float | None = None

    @property
    def rank(self) -> int:
        """0 exact .. 5 clear."""
        return RANK[self.level]


def compare(index: Index, found: Identities, cores: Sequence[Substructure] = ()) -> list[Verdict]:
    """One verdict per molecule of a batch, at the strictest level that holds."""
    assert index.kind == "smiles"
    n = len(found)
    with rdBase.BlockLogs():
        verdicts: list[Verdict | None] = [None] * n
        for i, rows in index.lookup("body", found.body):
            verdicts[i] = None if found.why[i] else _same(index, found, i, rows)
        open_places = [i for i in range(n) if verdicts[i] is None and not found.why[i]]
        for i, candidates in zip(open_places, _candidates(index, found, open_places), strict=True):
            verdicts[i] = _near(index, found, i, candidates)
        return [verdict or rest(found, i, cores) for i, verdict in enumerate(verdicts)]


def rest(found: Identities, i: int, cores: Sequence[Substructure]) -> Verdict:
    """The verdict on a molecule that is not near any entry."""
    if found.why[i]:
        return Verdict("unreadable", why=found.why[i])
    mol = Chem.MolFromSmiles(found.smiles[i]) if cores else None
    for core in cores:
        if mol is not None and mol in core:
            return Verdict("core", match=core.name, why=f"has the core {core.name}")
    return Verdict("clear", why="no match in the list given")


def _same(index: Index, found: Identities, i: int, rows: np.ndarray) -> Verdict | None:
    """Exact, another salt or tautomer, or another stereo form; None if only the graph is the same."""
    query = _Forms(found.smiles[i])
    best: Verdict | None = None
    for row in rows[:_CANDIDATES].tolist():
        smiles, name = index.entry(row)
        if index["drawn"][row] == found.drawn[i]:
            return Verdict("exact", name, smiles, "the same structure")
        verdict = None
        if smiles == found.smiles[i]:
            verdict = Verdict("same_compound", name, smiles, "another salt, charge state or isotope")
        elif best is None or best.rank > RANK["same_compound"]:
            level, why = query.versus(_Forms(smiles))
            verdict = Verdict(level, name, smiles, why) if level is not None else None
        if verdict is not None and (best is None or verdict.rank < best.rank):
            best = verdict
    return best


class _Forms:
    """What a structure is without its stereo, and as a canonical tautomer: computed only when it is asked for."""

    def __init__(self, smiles: str) -> None:
        self.mol = Chem.MolFromSmiles(smiles)
        flat = Chem.Mol(self.mol)
        Chem.RemoveStereochemistry(flat)
        self.flat = Chem.MolToSmiles(flat)
        self._keys: dict[bool, str] = {}

    def key(self, stereo: bool) -> str:
        """The tautomer key, with or without stereo; "" where there is none."""
        if stereo not in self._keys:
            try:
                self._keys[stereo] = tautomer_key(self.mol if stereo else self.flat)
            except MoleculeError:
                self._keys[stereo] = ""
        return self._keys[stereo]

    def versus(self, other: _Forms) -> tuple[Level | None, str]:
        """The level at which two structures with one graph are the same compound."""
        if self.flat == other.flat:
            return "same_skeleton", "another stereo form"
        if self.key(False) and self.key(False) == other.key(False):
            if self.key(True) == other.key(True):
                return "same_compound", "another tautomer"
            return "same_skeleton", "another stereo form, drawn as another tautomer"
        mine, its = Chem.MolToInchiKey(self.mol), Chem.MolToInchiKey(other.mol)
        if mine and mine == its:
            return "same_compound", "another tautomer, by InChI"
        if mine and mine[:14] == its[:14]:
            return "same_skeleton", "another stereo form, by InChI"
        return None, ""


def _candidates(index: Index, found: Identities, places: Sequence[int]) -> list[dict[int, str]]:
    """For each place, the rows that may be near, each with the reason if the hashes of the two give one, else ""."""
    if not places:
        return []
    answers: list[dict[int, str]] = [{} for _ in places]
    position = {place: k for k, place in enumerate(places)}
    chosen, owner = prefixes(found.features, found.feature_offsets, np.asarray(index["frequencies"]))
    keys, source = partners(found.near)
    whose = np.repeat(np.arange(len(found)), np.diff(found.near_offsets))[source]
    mine = gone(found.near[source])
    for name, wanted, owners in (("rare", chosen, owner), ("shape", found.shape[places], np.array(places))):
        for k, rows in index.lookup(name, wanted):
            if owners[k] in position:
                answers[position[owners[k]]].update(dict.fromkeys(rows.tolist(), ""))
    for k, rows in index.lookup("near", keys):
        if whose[k] in position:
            words = _words(int(mine[k]), int(gone(keys[k])))
            answers[position[whose[k]]].update(dict.fromkeys(rows.tolist(), words))
    return answers


def _words(mine: int, its: int) -> str:
    """What it means that the molecule without ``mine`` atoms is the entry without ``its``."""
    if mine and its:
        return "one heavy atom is exchanged or elsewhere"
    count = mine + its
    if not count:
        return "the same heavy atoms and skeleton, other bonds"
    return f"{count} heavy atom{'s' if count > 1 else ''} {'more' if mine else 'fewer'}"


def _near(index: Index, found: Identities, i: int, rows: dict[int, str]) -> Verdict | None:
    """The most similar of the candidates that are near."""
    if not rows:
        return None
    number = np.fromiter(rows, dtype=np.int64, count=len(rows))
    features = found.features[found.feature_offsets[i] : found.feature_offsets[i + 1]]
    offsets = index["features_offsets"]
    sizes = offsets[number + 1] - offsets[number]
    alike = np.minimum(sizes, len(features)) >= SIMILAR * np.maximum(sizes, len(features)) - 1e-9
    close = np.abs(index["unsaturation"][number].astype(int) - int(found.unsaturation[i])) <= _APART
    moved = np.abs(index["elements"][number].astype(int) - found.elements[i].astype(int)).sum(axis=1)
    edited = np.array([bool(rows[row]) for row in number.tolist()])
    possible = alike | (close & (edited | (moved <= 2 * _APART)))
    scored = []
    for row, within in zip(number[possible][:_CANDIDATES].tolist(), close[possible].tolist(), strict=False):
        similarity = tanimoto(features, index["features"][offsets[row] : offsets[row + 1]])
        scored.append((similarity, -row, within))
    query = sites(Chem.MolFromSmiles(found.smiles[i]))
    for similarity, negative, within in sorted(scored, reverse=True):
        row = -negative
        smiles, name = index.entry(row)
        if rows[row] and within:
            why = rows[row]
        elif similarity >= SIMILAR:
            why = f"Tanimoto similarity {similarity:.2f}"
        elif (
            within
            and _may_be_exchanged(query, smiles)
            and (count := exchanged(found.smiles[i], smiles)) <= _APART
        ):
            why = f"{count} heavy atom{'s are' if count > 1 else ' is'} another element"
        else:
            continue
        return Verdict("near", name, smiles, why, round(similarity, 3))
    return None


def _may_be_exchanged(query: Counter[tuple[int, int]], smiles: str) -> bool:
    """Whether few enough places have another element; cheap, and sure where the answer is no."""
    other = sites(Chem.MolFromSmiles(smiles))
    return (query - other).total() <= _APART


def exchanged(a: str, b: str) -> int:
    """Atoms that are another element when two molecules of one shape are laid on each other in the best way."""
    first, second = Chem.MolFromSmiles(a), Chem.MolFromSmiles(b)
    how = Chem.AdjustQueryParameters.NoAdjustments()
    how.makeAtomsGeneric = how.makeBondsGeneric = True
    query = Chem.AdjustQueryProperties(first, how)
    numbers = [atom.GetAtomicNum() for atom in first.GetAtoms()]
    others = [atom.GetAtomicNum() for atom in second.GetAtoms()]
    matches = second.GetSubstructMatches(query, uniquify=False, maxMatches=1000)
    differing = [
        sum(x != others[k] for x, k in zip(numbers, match, strict=True))
        for match in matches
        if len(match) == len(others)
    ]
    return min(differing, default=len(numbers))
