"""Ways to hold compounds back: at random, and whole scaffolds at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rdkit import Chem

from molgen.chem.fragments import murcko_scaffold

#: One scaffold with more than this share of the rows leaves too little to learn from when it is held back.
LARGEST_SCAFFOLD = 0.6
FEWEST_SCAFFOLDS = 5


def random_folds(n: int, folds: int, rng: np.random.Generator) -> np.ndarray:
    """The fold of each row, int64 ``[n]``, of equal sizes."""
    return np.asarray(rng.permutation(np.arange(n) % folds))


def scaffolds(mols: Sequence[Chem.Mol]) -> np.ndarray:
    """The number of each molecule's Murcko scaffold, int64 ``[n]``; one without rings is a scaffold of its own."""
    names: dict[str, int] = {}
    return np.array(
        [names.setdefault(murcko_scaffold(mol) or f"acyclic {i}", len(names)) for i, mol in enumerate(mols)],
        dtype=np.int64,
    )


def why_no_scaffold_split(groups: np.ndarray) -> str:
    """Why holding scaffolds back would tell nothing; "" if it does."""
    sizes = np.bincount(groups)
    if len(sizes) < FEWEST_SCAFFOLDS:
        return f"only {len(sizes)} scaffolds"
    if sizes.max() > LARGEST_SCAFFOLD * len(groups):
        return f"{sizes.max() / len(groups):.0%} of the compounds have one scaffold"
    return ""


def group_folds(groups: np.ndarray, folds: int, rng: np.random.Generator) -> np.ndarray:
    """The fold of each row, int64 ``[n]``; a group is never divided. Large groups are placed first."""
    sizes = np.bincount(groups)
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    filled = np.zeros(folds, dtype=np.int64)
    place = np.zeros(len(sizes), dtype=np.int64)
    for group in order.tolist():
        place[group] = int(filled.argmin())
        filled[place[group]] += sizes[group]
    return np.asarray(place[groups])


def group_holdout(groups: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Bool ``[n]``: about ``share`` of the rows, whole groups drawn at random, none larger than a quarter of it."""
    sizes = np.bincount(groups)
    wanted = share * len(groups)
    held: list[int] = []
    count = 0
    for group in rng.permutation(len(sizes)).tolist():
        if count >= wanted:
            break
        if sizes[group] <= wanted / 4 and count + sizes[group] <= 1.05 * wanted:
            held.append(group)
            count += int(sizes[group])
    return np.isin(groups, held)
