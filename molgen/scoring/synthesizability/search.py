"""Looks for a way to a molecule from given blocks, backwards, in at most two reactions, and never for long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rdkit import Chem, rdBase

from molgen.chem.reactions import Reaction
from molgen.scoring.synthesizability.stock import Stock

#: Sets of blocks that are taken apart once more, the most promising first.
EXPANDED = 25


@dataclass(frozen=True)
class Step:
    """One reaction, forward: what goes in (ids of blocks, "intermediate" for what the step before made)."""

    reaction: str
    blocks: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.reaction}: {' + '.join(self.blocks)}"


@dataclass(frozen=True)
class Route:
    """The best way that was found. ``share``: of the heavy atoms that go in, those that come from blocks in stock.

    ``steps`` is None if the way is not complete (``share`` < 1), else the reactions in the order in which they are run.
    """

    share: float
    steps: tuple[Step, ...] | None
    block: str = ""

    def __str__(self) -> str:
        if self.steps is None:
            return "no way found from the blocks"
        if not self.steps:
            return f"is the block {self.block}"
        return "; ".join(f"{k}. {step}" for k, step in enumerate(self.steps, 1))


def find_route(mol: Chem.Mol, stock: Stock, reactions: Sequence[Reaction], max_steps: int = 2) -> Route:
    """The shortest complete route, else the set of blocks with the largest share in stock."""
    smiles = Chem.MolToSmiles(mol)
    own = stock.find(smiles)
    if own is not None:
        return Route(1.0, (), own)
    open_sets: dict[tuple[str, ...], tuple[float, str, str]] = {}
    best = 0.0
    for reaction in reactions:
        for blocks in reaction.back(mol):
            share, missing = _stocked(blocks, stock)
            if not missing:
                return Route(1.0, (Step(reaction.name, _names(blocks, stock)),))
            best = max(best, share)
            if len(missing) == 1:
                open_sets.setdefault(tuple(sorted(blocks)), (share, reaction.name, missing[0]))
    if max_steps > 1:
        # what has most in stock first; then what is smallest: it is the likeliest to be one step from the shelf
        order = sorted(open_sets.items(), key=lambda item: (-item[1][0], len(item[1][2]), item[0]))
        tried: set[str] = set()
        for blocks, (_, name, missing_one) in order:
            if missing_one in tried:
                continue
            if len(tried) == EXPANDED:
                break
            tried.add(missing_one)
            first = _one_step(missing_one, stock, reactions)
            if first is not None:
                rest = tuple(block for block in blocks if block != missing_one)
                return Route(1.0, (first, Step(name, ("intermediate", *_names(rest, stock)))))
    return Route(best, None)


def _one_step(smiles: str, stock: Stock, reactions: Sequence[Reaction]) -> Step | None:
    mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        return None
    for reaction in reactions:
        for blocks in () if reaction.last else reaction.back(mol):
            if not _stocked(blocks, stock)[1]:
                return Step(reaction.name, _names(blocks, stock))
    return None


def _stocked(blocks: Sequence[str], stock: Stock) -> tuple[float, list[str]]:
    """Share of the heavy atoms that is in stock, and the distinct blocks that are not."""
    missing = list(dict.fromkeys(block for block in blocks if stock.find(block) is None))
    sizes = {block: _heavy(block) for block in blocks}
    total = sum(sizes[block] for block in blocks)
    return 1 - sum(sizes[block] for block in blocks if block in missing) / max(total, 1), missing


def _heavy(smiles: str) -> int:
    with rdBase.BlockLogs():
        mol = Chem.MolFromSmiles(smiles)
    return 0 if mol is None else int(mol.GetNumHeavyAtoms())


def _names(blocks: Sequence[str], stock: Stock) -> tuple[str, ...]:
    return tuple(stock.find(block) or block for block in blocks)
