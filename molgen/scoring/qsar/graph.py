"""A small graph network (GINE) on the atoms: for sets with thousands of compounds.

Hu et al., ICLR 2020 (GIN with edge features). The layer is ten lines of torch: importing torch-geometric for it costs
seconds in every worker process.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from rdkit import Chem
from torch import Tensor, nn

from molgen.core.seeding import stream
from molgen.scoring.qsar.features import Features

KIND = "graph"
_ELEMENTS = (5, 6, 7, 8, 9, 14, 15, 16, 17, 35, 53)
_HYBRIDIZATION = (Chem.HybridizationType.SP, Chem.HybridizationType.SP2, Chem.HybridizationType.SP3)
_ATOM = len(_ELEMENTS) + 1 + 5 + 5 + 3 + len(_HYBRIDIZATION) + 4
_BOND = 6
_WIDTH, _LAYERS, _DROPOUT = 64, 3, 0.1
_BATCH, _RATE = 64, 1.5e-3
#: Molecules seen in a training, all epochs together: bounds its time whatever the size of the set.
_PASSES, _EPOCHS = 80_000, 40

_Graph = tuple[np.ndarray, np.ndarray, np.ndarray]


def _one_hot(index: int, size: int) -> list[float]:
    return [float(k == index) for k in range(size)]


def graph_of(mol: Chem.Mol) -> _Graph:
    """Atoms float32 ``[a, 32]``, bonds in both directions int64 ``[2, 2b]`` and their features float32 ``[2b, 6]``."""
    atoms = []
    for atom in mol.GetAtoms():
        number, ring = atom.GetAtomicNum(), atom.IsInRing()
        kind = _ELEMENTS.index(number) if number in _ELEMENTS else len(_ELEMENTS)
        hybrid = atom.GetHybridization()
        atoms.append(
            _one_hot(kind, len(_ELEMENTS) + 1)
            + _one_hot(min(atom.GetDegree(), 4), 5)
            + _one_hot(min(atom.GetTotalNumHs(), 4), 5)
            + _one_hot((atom.GetFormalCharge() > 0) - (atom.GetFormalCharge() < 0) + 1, 3)
            + [float(hybrid == h) for h in _HYBRIDIZATION]
            + [
                float(atom.GetIsAromatic()),
                float(ring),
                float(atom.IsInRingSize(5)),
                float(atom.IsInRingSize(6)),
            ]
        )
    ends: list[tuple[int, int]] = []
    bonds: list[list[float]] = []
    for bond in mol.GetBonds():
        order = bond.GetBondType()
        types = (Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE, Chem.BondType.AROMATIC)
        row = [float(order == t) for t in types]
        row += [float(bond.GetIsConjugated()), float(bond.IsInRing())]
        a, b = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        ends += [(a, b), (b, a)]
        bonds += [row, row]
    return (
        np.array(atoms, dtype=np.float32).reshape(-1, _ATOM),
        np.array(ends, dtype=np.int64).reshape(-1, 2).T,
        np.array(bonds, dtype=np.float32).reshape(-1, _BOND),
    )


def graphs_of(x: Features) -> list[_Graph]:
    """The graphs of a set, made once for the whole set that it was taken from."""
    if x.root is not x:
        every = graphs_of(x.root)
        return [every[i] for i in x.rows.tolist()]
    if "graphs" not in x.shared:
        assert x.mols is not None
        x.shared["graphs"] = [graph_of(mol) for mol in x.mols]
    return list(x.shared["graphs"])


class _Layer(nn.Module):
    """``norm(mlp((1 + eps) h_i + sum_j relu(h_j + e_ij)))`` over the neighbors j."""

    def __init__(self) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(_WIDTH, 2 * _WIDTH), nn.ReLU(), nn.Linear(2 * _WIDTH, _WIDTH))
        self.norm = nn.LayerNorm(_WIDTH)
        self.eps = nn.Parameter(torch.zeros(1))

    def forward(self, state: Tensor, ends: Tensor, edge: Tensor) -> Tensor:
        messages = torch.relu(state.index_select(0, ends[0]) + edge)
        total = ((1 + self.eps) * state).index_add(0, ends[1], messages)
        return self.norm(self.mlp(total))  # type: ignore[no-any-return]


class _Network(nn.Module):
    """Atoms -> messages along bonds -> sum and mean over the molecule -> one number."""

    def __init__(self) -> None:
        super().__init__()
        self.atom, self.bond = nn.Linear(_ATOM, _WIDTH), nn.Linear(_BOND, _WIDTH)
        self.layers = nn.ModuleList(_Layer() for _ in range(_LAYERS))
        self.head = nn.Sequential(
            nn.Linear(2 * _WIDTH, _WIDTH), nn.ReLU(), nn.Dropout(_DROPOUT), nn.Linear(_WIDTH, 1)
        )

    def forward(self, atoms: Tensor, ends: Tensor, bonds: Tensor, owner: Tensor, n: int) -> Tensor:
        state, edge = self.atom(atoms), self.bond(bonds)
        for layer in self.layers:
            state = state + torch.relu(layer(state, ends, edge))
        total = state.new_zeros(n, _WIDTH).index_add_(0, owner, state)
        size = torch.bincount(owner, minlength=n).clamp(min=1).to(state.dtype).unsqueeze(1)
        return self.head(torch.cat([total / size, total / 25.0], dim=1)).squeeze(1)  # type: ignore[no-any-return]


def _collate(graphs: list[_Graph], dtype: torch.dtype) -> tuple[Tensor, Tensor, Tensor, Tensor, int]:
    sizes = [len(atoms) for atoms, _, _ in graphs]
    starts = np.cumsum([0, *sizes[:-1]])
    ends = np.concatenate([e + s for (_, e, _), s in zip(graphs, starts, strict=True)], axis=1)
    return (
        torch.from_numpy(np.concatenate([atoms for atoms, _, _ in graphs])).to(dtype),
        torch.from_numpy(ends),
        torch.from_numpy(np.concatenate([bonds for _, _, bonds in graphs])).to(dtype),
        torch.from_numpy(np.repeat(np.arange(len(graphs)), sizes)),
        len(graphs),
    )


class GraphNetwork:
    """A fitted network; ``center`` and ``scale`` bring its output back to the target's unit."""

    kind = KIND

    def __init__(self, network: nn.Module, center: float, scale: float) -> None:
        # float64: in float32 the value of a molecule would depend on what else is in the batch
        self.network, self.center, self.scale = network.double().eval(), center, scale

    def mean_of(self, x: Features) -> np.ndarray:
        """Predicted values float64 ``[n]``."""
        return self.mean_of_graphs(graphs_of(x))

    def mean_of_graphs(self, graphs: list[_Graph]) -> np.ndarray:
        """Predicted values of graphs, float64 ``[n]``."""
        parts = [np.empty(0)]
        with torch.inference_mode():
            for start in range(0, len(graphs), 256):
                batch = _collate(graphs[start : start + 256], torch.float64)
                parts.append(self.network(*batch).numpy())
        return np.asarray(np.concatenate(parts) * self.scale + self.center)

    def predict(self, x: Features) -> tuple[np.ndarray, np.ndarray]:
        """Predicted values; the network knows no spread of its own, so the distance alone widens its intervals."""
        return self.mean_of(x), np.ones(len(x))

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights, float32."""
        weights = {f"graph.{k}": v.float().numpy() for k, v in self.network.state_dict().items()}
        return {**weights, "graph.numbers": np.array([self.center, self.scale])}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> GraphNetwork:
        """Inverse of :meth:`arrays`."""
        center, scale = arrays["graph.numbers"].tolist()
        network = _network(0)
        own = {k[6:]: v for k, v in arrays.items() if k.startswith("graph.") and k != "graph.numbers"}
        network.load_state_dict({k: torch.from_numpy(np.array(v)) for k, v in own.items()})
        return cls(network, center, scale)


def _network(seed: int) -> _Network:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _Network()


def fit(x: Features, y: np.ndarray, side: np.ndarray, seed: int, **_: Any) -> GraphNetwork:
    """Train on ``y`` float64 ``[n]``; an open-ended value (``side``) costs only on the wrong side of its bound."""
    graphs = graphs_of(x)
    center, scale = float(y.mean()), float(y.std()) or 1.0
    target = torch.from_numpy(((y - center) / scale).astype(np.float32))
    sign = torch.from_numpy(side.astype(np.float32))
    epochs = max(3, min(_EPOCHS, _PASSES // len(graphs)))
    steps = epochs * -(-len(graphs) // _BATCH)
    network = _network(stream(seed, "qsar", "graph", "weights") % (1 << 32)).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps, pct_start=0.1)
    order = np.random.default_rng(stream(seed, "qsar", "graph", "order"))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(stream(seed, "qsar", "graph", "dropout") % (1 << 32))
        for _epoch in range(epochs):
            shuffled = order.permutation(len(graphs))
            for start in range(0, len(graphs), _BATCH):
                rows = shuffled[start : start + _BATCH]
                error = network(*_collate([graphs[i] for i in rows], torch.float32)) - target[rows]
                # below its bound a "<" costs nothing, above its bound a ">" costs nothing
                fine = ((sign[rows] < 0) & (error < 0)) | ((sign[rows] > 0) & (error > 0))
                loss = (error.square() * ~fine).mean()
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(network.parameters(), 1.0)
                optimizer.step()
                schedule.step()
    return GraphNetwork(network, center, scale)
