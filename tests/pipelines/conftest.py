"""The scripts of pipelines/ as modules, and a model that is small enough to search with in a test."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

PIPELINES = Path(__file__).parents[2] / "pipelines"
SMILES = [
    "CCO", "CCN", "CCCO", "Cc1ccccc1", "CC(=O)O", "CC(=O)Nc1ccccc1", "NCC(=O)O", "C1CCCCC1", "CC(C)O", "c1ccncc1",
    "COc1ccccc1", "O=C(O)c1ccccc1", "CCOC(C)=O", "CCc1ccccc1", "Cc1ccncc1", "CNC(C)=O", "OCc1ccccc1", "CCCN",
    "C1CCNCC1", "C1COCCN1", "CC(N)=O", "NCc1ccccc1", "CC1CCCCC1", "CN1CCNCC1", "Oc1ccccc1", "CCNC(C)=O",
]  # fmt: skip


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """Load ``pipelines/NAME`` as Python does when it is run: its own folder comes first on the path."""

    def load(name: str) -> ModuleType:
        path = PIPELINES / name
        monkeypatch.syspath_prepend(str(path.parent))
        spec = importlib.util.spec_from_file_location(f"pipeline_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, spec.name, module)  # dataclasses look their module up
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder that has learned two dozen small molecules well enough to draw mostly valid ones."""
    import torch

    from molgen.models.autoregressive import RecurrentParams
    from molgen.models.autoregressive.model import SmilesLanguageModel
    from molgen.models.registry import save

    params = RecurrentParams(cell="gru", hidden=48, layers=1, embedding=16, pieces=0, max_tokens=30)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        model = SmilesLanguageModel.build(params, SMILES, seed=3)
        data = model.training_set(SMILES)
        (optimizer,) = model.optimizers(1e-2, 0.0).values()
        batch = data.batch(data.plan(len(SMILES), 0)[0])
        for _ in range(80):
            for _, loss, _ in model.training_step(batch):
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return save(model.eval(), tmp_path_factory.mktemp("model") / "tiny", {"name": "tiny"})
