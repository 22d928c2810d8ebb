"""The table of the genetic operators can be made again, and counts what it says."""

import gzip
import json
from pathlib import Path

import pytest

ROWS = [
    "smiles",
    "Cc1ccc(F)cc1",
    "Cc1ccc(F)cc1",
    "CCc1ccc(F)cc1",
    "CC[C@H](N)c1ccc(F)cc1",
    "CC[C@@H](N)c1ccc(F)cc1",
    "C1CC",
]


@pytest.fixture
def made(script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "zinc250k.smi").write_text("\n".join(ROWS) + "\n")
    make = script("genetic_tables/make.py")
    monkeypatch.setattr(make, "fetch", lambda name, **_: tmp_path / f"{name}.smi")
    monkeypatch.setattr(make, "FEWEST_PIECE", 2)
    monkeypatch.setattr(make, "FEWEST_ENVIRONMENT", 1)

    def run(name: str, *arguments: str) -> dict:
        assert make.main(["-o", str(tmp_path / name), *arguments]) == 0
        return json.loads(gzip.decompress((tmp_path / name).read_bytes()))

    return run


def test_each_molecule_counts_once_whatever_its_stereo(made):
    table = made("all.json.gz")
    assert table["source"]["molecules"] == 3
    assert table["ring_sizes"] == {"6": 3}
    assert table["elements"]["9"] == 3
    assert table["pieces"]["1"]["*c1ccc(F)cc1"] == 3
    assert "*C" not in table["pieces"]["1"]  # in one molecule alone


def test_every_third_row(made):
    table = made("third.json.gz", "--one-in", "3")
    assert table["source"]["one_in"] == 3
    assert table["source"]["molecules"] == 2


def test_the_same_rows_give_the_same_bytes(made, tmp_path: Path):
    made("a.json.gz"), made("b.json.gz")
    assert (tmp_path / "a.json.gz").read_bytes() == (tmp_path / "b.json.gz").read_bytes()
