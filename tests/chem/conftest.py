"""A few hundred public molecules (ZINC250k, a ChEMBL-like sample, and awkward ones written by hand)."""

from pathlib import Path

import pytest
from rdkit import Chem


@pytest.fixture(scope="session")
def texts() -> list[str]:
    return (Path(__file__).parent / "molecules.smi").read_text().split()


@pytest.fixture
def mols(texts: list[str]) -> list[Chem.Mol]:
    """Freshly parsed for each test: RDKit keeps computed values on the molecule."""
    return [Chem.MolFromSmiles(text) for text in texts]
