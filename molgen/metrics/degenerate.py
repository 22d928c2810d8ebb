"""What makes a list worthless however good its metrics look: one molecule varied, one core, chains, one compound twice.

Each function gives the number on which a verdict rests (:mod:`molgen.metrics.verdicts`); none of them needs a
reference. They look at 500 to 2,000 random molecules, which is enough for shares of a half.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from molgen.chem.descriptors import longest_chain
from molgen.chem.fragments import murcko_scaffold, ring_systems
from molgen.chem.standardize import tautomer_key
from molgen.core.errors import MoleculeError
from molgen.metrics.similarity import morgan_bits, similarity_blocks

#: An analogue shares this similarity with the molecule in the middle: a methyl or fluorine keeps 0.61 to 0.85.
ANALOGUE_SIMILARITY, ANALOGUE_ATOMS = 0.55, 4
#: A chain of more saturated acyclic carbons than this is no part of a drug (the gate says 6).
LONG_CHAIN = 8
_CORE_ATOMS, _CORE_RINGS, _CORES_TRIED = 9, 2, 12


@dataclass(frozen=True)
class Share:
    """A share of the molecules looked at, and what they share (a SMILES, or "")."""

    share: float
    smiles: str
    n: int


def pick(n: int, most: int, seed: int = 0) -> list[int]:
    """At most ``most`` of ``n`` indices, drawn without replacement, in order."""
    if n <= most:
        return list(range(n))
    return sorted(int(i) for i in np.random.default_rng(seed).permutation(n)[:most])


def analogues(mols: Sequence[Chem.Mol]) -> Share:
    """The molecule that is most alike all others, and the share of them that are its close analogues."""
    chosen = [mols[i] for i in pick(len(mols), 2000)]
    if len(chosen) < 3:
        return Share(0.0, "", len(chosen))
    bits = morgan_bits(chosen)
    heavy = np.array([mol.GetNumHeavyAtoms() for mol in chosen])
    near = np.zeros(len(chosen))
    for rows, columns, block in similarity_blocks(bits, bits):
        close = block.numpy() >= ANALOGUE_SIMILARITY
        close &= np.abs(heavy[rows, None] - heavy[None, columns]) <= ANALOGUE_ATOMS
        near[rows] += close.sum(axis=1)
    middle = int(near.argmax())
    share = (near[middle] - 1) / (len(chosen) - 1)
    return Share(float(share), Chem.MolToSmiles(chosen[middle]), len(chosen))


def top_scaffold(scaffolds: Sequence[str]) -> Share:
    """The most frequent Murcko scaffold (rings only) and its share of all molecules."""
    counts = Counter(scaffold for scaffold in scaffolds if scaffold)
    if not counts:
        return Share(0.0, "", len(scaffolds))
    smiles, count = min(counts.items(), key=lambda item: (-item[1], item[0]))
    return Share(count / len(scaffolds), smiles, len(scaffolds))


def common_core(mols: Sequence[Chem.Mol]) -> Share:
    """The core of at least two rings and nine atoms that most molecules contain; candidates are scaffolds and rings."""
    chosen = [mols[i] for i in pick(len(mols), 1000)]
    candidates: Counter[str] = Counter()
    for mol in chosen[:200]:
        candidates.update({murcko_scaffold(mol), *ring_systems(mol)} - {""})
    best = Share(0.0, "", len(chosen))
    tried = 0
    for smiles, _ in sorted(candidates.items(), key=lambda item: (-item[1], item[0])):
        core = Chem.MolFromSmiles(smiles)
        if (
            core is None
            or core.GetNumHeavyAtoms() < _CORE_ATOMS
            or core.GetRingInfo().NumRings() < _CORE_RINGS
        ):
            continue
        share = sum(mol.HasSubstructMatch(core) for mol in chosen) / len(chosen)
        if share > best.share:
            best = Share(share, smiles, len(chosen))
        tried += 1
        if tried == _CORES_TRIED:
            break
    return best


def chain_share(mols: Sequence[Chem.Mol]) -> float:
    """Share of molecules that are acyclic hydrocarbons or hold a chain of more than eight CH2 and CH3."""
    chosen = [mols[i] for i in pick(len(mols), 2000)]
    if not chosen:
        return 0.0
    return sum(_is_chain(mol) for mol in chosen) / len(chosen)


def _is_chain(mol: Chem.Mol) -> bool:
    if longest_chain(mol) > LONG_CHAIN:
        return True
    return not mol.GetRingInfo().NumRings() and all(atom.GetAtomicNum() in (1, 6) for atom in mol.GetAtoms())


@dataclass(frozen=True)
class Compounds:
    """``strings`` distinct structures were looked at; they are ``compounds`` compounds, ``flat`` without stereo."""

    strings: int
    compounds: int
    flat: int


def compounds(distinct: Sequence[str], most: int = 500) -> Compounds:
    """How many compounds a list of distinct canonical strings is, salts, charges and tautomers taken together."""
    chosen = [distinct[i] for i in pick(len(distinct), most)]
    keys, flat = set(), set()
    for smiles in chosen:
        key = _key(smiles)
        keys.add(key)
        flat.add(_key(without_stereo(smiles)) if _STEREO & set(smiles) else key)
    return Compounds(len(chosen), len(keys), len(flat))


_STEREO = frozenset("@/\\")


def _key(smiles: str) -> str:
    try:
        return tautomer_key(smiles)
    except MoleculeError:
        return smiles  # no compound to standardize; it stays one of its own


def without_stereo(smiles: str) -> str:
    """The canonical string of the structure without its stereo, which is not the string without its marks.

    They decide on the order of the atoms, too.
    """
    mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        return smiles
    Chem.RemoveStereochemistry(mol)
    return str(Chem.MolToSmiles(mol))
