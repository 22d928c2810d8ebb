"""Records of the scorers that look at a molecule in space."""

from __future__ import annotations

from molgen.scoring.record import ScorerRecord
from molgen.scoring.shape.params import ShapeParams

#: What the registry lists.
RECORDS_3D = [
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
