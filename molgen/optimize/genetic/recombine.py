"""New molecules of the best pieces of good ones: a piece is worth the mean score of the molecules that have it.

The idea of fragment vocabularies in f-RAG (Lee et al., NeurIPS 2024) and GenMol (Lee et al., 2025), with two
differences: pieces are ranked by nothing but the scores that the search has paid for, and a mean over few molecules
counts less.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import combinations

import numpy as np
from rdkit import Chem, rdBase

from molgen.chem.rings import flat
from molgen.optimize.genetic.operators import STRANGE, Child
from molgen.optimize.genetic.pieces import Piece, cut_bonds, fragments, piece
from molgen.optimize.genetic.sketch import RING_SIZES, finished, pick, weighted
from molgen.optimize.genetic.tables import Tables, heavy_atoms, tables

#: Best molecules that are cut, and best pieces of each kind (with one, two, three wildcards) that are used.
MOLECULES, PIECES = 200, 200
#: Two cuts are tried at no more bonds than this; molecules with more are cut at a part of their bonds.
_MOST_CUTS = 8
#: Mean scores are drawn towards that of the pool as if so many more molecules had it.
CAUTION = 1.0
#: Rank at which a piece is drawn half as often as the best one.
_HALF = 20.0
#: Standard deviation of a child's size around that of a molecule of the pool, heavy atoms.
SPREAD = 4.0
#: How near an arm is to the size that is missing.
FIT = 3.0


def recombine(
    pool: Sequence[tuple[str, float]],
    n: int,
    rng: np.random.Generator,
    *,
    known: Collection[str] = (),
    strange: float = STRANGE,
    table: Tables | None = None,
    tries: int = 6,
) -> list[Child]:
    """At most ``n`` new distinct molecules of pieces of the ``pool`` (SMILES, score): two arms, or arms on a core.

    Each is (canonical SMILES, ``recombination``, the positions in the pool of the best molecule of each piece).
    Nothing of ``pool`` or ``known`` (canonical, without stereo) comes back; fewer come back when pieces are few.
    """
    kinds = ranked_pieces(pool) if n > 0 else {1: []}
    if not kinds[1]:
        return []
    kit = _Kit(kinds[1], [*kinds[2], *kinds[3]])
    order = sorted(range(len(pool)), key=lambda k: -pool[k][1])[:MOLECULES]
    sizes = [heavy_atoms(pool[k][0]) for k in order]
    best = np.cumsum(_by_rank(len(sizes)))
    own, table = {flat(text) for text, _ in pool}, table or tables()
    found: dict[str, Child] = {}
    with rdBase.BlockLogs():
        for _ in range(tries * n):
            if len(found) >= n:
                break
            target = sizes[weighted(rng, best)] + SPREAD * rng.standard_normal()
            chosen = kit.choose(target, rng)
            mol = assembled([piece(text) for text, _ in chosen], rng, table.allowed_rings)
            if mol is None or rng.random() >= strange ** table.strange(mol):
                continue
            text = Chem.MolToSmiles(mol)
            if text not in found and text not in own and text not in known:
                found[text] = (text, "recombination", tuple(dict.fromkeys(k for _, k in chosen)))
    return list(found.values())


def ranked_pieces(pool: Sequence[tuple[str, float]]) -> dict[int, list[tuple[str, int]]]:
    """By number of wildcards: the pieces, best first, each with the position of the best molecule that has it."""
    order = sorted(range(len(pool)), key=lambda k: (-pool[k][1], k))[:MOLECULES]
    if not order:
        return {1: [], 2: [], 3: []}
    usual = float(np.mean([pool[k][1] for k in order]))
    sums: dict[str, list[float]] = {}
    for k in order:
        for text in pieces_of(pool[k][0]):
            row = sums.setdefault(text, [0.0, 0.0, k])
            row[0] += pool[k][1]
            row[1] += 1
    worth = {text: (total + CAUTION * usual) / (count + CAUTION) for text, (total, count, _) in sums.items()}
    ranked = sorted(worth, key=lambda text: (-worth[text], text))
    return {
        wildcards: [(text, int(sums[text][2])) for text in ranked if text.count("*") == wildcards][:PIECES]
        for wildcards in (1, 2, 3)
    }


@lru_cache(maxsize=4096)
def pieces_of(smiles: str) -> tuple[str, ...]:
    """Distinct pieces of a molecule between one cut, two cuts or all cuts, with one to three wildcards."""
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
        if mol is None:
            return ()
        Chem.RemoveStereochemistry(mol)
        bonds = cut_bonds(mol)
        found = dict.fromkeys(fragments(mol, bonds))
        step = -(-len(bonds) // _MOST_CUTS) or 1
        for bond in bonds:
            found |= dict.fromkeys(fragments(mol, (bond,)))
        for pair in combinations(bonds[::step], 2):
            found |= dict.fromkeys(text for text in fragments(mol, pair) if text.count("*") == 2)
    return tuple(text for text in found if 1 <= text.count("*") <= 3 and heavy_atoms(text))


def assembled(
    parts: Sequence[Piece], rng: np.random.Generator, ring_sizes: Collection[int] = RING_SIZES
) -> Chem.Mol | None:
    """The first piece with the others, which have one wildcard each, at its wildcards in random order."""
    core, arms = parts[0], parts[1:]
    drawing = core.sketch.editable()
    drop = [star for star, _ in core.ends]
    places = [core.ends[k][1] for k in rng.permutation(len(core.ends))]
    for place, arm in zip(places, arms, strict=True):
        n = drawing.GetNumAtoms()
        drawing.InsertMol(arm.sketch.mol)
        star, near = arm.ends[0]
        drawing.AddBond(place, n + near, Chem.BondType.SINGLE)
        drop.append(n + star)
    drawing.BeginBatchEdit()
    for i in drop:
        drawing.RemoveAtom(i)
    drawing.CommitBatchEdit()
    return finished(drawing, ring_sizes)


def from_table(n: int, rng: np.random.Generator, size: float = 24.0) -> list[str]:
    """``n`` molecules of the common pieces of ZINC250k, for a search whose prior draws too little."""
    table = tables()
    found: list[str] = []
    with rdBase.BlockLogs():
        for _ in range(20 * n):
            if len(found) >= n:
                break
            wildcards = 1 + pick(rng, 3)
            core = table.draw_piece(wildcards, size / 2 + 2 * rng.standard_normal(), rng)
            arms = [
                table.draw_piece(1, size / (2 * wildcards) + 2 * rng.standard_normal(), rng)
                for _ in range(wildcards)
            ]
            mol = assembled([piece(text) for text in (core, *arms) if text], rng)
            if mol is not None and table.strange(mol) == 0:
                found.append(Chem.MolToSmiles(mol))
    return found


def _by_rank(n: int) -> np.ndarray:
    return 1 / (1 + np.arange(n) / _HALF)


class _Kit:
    """Pieces to choose from, with what choosing needs computed once."""

    def __init__(self, arms: Sequence[tuple[str, int]], cores: Sequence[tuple[str, int]]) -> None:
        self.arms, self.cores = arms, cores
        self.sizes = np.array([heavy_atoms(text) for text, _ in arms])
        self.arm_weights, self.core_weights = _by_rank(len(arms)), np.cumsum(_by_rank(len(cores)))
        self.arm_sums = np.cumsum(self.arm_weights)

    def choose(self, target: float, rng: np.random.Generator) -> list[tuple[str, int]]:
        """A core and its arms, or two arms, drawn by rank; arms that are added also by the size that is missing."""
        if not self.cores or rng.random() < 0.5:
            chosen = [self.arms[weighted(rng, self.arm_sums)]]
            places = 1
        else:
            chosen = [self.cores[weighted(rng, self.core_weights)]]
            places = chosen[0][0].count("*")
        size = heavy_atoms(chosen[0][0])
        for k in range(places):
            fit = self.sizes - (target - size) / (places - k)
            weights = np.exp(-0.5 * np.square(fit / FIT)) * self.arm_weights
            i = weighted(rng, np.cumsum(weights + 1e-9))
            chosen.append(self.arms[i])
            size += int(self.sizes[i])
        return chosen
