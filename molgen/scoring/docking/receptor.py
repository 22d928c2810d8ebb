"""The receptor and its box: from the user's PDBQT file, or one of the prepared targets of dockstring."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from rdkit import Chem, rdBase

from molgen.core.errors import ConfigError, Problem
from molgen.core.suggest import did_you_mean
from molgen.scoring.docking.params import DockingParams

#: Room between a ligand and the sides of the box that encloses it, angstrom.
_ROOM = 8.0
_FEWEST = 20  # atoms of the receptor that a box around a binding site holds at least
_INSTALL = "pip install --no-deps 'dockstring>=0.3.4' (its targets are data; Open Babel is not needed)"


@dataclass(frozen=True)
class Receptor:
    """``path``: rigid PDBQT file; ``center`` and ``size`` of the box in angstrom; ``sha256`` of the file."""

    name: str
    path: Path
    center: tuple[float, float, float]
    size: tuple[float, float, float]
    sha256: str


def find_receptor(params: DockingParams, base_dir: Path) -> Receptor:
    """Read and check what the parameters name; raises ConfigError with keys relative to them."""
    from molgen.run.files import sha256_file

    center, size = params.center, params.size
    if params.target is not None:
        path, its_center, its_size = _dockstring(params.target)
        name = params.target
        center, size = center or its_center, size or its_size
    else:
        assert params.receptor is not None
        path = (base_dir / Path(params.receptor).expanduser()).resolve()
        name = path.stem
    if params.around is not None:
        around, enclosing = _around((base_dir / Path(params.around).expanduser()).resolve())
        center, size = around, params.size or enclosing
    assert center is not None
    assert size is not None
    key = "receptor" if params.target is None else "target"
    atoms = _atoms(path, key)
    inside = (np.abs(atoms - np.array(center)) <= np.array(size) / 2).all(axis=1).sum()
    if inside < _FEWEST:
        low, high = atoms.min(axis=0).round(), atoms.max(axis=0).round()
        raise ConfigError(
            [
                Problem(
                    "around" if params.around else "center",
                    f"the box holds {inside} atoms of {path.name}, which reaches from {low.tolist()} to "
                    f"{high.tolist()}: give the center of its binding site, in the coordinates of this file",
                )
            ],
            "docking",
        )
    return Receptor(name, path, _three(center), _three(size), sha256_file(path))


def _atoms(path: Path, key: str) -> np.ndarray:
    """Coordinates float64 ``[n, 3]``; raises ConfigError where the file is no rigid receptor."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise ConfigError([Problem(key, f"{path} cannot be read: {error}")], "docking") from error
    if any(line.startswith(("ROOT", "TORSDOF", "BEGIN_RES")) for line in lines):
        raise ConfigError(
            [Problem(key, f"{path} is a ligand or has flexible parts; a rigid receptor is needed")], "docking"
        )
    rows = [line for line in lines if line.startswith(("ATOM", "HETATM"))]
    try:
        atoms = np.array([[float(line[a : a + 8]) for a in (30, 38, 46)] for line in rows], dtype=np.float64)
        # A PDB file has its element where PDBQT has the type, but never a partial charge before it.
        typed = bool(rows) and all(math.isfinite(float(line[68:76])) and line[77:79].strip() for line in rows)
    except ValueError:
        typed = False
    if not typed:
        raise ConfigError(
            [
                Problem(
                    key,
                    f"{path} is not PDBQT (atoms with coordinates and, from column 78 on, AutoDock types); prepare the "
                    "protein with `mk_prepare_receptor.py` of meeko, which adds hydrogens and types",
                )
            ],
            "docking",
        )
    return atoms


def _around(path: Path) -> tuple[list[float], list[float]]:
    with rdBase.BlockLogs():
        mol = None
        if path.is_file():
            blocks = path.read_text(encoding="utf-8", errors="replace").split("$$$$")
            mol = Chem.MolFromMolBlock(blocks[0], sanitize=False)
    if mol is None or not mol.GetNumAtoms() or not mol.GetConformer().Is3D():
        raise ConfigError(
            [Problem("around", f"{path} is not a molecule in its pose (SDF or MOL with 3D coordinates)")],
            "docking",
        )
    places = mol.GetConformer().GetPositions()
    low, high = places.min(axis=0), places.max(axis=0)
    return ((low + high) / 2).round(3).tolist(), (high - low + 2 * _ROOM).round(3).tolist()


def _dockstring(target: str) -> tuple[Path, list[float], list[float]]:
    """File and box of a prepared target; the package is only looked at, none of its code is run."""
    spec = find_spec("dockstring")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(
            [Problem("target", f"the prepared targets are not installed here: {_INSTALL}")], "docking"
        )
    folder = Path(next(iter(spec.submodule_search_locations))) / "resources" / "targets"
    path, box = folder / f"{target}_target.pdbqt", folder / f"{target}_conf.txt"
    known = sorted(p.name.removesuffix("_target.pdbqt") for p in folder.glob("*_target.pdbqt"))
    if target not in known or not box.is_file():
        raise ConfigError(
            [
                Problem(
                    "target",
                    f"no such target: {target!r}{did_you_mean(target, known)}; there are {', '.join(known)}",
                )
            ],
            "docking",
        )
    values = dict(re.findall(r"^(\w+)\s*=\s*([-\d.]+)", box.read_text(encoding="utf-8"), re.M))
    center, size = ([float(values[f"{what}_{axis}"]) for axis in "xyz"] for what in ("center", "size"))
    return path, center, size


def _three(values: Iterable[float]) -> tuple[float, float, float]:
    x, y, z = values
    return (float(x), float(y), float(z))
