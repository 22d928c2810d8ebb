"""ADMET-AI's ten networks, read as arrays from its installed package, and their predictions.

Two ensembles of five directed message-passing networks (Yang et al., J. Chem. Inf. Model. 59 (2019) 3370): one for the
31 classifiers, one for the 10 regressions. Only data of the package is used; none of its code, nor chemprop's, is run.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch

from molgen.chem.molecule import Molecule
from molgen.core.errors import DataError, ScorerError
from molgen.core.inert_pickle import Call, Name
from molgen.core.inert_torch import read_checkpoint
from molgen.scoring.admet.endpoints import ENDPOINTS
from molgen.scoring.admet.features import Graph, graph_of

INSTALL = (
    "pip install 'molgen-toolkit[admet]' (or the models alone: pip install --no-deps 'admet-ai>=2.0.1,<3')"
)
_KEPT = 50_000  # molecules whose predictions stay in memory, so that all components share one pass
_PARTS = ("admet_classification", "admet_regression")
#: What the networks must be for :meth:`Models.predict` to be right; anything else is refused.
_KNOWN: Mapping[str, Any] = {"depth": 3, "undirected": False, "bias": False, "d_v": 72, "d_e": 14, "d_vd": 0}


def package_folder() -> Path:
    """Where admet-ai is installed, found without importing it; raises ScorerError with the line that installs it."""
    spec = find_spec("admet_ai")
    if spec is None or not spec.submodule_search_locations:
        raise ScorerError(f"needs the models of ADMET-AI, which are not installed here: {INSTALL}")
    return Path(next(iter(spec.submodule_search_locations)))


@cache
def shared(folder: Path) -> Models:
    """The models of one installation, read once per process: all components share them and their predictions."""
    return Models(folder)


class Models:
    """All ten networks as stacked weights, and what they said.

    ``names``: the 41 end points in the order of the predictions. ``fingerprint``: sha256 of the checkpoints.
    Raises ScorerError where the package's models are missing, damaged, or built in a way that is not known here.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        digest = hashlib.sha256()
        loaded: list[dict[str, Any]] = []
        self.names: list[str] = []
        self._heads: list[int] = []  # networks of each ensemble
        for part in _PARTS:
            paths = sorted((folder / "resources" / "models" / part).glob("*.pt"))
            if not paths:
                raise ScorerError(f"{folder}: no models of {part}; install ADMET-AI again: {INSTALL}")
            for path in paths:
                digest.update(hashlib.sha256(path.read_bytes()).digest())
                loaded.append(_load(path, classifier=part == _PARTS[0]))
            self.names += loaded[-1]["names"]
            self._heads.append(len(paths))
        unknown = set(self.names) ^ set(ENDPOINTS)
        if unknown:
            raise ScorerError(f"{folder}: other end points than molgen knows: {', '.join(sorted(unknown))}")
        self.fingerprint = digest.hexdigest()
        self._weights = {key: _stack(loaded, key) for key in ("W_i", "W_h", "W_o", "b_o", "W_1", "b_1")}
        self._last = [(net["W_2"], net["b_2"], net["mean"], net["scale"]) for net in loaded]
        self._said: OrderedDict[str, np.ndarray] = OrderedDict()

    def predict(self, mols: Sequence[Molecule]) -> np.ndarray:
        """Mean and standard deviation of each ensemble, float32 ``[n, 2, 41]``.

        One molecule at a time: in a batch the last bits of a float32 product depend on its other members. The time is
        the same, because the ten networks run side by side.
        """
        found = np.empty((len(mols), 2, len(self.names)), dtype=np.float32)
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # more only spin on matrices of this size
        try:
            for row, mol in zip(found, mols, strict=True):
                known = self._said.get(mol.smiles)
                if known is None:
                    known = self._run(graph_of(mol.mol))
                    if len(self._said) >= _KEPT:
                        self._said.popitem(last=False)
                    self._said[mol.smiles] = known
                row[:] = known
        finally:
            torch.set_num_threads(threads)
        return found

    def _run(self, graph: Graph) -> np.ndarray:
        """Mean and spread for one molecule, float32 ``[2, 41]``; every tensor has the networks as its first side."""
        w = self._weights
        n, nets = len(graph.atoms), len(w["W_i"])
        with torch.inference_mode():
            atoms = torch.from_numpy(graph.atoms).expand(nets, n, -1)
            bonds = torch.from_numpy(graph.bonds).expand(nets, len(graph.bonds), -1)
            start, end = torch.from_numpy(graph.start), torch.from_numpy(graph.end)
            back = torch.arange(len(start)) ^ 1  # a directed bond and its reverse are neighbors
            first = torch.bmm(torch.cat([atoms[:, start], bonds], dim=2), w["W_i"])
            hidden = first.relu()
            size = hidden.shape[2]
            for _ in range(1, int(_KNOWN["depth"])):
                into = torch.zeros(nets, n, size).index_add_(1, end, hidden)
                message = into[:, start] - hidden[:, back]
                hidden = (first + torch.bmm(message, w["W_h"])).relu()
            into = torch.zeros(nets, n, size).index_add_(1, end, hidden)
            per_atom = torch.baddbmm(w["b_o"], torch.cat([atoms, into], dim=2), w["W_o"]).relu()
            molecule = per_atom.sum(dim=1, keepdim=True) / 100.0
            inner = torch.baddbmm(w["b_1"], molecule, w["W_1"]).relu()[:, 0]
            outputs = []
            for net, (weight, bias, mean, scale) in enumerate(self._last):
                raw = inner[net] @ weight + bias
                outputs.append(raw.sigmoid() if scale is None else raw * scale + mean)
        first_heads = self._heads[0]
        parts = [torch.stack(outputs[:first_heads]).numpy(), torch.stack(outputs[first_heads:]).numpy()]
        return np.stack(
            [np.concatenate([p.mean(axis=0) for p in parts]), np.concatenate([p.std(axis=0) for p in parts])]
        )


def _load(path: Path, *, classifier: bool) -> dict[str, Any]:
    """One checkpoint as tensors under short names, transposed for products from the right."""
    try:
        data = read_checkpoint(path)
        settings, state = data["hyper_parameters"], data["state_dict"]
        _check(path, settings, classifier)
        t = {
            key: torch.from_numpy(array.copy())
            for key, array in state.items()
            if isinstance(array, np.ndarray)
        }
        scaled = not classifier
        return {
            "names": [str(name) for name in data["output_columns"]],
            "W_i": t["message_passing.W_i.weight"].T,
            "W_h": t["message_passing.W_h.weight"].T,
            "W_o": t["message_passing.W_o.weight"].T,
            "b_o": t["message_passing.W_o.bias"][None],
            "W_1": t["predictor.ffn.0.0.weight"].T,
            "b_1": t["predictor.ffn.0.0.bias"][None],
            "W_2": t["predictor.ffn.1.2.weight"].T.contiguous(),
            "b_2": t["predictor.ffn.1.2.bias"],
            "mean": t["predictor.output_transform.mean"][0] if scaled else None,
            "scale": t["predictor.output_transform.scale"][0] if scaled else None,
        }
    except (DataError, KeyError, TypeError, AttributeError) as error:
        raise ScorerError(
            f"{path}: not a model of ADMET-AI as molgen knows it ({error}); {INSTALL}"
        ) from error


def _check(path: Path, settings: Mapping[str, Any], classifier: bool) -> None:
    passing, predictor = settings["message_passing"], settings["predictor"]
    wrong = [f"{key} is {passing[key]}" for key, value in _KNOWN.items() if passing[key] != value]
    head = "BinaryClassificationFFN" if classifier else "RegressionFFN"
    for of, expected in (
        (passing, "BondMessagePassing"),
        (settings["agg"], "NormAggregation"),
        (predictor, head),
    ):
        if not (isinstance(of["cls"], Name) and of["cls"].name == expected):
            wrong.append(f"{of['cls']} instead of {expected}")
    for of in (passing, predictor):
        activation = of["activation"]
        if not (
            isinstance(activation, Call)
            and isinstance(activation.callee, Name)
            and activation.callee.name == "ReLU"
        ):
            wrong.append("another activation than ReLU")
    if settings["batch_norm"] or predictor["n_layers"] != 1 or settings["agg"]["norm"] != 100:
        wrong.append("other layers")
    if wrong:
        raise ScorerError(
            f"{path}: this version of ADMET-AI has networks that molgen does not know ({'; '.join(wrong)}); {INSTALL}"
        )


def _stack(loaded: list[dict[str, Any]], key: str) -> torch.Tensor:
    return torch.stack([net[key] for net in loaded]).contiguous()
