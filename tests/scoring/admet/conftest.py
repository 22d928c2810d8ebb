"""A package that looks like admet-ai to us: small networks of the same build, three drugs, code that must not run."""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from molgen.scoring.admet.endpoints import ENDPOINTS
from molgen.scoring.admet.models import shared

HIDDEN = 8
#: ADMET-AI's regressions; the other 31 are classifiers.
REGRESSIONS = sorted(name for name, e in ENDPOINTS.items() if not e.meaning.startswith("probability"))
CLASSIFIERS = sorted(set(ENDPOINTS) - set(REGRESSIONS))


def checkpoint(path: Path, names: list[str], *, seed: int, head: str, **changes) -> None:
    """Write one network as chemprop does: settings with classes of its own, weights, names."""
    draw = torch.Generator().manual_seed(seed)

    def tensor(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=draw) * 0.3

    module = sys.modules["fake_chemprop"]
    relu = torch.nn.ReLU()
    passing = {"d_v": 72, "d_e": 14, "d_h": HIDDEN, "bias": False, "depth": 3, "undirected": False, "d_vd": 0}
    state = {
        "message_passing.W_i.weight": tensor(HIDDEN, 86),
        "message_passing.W_h.weight": tensor(HIDDEN, HIDDEN),
        "message_passing.W_o.weight": tensor(HIDDEN, 72 + HIDDEN),
        "message_passing.W_o.bias": tensor(HIDDEN),
        "predictor.ffn.0.0.weight": tensor(HIDDEN, HIDDEN),
        "predictor.ffn.0.0.bias": tensor(HIDDEN),
        "predictor.ffn.1.2.weight": tensor(len(names), HIDDEN),
        "predictor.ffn.1.2.bias": tensor(len(names)),
    }
    if head == "RegressionFFN":
        state["predictor.output_transform.mean"] = tensor(1, len(names))
        state["predictor.output_transform.scale"] = tensor(1, len(names)).abs() + 0.5
    settings = {
        "batch_norm": False,
        "message_passing": {**passing, "activation": relu, "cls": module.BondMessagePassing, **changes},
        "agg": {"norm": 100, "cls": module.NormAggregation},
        "predictor": {"n_layers": 1, "activation": relu, "cls": getattr(module, head)},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"hyper_parameters": settings, "state_dict": state, "output_columns": names}, path)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folder of the fake package, first on the path; importing it fails the test."""
    module = types.ModuleType("fake_chemprop")
    for name in ("BondMessagePassing", "NormAggregation", "BinaryClassificationFFN", "RegressionFFN"):
        setattr(module, name, type(name, (), {"__module__": "fake_chemprop"}))
    monkeypatch.setitem(sys.modules, "fake_chemprop", module)
    folder = tmp_path / "site" / "admet_ai"
    models = folder / "resources" / "models"
    for k in range(2):
        checkpoint(
            models / "admet_classification" / f"model_{k}.pt",
            CLASSIFIERS,
            seed=k,
            head="BinaryClassificationFFN",
        )
        checkpoint(
            models / "admet_regression" / f"model_{k}.pt", REGRESSIONS, seed=10 + k, head="RegressionFFN"
        )
    (folder / "__init__.py").write_text("raise RuntimeError('the code of admet-ai must not be run')\n")
    data = folder / "resources" / "data"
    data.mkdir()
    rows = [["smiles", *ENDPOINTS], *(["C", *[str(value)] * len(ENDPOINTS)] for value in (0.2, 0.4, 0.6))]
    (data / "drugbank_approved.csv").write_text("\n".join(",".join(row) for row in rows) + "\n")
    monkeypatch.syspath_prepend(folder.parent)
    shared.cache_clear()
    yield folder
    shared.cache_clear()


@pytest.fixture
def write_checkpoint():
    """:func:`checkpoint`, for tests that need another network."""
    return checkpoint
