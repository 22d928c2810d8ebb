"""Where a prediction lies among those for approved drugs (the DrugBank table that ADMET-AI brings)."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np

from molgen.core.errors import ScorerError
from molgen.scoring.admet.models import INSTALL


@cache
def reference(folder: Path, endpoint: str) -> np.ndarray:
    """Sorted predictions of one end point for the approved drugs, float64 ``[n]``; raises ScorerError without them."""
    path = folder / "resources" / "data" / "drugbank_approved.csv"
    try:
        with path.open(encoding="utf-8", newline="") as file:
            values = [float(row[endpoint]) for row in csv.DictReader(file) if row[endpoint]]
    except (OSError, KeyError, ValueError) as error:
        raise ScorerError(
            f"{path}: no predictions of {endpoint} for approved drugs ({error}); {INSTALL}"
        ) from error
    return np.sort(np.array(values, dtype=np.float64))


def percentile(reference: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Percent of the reference below each value, half of the ties counted; float64 ``[n]`` in 0..100."""
    below = np.searchsorted(reference, values, side="left")
    not_above = np.searchsorted(reference, values, side="right")
    # scipy.stats.percentileofscore(kind="rank"), which ADMET-AI uses: a tie counts as the mean of its ranks.
    return (below + not_above + (not_above > below)) * 50.0 / len(reference)
