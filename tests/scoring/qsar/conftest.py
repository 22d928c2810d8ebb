"""A made-up assay table whose activity follows from the structure, and a model of it."""

import csv
import itertools

import numpy as np
import pytest

CORES = [
    "c1ccc({})cc1{}",
    "c1cnc({})cc1{}",
    "c1cc({})ccc1{}",
    "c1csc({})c1{}",
    "C1CCN({})CC1{}",
    "c1ccc2[nH]c({})cc2c1{}",
]
LEFT = ["C(=O)N", "CC(=O)O", "OCCN", "NC(=O)C", "S(=O)(=O)N"]
RIGHT = ["", "F", "Cl", "OC", "C(F)(F)F"]
WORTH = {"": 0.0, "F": 0.4, "Cl": 0.9, "OC": -0.5, "C(F)(F)F": 1.4}


def make_compounds(n):
    """SMILES and activities, of several scaffolds, with some noise."""
    rng = np.random.default_rng(5)
    found = []
    for (a, core), (b, left), right in itertools.product(enumerate(CORES), enumerate(LEFT), RIGHT):
        value = 5.5 + 0.3 * a + 0.5 * b - 0.2 * a * (b == 1) + WORTH[right] + 0.15 * rng.standard_normal()
        found.append((core.format(left, right), round(float(value), 3)))
    return [found[k] for k in rng.permutation(len(found))[:n]]


def write_table(path, rows, header=("id", "smiles", "pIC50")):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture(scope="session")
def compounds():
    """n -> that many (SMILES, activity)."""
    return make_compounds


@pytest.fixture(scope="session")
def table():
    """(path, rows, header) -> a CSV."""
    return write_table


@pytest.fixture(scope="session")
def assay(tmp_path_factory):
    """60 compounds with a pIC50."""
    rows = [(f"C{i}", smiles, value) for i, (smiles, value) in enumerate(make_compounds(60))]
    return write_table(tmp_path_factory.mktemp("assay") / "assay.csv", rows)


@pytest.fixture(scope="session")
def trained(assay, tmp_path_factory):
    """A model of them, by the quick way: one kind, so that nothing is nested."""
    from molgen.workflows.qsar import qsar_train

    return qsar_train(assay, "pIC50", tmp_path_factory.mktemp("model") / "model", models=["gp"], quiet=True)
