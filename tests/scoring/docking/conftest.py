"""A receptor that is a shell of atoms, and an engine that needs no Vina and misbehaves on request."""

from __future__ import annotations

import importlib.machinery
from pathlib import Path

import numpy as np
import pytest

from molgen.scoring.docking.params import DockingParams
from molgen.scoring.docking.receptor import find_receptor
from molgen.scoring.docking.scorer import Docking

ENGINE = """
import os, threading
from pathlib import Path
from rdkit import Chem
from rdkit.Chem import rdDepictor
from molgen.core.errors import MoleculeError

class Engine:
    def __init__(self, setup):
        if setup["exhaustiveness"] == 99:
            raise RuntimeError("PDBQT parsing error")
        self.log = Path(setup["receptor"]).with_name("calls.txt")

    def dock(self, smiles):
        with self.log.open("a") as file:
            file.write(smiles + "\\n")
        if smiles == "CCCl":
            threading.Event().wait()  # never answers
        if smiles == "CCBr":
            os._exit(3)
        if smiles == "OB(O)c1ccccc1":
            raise ValueError("no type\\n  for B")
        if smiles == "CC/C=C/C":
            raise MoleculeError("no_pose", "Vina found no pose inside the box")
        mol = Chem.MolFromSmiles(smiles)
        rdDepictor.Compute2DCoords(mol)
        return -0.25 * mol.GetNumAtoms(), Chem.MolToMolBlock(mol)
"""


def receptor_text(n: int = 150, radius: float = 6.0) -> str:
    """Atoms of carbon and oxygen on a sphere around the origin, as rigid PDBQT."""
    k = np.arange(n) + 0.5
    height, angle = 1 - 2 * k / n, np.pi * (1 + 5**0.5) * k
    ring = np.sqrt(1 - height**2)
    places = radius * np.stack([np.cos(angle) * ring, np.sin(angle) * ring, height], axis=1)
    lines = []
    for number, (x, y, z) in enumerate(places, 1):
        element, kind = ("O", "OA") if number % 5 == 0 else ("C", "C ")
        lines.append(
            f"ATOM  {number:5d}  {element}   ALA A{number:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00     0.000 {kind}"
        )
    return "\n".join(lines) + "\nTER\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the receptor and the engine, which worker processes find on their path."""
    (tmp_path / "shell.pdbqt").write_text(receptor_text())
    (tmp_path / "toy_engine.py").write_text(ENGINE)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.fixture
def make(here: Path):
    """Build a docking scorer on the toy engine; all are closed at the end."""
    made = []

    def build(**more) -> Docking:
        given = {"receptor": "shell.pdbqt", "center": [0, 0, 0], "size": [14, 14, 14], **more}
        params = DockingParams.model_validate(given)
        made.append(Docking("docking", params, find_receptor(params, here), here, engine="toy_engine"))
        return made[-1]

    yield build
    for scorer in made:
        scorer.close()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Vina, Meeko and Gemmi look as if they were there."""
    spec = importlib.machinery.ModuleSpec("there", None)
    monkeypatch.setattr("molgen.scoring.docking.scorer.find_spec", lambda name: spec)
