"""A scorer that scores by a table, and objectives made of it."""

from __future__ import annotations

import numpy as np
import pytest

from molgen.core.schema import ObjectiveConfig
from molgen.scoring.objective import build_objective
from molgen.scoring.protocol import Scored


class Table:
    """Scores by a table, counts what it is asked, and can be told to be dear."""

    unit = "u"

    def __init__(self, values=None, cost=1e-5, fingerprint=None):
        self.name, self.values, self.cost, self.asked = "toy", values or {}, cost, []
        if fingerprint:
            self.fingerprint = fingerprint

    def __call__(self, mols):
        self.asked += [mol.smiles for mol in mols]
        values = np.array([self.values.get(mol.smiles, 0.5) for mol in mols], dtype=np.float64)
        return Scored(values, {int(i): "toy broke" for i in np.flatnonzero(np.isnan(values))})


@pytest.fixture
def toy():
    """``toy(values, cost, fingerprint)``: a scorer."""
    return Table


@pytest.fixture
def objective():
    """``objective(components, handed_in, aggregate, ...)``: an objective of components as a configuration has them."""

    def build(components, handed_in=None, aggregate="geometric_mean", **options):
        config = ObjectiveConfig.model_validate({"components": components, "aggregate": aggregate})
        return build_objective(config, handed_in=handed_in or {}, **options)

    return build
