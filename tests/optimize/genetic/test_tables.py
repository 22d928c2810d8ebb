"""The shipped table says where it comes from, and can be drawn from."""

import gzip
import json
from importlib.resources import files

import numpy as np
import pytest
from rdkit import Chem

from molgen.data.catalog import get_entry
from molgen.optimize.genetic.pieces import piece
from molgen.optimize.genetic.tables import heavy_atoms, tables


def test_the_table_is_of_zinc250k_and_nothing_else():
    source = tables().source
    assert source["name"] == "zinc250k"
    assert source["sha256"] == get_entry("zinc250k").sha256
    packed = files("molgen.optimize.genetic").joinpath("tables/zinc250k.json.gz").read_bytes()
    assert len(packed) < 400_000
    assert set(json.loads(gzip.decompress(packed))) == {
        "format", "source", "pieces", "elements", "ring_sizes", "environments",
    }  # fmt: skip


def test_common_chemistry_is_known_and_odd_chemistry_is_not():
    known = tables()
    assert known.strange(Chem.MolFromSmiles("Cc1ccc(C(=O)NC2CCCCC2)cc1")) == 0
    assert known.strange(Chem.MolFromSmiles("CC(=O)Nc1ccc(S(N)(=O)=O)cc1")) == 0
    assert known.strange(Chem.MolFromSmiles("COOOC")) > 0
    assert known.strange(Chem.MolFromSmiles("CN(F)N(Cl)C")) > 0


@pytest.mark.parametrize("wildcards", [1, 2, 3])
def test_pieces_are_drawn_by_size_and_parse(wildcards):
    rng = np.random.default_rng(0)
    for size in (1, 5, 9):
        text = tables().draw_piece(wildcards, size, rng)
        part = piece(text)
        assert len(part.ends) == wildcards
        assert part.size == heavy_atoms(text)
        assert abs(part.size - size) <= 3


def test_no_piece_has_four_wildcards():
    assert tables().draw_piece(4, 6, np.random.default_rng(0)) is None


@pytest.mark.parametrize(
    ("smiles", "heavy"), [("*C(C)[nH]Cl", 4), ("*[N+](=O)[O-]", 3), ("BrC*", 2), ("[H]*", 0), ("*c1ccsc1", 5)]
)
def test_heavy_atoms_are_counted_in_the_string(smiles, heavy):
    assert heavy_atoms(smiles) == heavy
