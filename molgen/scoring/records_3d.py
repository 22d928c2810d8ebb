"""Records of the scorers that stand on larger models: ADMET end points, and molecules in space."""

from __future__ import annotations

from molgen.scoring.admet.params import AdmetParams
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
        "shape",
        "likeness in space to a reference ligand after overlay: volume and pharmacophore Tanimoto, 0..1",
        "",
        0.2,
        "molgen.scoring.shape.scorer:build",
        params=ShapeParams,
        example={"references": {"erlotinib": "COCCOc1cc2ncnc(Nc3cccc(C#C)c3)c2cc1OCCOC"}, "conformers": 5},
    ),
]
