"""A graph GAN becomes a shipped prior by the same script: its card tells raw draws from corrected ones."""

from __future__ import annotations

import gzip
import hashlib
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from molgen.data.catalog import get_entry
from molgen.learn import store
from molgen.models.graph_gan import GraphGanParams
from molgen.models.graph_gan.model import GraphGan
from molgen.models.registry import save

SMILES = ["CCO", "CCN", "c1ccccc1", "CC(=O)O", "NCCN", "C#CC1CC1"]


def test_the_card_tells_raw_draws_from_corrected_ones(
    script: Callable[[str], ModuleType], tmp_path: Path
) -> None:
    params = GraphGanParams(width=24, blocks=1, noise=8, critic_width=8, critic_layers=1)
    model = GraphGan.build(params, SMILES, seed=2)
    model.finish(model.training_set(SMILES))
    source = store.load(save(model, tmp_path / "model", {"name": "tiny"}))
    found = script("train_prior/finish.py")._one_shot(Namespace(n=50, seed=1), source)
    assert found["corrected valid"] == 1
    assert found["raw valid"] == pytest.approx(1 - found["changed by correction"])
    assert 0 < found["corrected unique of valid"] <= 1


def test_one_in_thirteen_of_qm9_is_held_out(
    script: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"{'C' * i}{'N' * j}O" for i in range(1, 15) for j in range(15)]
    (tmp_path / "qm9.csv").write_text("smiles\n" + "\n".join(rows) + "\n")
    monkeypatch.setattr("molgen.data.fetch.fetch", lambda name, **_: tmp_path / f"{name}.csv")
    prepare = script("train_prior/prepare.py")
    report = prepare.run("qm9", tmp_path / "out")
    held_out = (tmp_path / "out" / "qm9_heldout.smi").read_text().split()
    assert held_out
    assert all(prepare.is_held_out(smiles, 13) for smiles in held_out)
    assert report["files"]["training"]["molecules"] + len(held_out) == len(rows)


def test_qm9_of_the_catalog_names_its_column_and_where_it_comes_from(test_data: Path) -> None:
    entry = get_entry("qm9")
    assert entry.url.startswith("https://deepchemdata.")
    assert "figshare" in entry.official
    assert len(entry.sha256) == 64
    content = gzip.decompress((test_data / "qm9.csv.gz").read_bytes())
    assert content.split(maxsplit=1)[0].decode() in entry.columns
    assert hashlib.sha256(content).hexdigest() in entry.also, "the list that the shipped model was trained on"
