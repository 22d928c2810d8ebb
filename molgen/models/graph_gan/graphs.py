"""Molecules as dense graphs: atom types with their charges, Kekule bonds, in the order of the canonical SMILES."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from molgen.core.errors import DataError
from molgen.data.cache import content_key, kept, pack_texts, rdkit_version, unpack_texts

#: Raised when the arrays of a molecule change: older kept ones are then not used.
_VERSION = 1


@dataclass(frozen=True)
class AtomTypes:
    """The kinds of atoms: element with charge, and how many bonds (with those to hydrogen) one has at most."""

    names: tuple[str, ...]  # "C", "N+", ...
    valence: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.names)

    def to_json(self) -> dict[str, Any]:
        """For the model folder."""
        return {"names": list(self.names), "valence": list(self.valence)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> AtomTypes:
        """Inverse of :meth:`to_json`."""
        return cls(tuple(data["names"]), tuple(data["valence"]))


@dataclass(frozen=True)
class Graphs:
    """``G`` molecules of at most ``M`` atoms. Bonds are the lower triangle, row by row: (1,0), (2,0), (2,1), ..."""

    atoms: np.ndarray  # uint8 [G, M] number of the type; beyond the molecule 0
    bonds: np.ndarray  # uint8 [G, M (M - 1) / 2] order; 0: none
    sizes: np.ndarray  # uint8 [G]


def pairs(atoms: int) -> np.ndarray:
    """The pairs (i, j) with j < i in the order of the bonds, ``[P, 2]``."""
    return np.array([(i, j) for i in range(atoms) for j in range(i)], np.int64).reshape(-1, 2)


@dataclass(frozen=True)
class Read:
    """What was made of strings: graphs, the rows that they came from, the types met, and why others were left out."""

    graphs: Graphs
    rows: np.ndarray
    types: AtomTypes
    unknown: list[str]
    too_long: list[str]


def read(smiles: Sequence[str], max_atoms: int) -> Read:
    """Graphs of ``smiles`` without stereo; kept by content for long lists (``dense-graphs``)."""
    key = content_key(f"dense graphs {_VERSION}", str(max_atoms), rdkit_version(), texts=smiles)
    found = kept("dense-graphs", key, lambda: _read(smiles, max_atoms), worth=len(smiles) >= 2000)
    graphs = Graphs(found["atoms"], found["bonds"], found["sizes"])
    types = AtomTypes(tuple(unpack_texts(found["names"])), tuple(found["valence"].tolist()))
    unknown, too_long = unpack_texts(found["unknown"]), unpack_texts(found["too_long"])
    return Read(graphs, found["rows"], types, unknown, too_long)


def _read(smiles: Sequence[str], max_atoms: int) -> dict[str, np.ndarray]:
    from rdkit import Chem, rdBase

    place = {(i, j): k for k, (i, j) in enumerate(pairs(max_atoms).tolist())}
    number: dict[str, int] = {}
    valence: Counter[str] = Counter()
    atoms = np.zeros((len(smiles), max_atoms), np.uint8)
    bonds = np.zeros((len(smiles), len(place)), np.uint8)
    sizes, rows = np.zeros(len(smiles), np.uint8), []
    unknown, too_long = [], []
    with rdBase.BlockLogs():
        for row, text in enumerate(smiles):
            mol = Chem.MolFromSmiles(text)
            if why := _outside(mol):
                unknown.append(f"{text}: {why}")
                continue
            if mol.GetNumAtoms() > max_atoms:
                too_long.append(text)
                continue
            # the order of the atoms is that in which the canonical SMILES without stereo names them: depth first
            Chem.MolToSmiles(mol, isomericSmiles=False)
            order = json.loads(mol.GetProp("_smilesAtomOutputOrder").replace(",]", "]"))
            at = {old: new for new, old in enumerate(order)}
            Chem.Kekulize(mol, clearAromaticFlags=True)
            for atom in mol.GetAtoms():
                name = atom_name(atom)
                atoms[row, at[atom.GetIdx()]] = number.setdefault(name, len(number))
                valence[name] = max(valence[name], atom.GetTotalValence())
            for bond in mol.GetBonds():
                i, j = at[bond.GetBeginAtomIdx()], at[bond.GetEndAtomIdx()]
                bonds[row, place[max(i, j), min(i, j)]] = round(bond.GetBondTypeAsDouble())
            sizes[row] = mol.GetNumAtoms()
            rows.append(row)
    kept_rows = np.array(rows, np.int64)
    return {
        "atoms": atoms[kept_rows],
        "bonds": bonds[kept_rows],
        "sizes": sizes[kept_rows],
        "rows": kept_rows,
        "names": pack_texts(list(number)),
        "valence": np.array([valence[name] for name in number], np.int64),
        "unknown": pack_texts(unknown),
        "too_long": pack_texts(too_long),
    }


def _outside(mol: Any) -> str:
    """Why a molecule cannot be such a graph, in words."""
    from rdkit import Chem

    if mol is None:
        return "no molecule"
    if mol.GetNumAtoms() == 0:
        return "no atoms"
    if len(Chem.GetMolFrags(mol)) > 1:
        return "several fragments"
    if any(atom.GetNumRadicalElectrons() for atom in mol.GetAtoms()):
        return "a radical"
    if any(
        bond.GetBondType().name not in ("SINGLE", "DOUBLE", "TRIPLE", "AROMATIC") for bond in mol.GetBonds()
    ):
        return "a bond that is not single, double, triple or aromatic"
    return ""


def atom_name(atom: Any) -> str:
    """Element and charge: C, N+, O-, S+2."""
    charge = atom.GetFormalCharge()
    sign = "" if charge == 0 else "+" if charge > 0 else "-"
    return f"{atom.GetSymbol()}{sign}{abs(charge) if abs(charge) > 1 else ''}"


@dataclass(frozen=True)
class Batch:
    """Dense graphs of a batch: one-hot atoms and bonds, as the networks take them."""

    atoms: Tensor  # [B, M] number of the type
    bonds: Tensor  # [B, P] order
    sizes: Tensor  # [B]
    labels: Tensor  # [B, R] z-scored properties, NaN where unknown

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        if torch.device(device).type == "cpu" and self.atoms.device.type == "cpu":
            return self
        return replace(
            self, **{k: getattr(self, k).to(device) for k in ("atoms", "bonds", "sizes", "labels")}
        )

    def rows(self, which: Tensor) -> Batch:
        """The molecules of these numbers."""
        return Batch(self.atoms[which], self.bonds[which], self.sizes[which], self.labels[which])


class GraphSet:
    """The training set of the graph GAN."""

    def __init__(self, found: Read, types: AtomTypes, labels: np.ndarray | None = None) -> None:
        """``types`` are those of the model; molecules with others are left out."""
        number = {name: k for k, name in enumerate(types.names)}
        other = np.array([number.get(name, 255) for name in found.types.names], np.uint8)
        graphs = found.graphs
        inside = np.arange(graphs.atoms.shape[1]) < graphs.sizes[:, None]
        atoms = other[graphs.atoms] if len(other) else graphs.atoms
        known = ((atoms != 255) | ~inside).all(1)
        strange = int((~known).sum())
        self.unknown = [
            *found.unknown,
            *([f"{strange} molecules: atom types unknown to the model"] if strange else []),
        ]
        self.too_long = found.too_long
        self.index = found.rows[known]
        self.graphs = Graphs(np.where(inside, atoms, 0)[known], graphs.bonds[known], graphs.sizes[known])
        self.labels = np.zeros((len(self.index), 0), np.float32) if labels is None else labels[self.index]

    def __len__(self) -> int:
        return len(self.index)

    def plan(self, batch_size: int, seed: int) -> list[np.ndarray]:
        """The batches of an epoch as row numbers."""
        order = np.random.default_rng(seed).permutation(len(self))
        return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]

    def batch(self, rows: np.ndarray, seed: int = 0) -> Batch:
        """The batch of ``rows``."""
        return Batch(
            torch.from_numpy(self.graphs.atoms[rows].astype(np.int64)),
            torch.from_numpy(self.graphs.bonds[rows].astype(np.int64)),
            torch.from_numpy(self.graphs.sizes[rows].astype(np.int64)),
            torch.from_numpy(np.ascontiguousarray(self.labels[rows])),
        )


def common_types(found: Read, min_share: float = 1e-4) -> AtomTypes:
    """The types of at least ``min_share`` of the molecules, most frequent first. Raises DataError without any."""
    graphs = found.graphs
    inside = np.arange(graphs.atoms.shape[1]) < graphs.sizes[:, None]
    counts = [int(((graphs.atoms == k) & inside).any(1).sum()) for k in range(len(found.types))]
    order = sorted(range(len(counts)), key=lambda k: -counts[k])
    chosen = [k for k in order if counts[k] >= max(1.0, min_share * len(found.rows))]
    if not chosen:
        raise DataError(
            "none of the molecules is small enough for the graph GAN; raise model.params.max_atoms"
        )
    return AtomTypes(
        tuple(found.types.names[k] for k in chosen), tuple(found.types.valence[k] for k in chosen)
    )


def one_hot(batch: Batch, types: int) -> tuple[Tensor, Tensor]:
    """Atoms ``[B, M, types]`` (zero beyond the molecule) and bonds ``[B, P, 3]`` (zero where there is none)."""
    inside = torch.arange(batch.atoms.shape[1], device=batch.atoms.device) < batch.sizes[:, None]
    atoms = functional.one_hot(batch.atoms, types).float() * inside[..., None]
    return atoms, functional.one_hot(batch.bonds, 4)[..., 1:].float()
