"""Records of the scorers that stand on larger models: ADMET end points, and molecules in space."""

from __future__ import annotations

from molgen.scoring.admet.params import AdmetParams
from molgen.scoring.docking.params import DockingParams
from molgen.scoring.record import ScorerRecord
from molgen.scoring.shape.params import ShapeParams

#: What the registry lists.
RECORDS_3D = [
    ScorerRecord(
        "admet",
        "one of 41 ADMET end points by ADMET-AI's models (docs/admet.md); each has its own unit and default curve",
        "",
        1e-2,
        "molgen.scoring.admet.scorer:build",
        params=AdmetParams,
        example={"endpoint": "hERG"},
    ),
    ScorerRecord(
        "docking",
        "affinity of the best pose in your receptor, or in a prepared target, by AutoDock Vina (docs/docking.md)",
        "kcal/mol",
        30.0,
        "molgen.scoring.docking.scorer:build",
        transform={"type": "reverse_sigmoid", "low": -10, "high": -6},
        params=DockingParams,
        example={"receptor": "egfr.pdbqt", "center": [22.0, 0.3, 52.8], "size": [22, 22, 22]},
    ),
    ScorerRecord(
        "shape",
        "likeness in space to a reference ligand after overlay: volume and pharmacophore Tanimoto, 0..1",
        "",
        0.2,
        "molgen.scoring.shape.scorer:build",
        params=ShapeParams,
        example={"references": {"erlotinib": "COCCOc1cc2ncnc(Nc3cccc(C#C)c3)c2cc1OCCOC"}, "conformers": 5},
    ),
]
