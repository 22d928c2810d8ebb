"""From chosen atoms and bonds to SMILES: raw, as they are, or corrected, so that every valence is kept."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from molgen.models.graph_gan.generator import Chosen, Layout, Logits
from molgen.models.graph_gan.graphs import AtomTypes

_ORDERS = {1: "SINGLE", 2: "DOUBLE", 3: "TRIPLE"}


def bond_sums(chosen: Chosen, layout: Layout) -> Tensor:
    """Sum of the bond orders of each atom, ``[B, M]``."""
    lower = layout.dense(chosen.bonds)
    return (lower + lower.transpose(1, 2)).sum(-1)


def within_valence(chosen: Chosen, layout: Layout, types: AtomTypes) -> Tensor:
    """Which graphs keep every valence, ``[B]``."""
    most = torch.tensor(types.valence, device=chosen.atoms.device)[chosen.atoms]
    inside, _ = layout.inside(chosen.sizes)
    return ((bond_sums(chosen, layout) <= most) | ~inside).all(1)


def write(chosen: Chosen, layout: Layout, types: AtomTypes) -> list[str]:
    """One string per graph. A graph that breaks a valence is written as it is, and no parser will accept it.

    Charged atoms get the hydrogens that their valence leaves, since SMILES does not fill these in.
    """
    from rdkit import Chem

    atoms, bonds, sizes = (x.cpu().numpy() for x in (chosen.atoms, chosen.bonds, chosen.sizes))
    sums = bond_sums(chosen, layout).cpu().numpy()
    ends = np.stack([layout.i.numpy(), layout.j.numpy()], 1)
    kinds = [_split(name) for name in types.names]
    order = {k: getattr(Chem.BondType, word) for k, word in _ORDERS.items()}
    result = []
    for row in range(len(sizes)):
        mol = Chem.RWMol()
        for i in range(sizes[row]):
            symbol, charge = kinds[atoms[row, i]]
            atom = Chem.Atom(symbol)
            if charge:
                atom.SetFormalCharge(charge)
                atom.SetNoImplicit(True)
                atom.SetNumExplicitHs(max(0, types.valence[atoms[row, i]] - int(sums[row, i])))
            mol.AddAtom(atom)
        for k in np.flatnonzero(bonds[row]):
            mol.AddBond(int(ends[k, 0]), int(ends[k, 1]), order[int(bonds[row, k])])
        result.append(Chem.MolToSmiles(mol, canonical=False))
    return result


def _split(name: str) -> tuple[str, int]:
    """``N+`` to (N, 1), ``S-2`` to (S, -2)."""
    for sign, unit in (("+", 1), ("-", -1)):
        symbol, found, count = name.partition(sign)
        if found:
            return symbol, unit * int(count or 1)
    return name, 0


def corrected(logits: Logits, layout: Layout, types: AtomTypes) -> Chosen:
    """The likeliest choices among those that valences and connectedness allow, taken greedily; always valid.

    Only for graphs that :func:`within_valence` refuses: others would come back unchanged or worse. First a tree of
    single bonds, parent by parent, where an atom that would leave no free valence to the rest takes another type; then
    what the bonds' logits want beyond that, the clearest first, while both ends have valence left.
    """
    cpu = [x.detach().float().cpu().numpy() for x in (logits.atoms, logits.parents, logits.bonds)]
    sizes = logits.sizes.cpu().numpy()
    most = np.array(types.valence)
    index = np.full((layout.atoms, layout.atoms), -1)
    index[layout.i.numpy(), layout.j.numpy()] = np.arange(len(layout.i))
    found = [_one(cpu[0][b], cpu[1][b], cpu[2][b], int(sizes[b]), most, index) for b in range(len(sizes))]
    atoms, parents, bonds = (
        torch.from_numpy(np.stack(part)).to(logits.sizes.device) for part in zip(*found, strict=True)
    )
    return Chosen(atoms, parents, bonds, logits.sizes)


def _one(
    atoms: np.ndarray, parents: np.ndarray, bonds: np.ndarray, size: int, most: np.ndarray, index: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    kind, parent = np.zeros(len(atoms), np.int64), np.zeros(len(atoms), np.int64)
    order = np.zeros(len(bonds), np.int64)
    free = np.zeros(len(atoms), np.int64)
    for i in range(size):
        rest = size - i - 1
        open_before = int(free.sum())
        for choice in np.argsort(-atoms[i], kind="stable"):
            left = open_before + int(most[choice]) - (2 if i else 0)
            if rest == 0 or left >= 1:
                break
        else:  # no type reaches far enough: the one with the most bonds
            choice = int(most.argmax())
        kind[i], free[i] = choice, most[choice]
        if i:
            allowed = np.where(free[:i] > 0, parents[i, :i], -np.inf)
            parent[i] = int(allowed.argmax())
            order[index[i, parent[i]]] = 1
            free[i] -= 1
            free[parent[i]] -= 1
    wanted: list[tuple[float, int, int, int, int]] = []
    for i in range(1, size):
        for j in range(i):
            k = index[i, j]
            held = int(parent[i] == j)
            best = held + int(bonds[k, held:].argmax())
            if best > order[k]:
                wanted.append((float(bonds[k, best] - bonds[k, order[k]]), i, j, k, best))
    for _, i, j, k, best in sorted(wanted, key=lambda w: -w[0]):
        more = min(best - order[k], free[i], free[j])
        order[k] += more
        free[i] -= more
        free[j] -= more
    return kind, parent, order


def sizes_to_draw(
    histogram: Sequence[float], n: int, generator: torch.Generator, device: torch.device
) -> Tensor:
    """``n`` sizes as often as in the training set, ``[n]``; ``histogram[k]`` is the share of size ``k + 1``."""
    shares = torch.tensor(histogram, device=device)
    return (
        1 + torch.multinomial(shares, n, replacement=True, generator=generator)
        if n
        else shares.new_zeros(0).long()
    )
