"""The scorer ``admet``: one end point of ADMET-AI, with its place among the approved drugs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from molgen.core.schema import TransformConfig
from molgen.scoring.admet import drugbank
from molgen.scoring.admet.endpoints import ENDPOINTS
from molgen.scoring.admet.models import package_folder, shared
from molgen.scoring.admet.params import AdmetParams
from molgen.scoring.protocol import Context, Scored
from molgen.scoring.registry import SCORERS

if TYPE_CHECKING:
    from molgen.chem.molecule import Molecule


class Admet:
    """Prediction of one end point; the networks run once per molecule for all components together.

    ``transform``: the default curve of this end point. ``concerns``: "toxicity" where the end point is one.
    """

    def __init__(self, name: str, params: AdmetParams, folder: Path) -> None:
        endpoint = ENDPOINTS[params.endpoint]
        self.name, self.params, self.folder = name, params, folder
        self.unit = endpoint.unit
        self.cost = SCORERS["admet"].cost
        self.summary = f"{endpoint.meaning} (ADMET-AI {endpoint.name})"
        self.transform = TransformConfig.model_validate(dict(endpoint.curve))
        self.concerns = "toxicity" if endpoint.kind == "toxicity" else ""
        self.evidence_words: Mapping[str, str] = {
            "percentile": f"percent of approved drugs with a lower prediction of {endpoint.name} (DrugBank)",
            "spread": f"standard deviation of the five networks, in the unit of {endpoint.name}",
        }
        self._models = shared(folder)
        self._column = self._models.names.index(endpoint.name)
        self._drugs = drugbank.reference(folder, endpoint.name)
        about = f"{endpoint.name} {self._models.fingerprint}"
        self.fingerprint = hashlib.sha256(about.encode()).hexdigest()

    def __call__(self, mols: Sequence[Molecule]) -> Scored:
        """Score a list; see :class:`molgen.scoring.protocol.Scored`."""
        values = self._models.predict(mols)[:, 0, self._column].astype(np.float64)
        errors = {
            i: "the networks gave no finite number" for i in np.flatnonzero(~np.isfinite(values)).tolist()
        }
        values[list(errors)] = np.nan
        return Scored(values, errors)

    def evidence(self, mols: Sequence[Molecule]) -> dict[str, list[float]]:
        """Columns ``percentile`` (0..100, among approved drugs) and ``spread`` (of the ensemble)."""
        found = self._models.predict(mols)[:, :, self._column].astype(np.float64)
        return {
            "percentile": drugbank.percentile(self._drugs, found[:, 0]).tolist(),
            "spread": found[:, 1].tolist(),
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return Admet, (self.name, self.params, self.folder)


def build(name: str, params: AdmetParams, context: Context) -> Admet:
    """Find the installed models and read them; raises ScorerError with the line that installs them."""
    return Admet(name, params, package_folder())
