"""Whether a pose is physically sound: PoseBusters, where it is installed.

Bond lengths and angles, flat rings, clashes in the molecule and with the receptor, strain. Buttenschoen et al.,
Chem. Sci. 15 (2024) 3130. About half a CPU second a pose, so only what is delivered is looked at.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rdkit import Chem, rdBase

SOUND = "sound"
NOT_CHECKED = "not checked: pip install posebusters"


class PoseCheck:
    """Looks at poses in one receptor; made when first asked, so that its imports cost nothing before."""

    def __init__(self, receptor: Path) -> None:
        self._receptor = receptor
        self._protein: Chem.Mol | None = None
        self._buster: Any = None

    def __call__(self, block: str) -> str:
        """``sound``, or what is wrong, in words; for a mol block in the receptor's coordinates."""
        if find_spec("posebusters") is None:
            return NOT_CHECKED
        if self._buster is None:
            from posebusters import PoseBusters

            self._protein = read_receptor(self._receptor)
            self._buster = PoseBusters(config="dock")
        pose = Chem.MolFromMolBlock(block)
        if pose is None:
            return "the pose cannot be read back"
        with rdBase.BlockLogs():
            verdict = self._buster.bust(pose, None, self._protein).iloc[0]
        failed = [str(name).replace("_", " ") for name, good in verdict.items() if not bool(good)]
        return "; ".join(failed) or SOUND


def read_receptor(path: Path) -> Chem.Mol:
    """The atoms of a PDBQT file where they are: its first 66 columns are those of PDB; no bonds are needed."""
    lines = [
        line[:66]
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        if line.startswith(("ATOM", "HETATM"))
    ]
    return Chem.MolFromPDBBlock("\n".join(lines), sanitize=False, proximityBonding=False)
