import pytest

from molgen.models.autoregressive import RecurrentParams
from molgen.models.autoregressive.model import SmilesLanguageModel

SMILES = [
    "CCO", "CCN", "CCC", "c1ccccc1", "Cc1ccccc1", "CC(=O)O", "CC(=O)Nc1ccccc1", "OCC", "NCC(=O)O", "C1CCCCC1",
    "CC(C)O", "c1ccncc1", "Clc1ccccc1", "BrCCO", "C[C@@H](N)C(=O)O", "CC(=O)NCC", "COc1ccccc1", "O=C(O)c1ccccc1",
]  # fmt: skip


@pytest.fixture(scope="session", params=["gru", "lstm"])
def tiny(request):
    """An untrained model of each cell, small enough to step in microseconds."""
    params = RecurrentParams(cell=request.param, hidden=24, layers=2, embedding=12, pieces=6, max_tokens=30)
    return SmilesLanguageModel.build(params, SMILES, seed=5).eval()
