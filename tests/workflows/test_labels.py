"""Measured columns of the user's file as tasks of the property head: taught, stored, steered by, bad cells named."""

import math
import random

import numpy as np
import pytest
import torch

import molgen as mg
from molgen import cli
from molgen.core.errors import ConfigError, DataError
from molgen.learn import store
from molgen.models.graph_vae.properties import FEWEST, measured_scales
from molgen.models.graph_vae.property_head import property_head, property_loss, widen
from molgen.workflows.train_data import number

ROWS = [f"{'C' * a}{m}{'C' * b}" for a in range(1, 8) for b in range(1, 7) for m in ("O", "N", "c1ccccc1")]
QUICK = [
    "tracking.mlflow=false", "trainer.epochs=35", "trainer.learning_rate=0.01", "trainer.batch_size=16",
    "trainer.precision=fp32", "trainer.sample_size=0", "holdout=0.2", "trainer.validate_every=200",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A tiny model, and a file of compounds of which some were measured: two columns with gaps."""
    path = tmp_path_factory.mktemp("labels")
    settings = {
        "kind": "train",
        "data": [{"path": str(path / "base.smi")}],
        "holdout": 0.1,
        "model": {
            "family": "graph_vae",
            "params": {
                "latent": 8, "width": 16, "heads": 2, "layers": 1, "encoder_layers": 2, "site_width": 8,
                "prior": "normal", "property_molecules": 50, "property_weight": 1.0, "kl_weight": 0.01,
            },
        },
        "trainer": {"epochs": 1, "batch_size": 16, "precision": "fp32", "sample_size": 0},
        "tracking": {"mlflow": False},
    }  # fmt: skip
    (path / "base.smi").write_text("\n".join(ROWS) + "\n")
    mg.train(settings, path / "base", quiet=True)
    rng = random.Random(1)
    lines = ["id,smiles,pIC50,log D"]
    for i, text in enumerate(ROWS):
        first = f"{5 + 0.1 * text.count('C'):.2f}" if rng.random() < 0.8 else rng.choice(["", "NA", "n/a"])
        second = f"{0.4 * len(text) - 2:.2f}" if rng.random() < 0.5 else ""
        lines.append(f"m{i},{text},{first},{second}")
    (path / "mine.csv").write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture(scope="module")
def tuned(folder):
    columns = ["pIC50", "log D"]
    return mg.finetune(
        folder / "base", folder / "mine.csv", folder / "tuned", labels=columns, overrides=QUICK, quiet=True
    )


def test_a_fine_tuned_model_reads_what_was_measured(folder, tuned):
    model = mg.load(tuned.model).generator
    assert list(model.properties) == ["logp", "qed", "sa", "tpsa", "mw", "pIC50", "log D"]
    assert model.measured == ("pIC50", "log D")
    assert model.properties["pIC50"][0] == pytest.approx(5.7, abs=0.4)
    labels = store.read_card(tuned.model)["data"]["labels"]
    assert 50 < labels["pIC50"]["training"] + labels["pIC50"]["validation"] < 126
    assert labels["pIC50"]["values"] == labels["pIC50"]["validation"] > 5
    assert labels["pIC50"]["r2"] > 0.5
    assert labels["log D"]["r2"] > 0.3
    assert tuned.metrics["pIC50_error"] == labels["pIC50"]["error"] < 0.3
    with torch.no_grad():
        found = model.predict(model.encode(["CCNCC", "CCCCCCOCCCCCC"]))[:, -1]
    assert float(found[0]) < float(found[1])
    assert "label 'pIC50': " in (folder / "tuned" / "log.txt").read_text()


def test_claims_that_nothing_can_check_are_called_so(tuned):
    model = mg.load(tuned.model)
    found = model.steer("pIC50", n=6, steps=5)
    assert not found.judged
    assert np.isnan(found.real).all()
    assert not {"real", "gap"} & set(found.to_frame().columns)
    assert found.reread.tolist() == sorted(found.reread, reverse=True)
    assert "none is checked" in found.caption()
    assert "held-out molecules it was off by" in found.caption()
    checked = model.steer("pIC50", n=6, steps=5, scorer=lambda mol: 5 + 0.1 * mol.GetNumHeavyAtoms())
    assert checked.judged
    assert "the scorer finds" in checked.caption()


def test_fine_tuning_again_keeps_what_the_head_knows(folder, tuned):
    again = mg.finetune(
        tuned.model, folder / "mine.csv", folder / "again", labels=["log D"], quiet=True,
        overrides=[*QUICK, "trainer.epochs=0.1"],
    )  # fmt: skip
    first, second = (mg.load(path).generator for path in (tuned.model, again.model))
    assert second.properties == first.properties
    assert second.measured == first.measured


@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [
        (["pIC5O"], ConfigError, r"has no column 'pIC5O' for labels; did you mean 'pIC50'\?"),
        (["id"], DataError, r"line 2, column 'id': 'm0'; .* and 123 more: not a number"),
    ],
)
def test_a_column_that_cannot_be_taught_is_named(folder, tmp_path, labels, error, words):
    with pytest.raises(error, match=words):
        mg.finetune(
            folder / "base",
            folder / "mine.csv",
            tmp_path / "run",
            labels=labels,
            overrides=[*QUICK, "data[0].id_column=log D"],
            quiet=True,
        )


def test_the_command_teaches_a_column_and_names_a_bad_cell(folder, tmp_path, capsys):
    bad = tmp_path / "bad.csv"
    bad.write_text("smiles,pIC50\n" + "\n".join(f"{s},6.5" for s in ROWS[:20]) + f"\n{ROWS[20]},>10\n")
    call = [
        "finetune",
        str(folder / "base"),
        str(bad),
        "--labels",
        "pIC50",
        "-o",
        str(tmp_path / "run"),
        "-q",
    ]
    assert cli.run(call) == 3
    assert "line 22, column 'pIC50': '>10': not a number" in capsys.readouterr().err
    assert cli.run([*call[:1], "moses", *call[2:]]) == 2
    assert "'autoregressive' has no property head" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("6.5", 6.5), (" 1e-3 ", 1e-3), (7, 7.0), ("", math.nan), (None, math.nan), ("N/A", math.nan),
        (float("nan"), math.nan), (">10", None), ("6,5", None), ("inf", None), ("abc", None),
    ],
)  # fmt: skip
def test_cells(cell, value):
    assert number(cell) == pytest.approx(value, nan_ok=True)


def test_a_column_without_information_is_refused():
    with pytest.raises(DataError, match=f"at least {FEWEST} are needed"):
        measured_scales({"x": [1.0, math.nan, 2.0]})
    with pytest.raises(DataError, match="there is nothing to learn"):
        measured_scales({"x": [2.0] * 9})
    with pytest.raises(DataError, match="rename the column"):
        measured_scales({"qed": [1.0, 2.0] * 9})


def test_a_hundred_labels_were_drowned_by_thousands_of_another_property():
    labels = torch.full((100, 2), math.nan)
    labels[:, 0], labels[0, 1] = 0.0, 0.0
    predicted = torch.tensor([[0.1, 0.5]]).repeat(100, 1).requires_grad_(True)
    loss = property_loss(predicted, labels)
    assert float(loss.detach()) == pytest.approx((0.005 + 0.125) / 2)
    loss.backward()
    assert float(predicted.grad[1:, 1].abs().sum()) == 0
    assert not predicted.grad.isnan().any()
    assert float(property_loss(predicted, torch.full((100, 2), math.nan)).detach()) == 0


def test_widening_the_head_changes_nothing_that_it_knew():
    head = property_head(4, 3)
    z = torch.randn(5, 4)
    before = head(z)
    widen(head, 2, seed=1)
    assert torch.allclose(head(z)[:, :3], before, atol=1e-6)
    assert head(z).shape == (5, 5)
