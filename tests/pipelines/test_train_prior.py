"""The shipped priors can be made again: data to the byte, configurations that load, and a card that is complete."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import molgen as mg
from molgen.core.errors import DataError, ModelError
from molgen.learn import store
from molgen.workflows.check import load_any

PIPELINES = Path(__file__).parents[2] / "pipelines"
Script = Callable[[str], ModuleType]
ZINC = "smiles\nOCC\nC[NH3+]\nC[C@H](N)O\nCC.Cl\n"
CHEMBL = "CCO a1\nC1CC a2\nCCC a3\nC[Se]C a4\nCCCl a5\n"


@pytest.fixture
def sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small stand-ins for the public sets; ``fetch`` finds them without a network."""
    (tmp_path / "zinc250k").with_suffix(".smi").write_text(ZINC)
    (tmp_path / "chembl-sample").with_suffix(".smi").write_text(CHEMBL)
    with gzip.open(tmp_path / "moses.csv.gz", "wt") as stream:
        stream.write("SMILES\nOCC\nc1ccccc1\nOCC\n")
    monkeypatch.setattr(
        "molgen.data.fetch.fetch", lambda name, **_: next(tmp_path.glob(f"{name}.*"))
    )  # at import
    return tmp_path


@pytest.mark.parametrize("path", sorted(PIPELINES.rglob("*.yaml")), ids=lambda path: path.name)
def test_every_configuration_of_the_pipelines_loads(path: Path) -> None:
    kind, loaded = load_any(path)
    assert kind in ("train", "optimize")
    assert loaded.config.name


@pytest.mark.parametrize("prior", ["moses", "druglike", "zinc250k"])
def test_the_training_configurations_pass_the_check_beside_their_data(prior: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / f"{prior}.smi").write_text("CCO\nCCN\n")
    config = tmp_path / f"{prior}.yaml"
    config.write_text((PIPELINES / "train_prior" / config.name).read_text())
    report = mg.check(config)
    assert report.kind == "train"
    assert report.loaded.config.data[0].policy == "none"


@pytest.mark.parametrize(("prior", "molecules"), [("moses", 1_584_663), ("druglike", 511_572)])
def test_three_thousand_molecules_validate(prior: str, molecules: int) -> None:
    _, loaded = load_any(PIPELINES / "train_prior" / f"{prior}.yaml")
    assert round(loaded.config.holdout * molecules) == 3000


def test_moses_keeps_the_strings_as_published(script: Script, sets: Path) -> None:
    report = script("train_prior/prepare.py").run("moses", sets / "out")
    assert (sets / "out" / "moses.smi").read_text() == "OCC\nc1ccccc1\nOCC\n"
    assert report["files"]["training"]["molecules"] == 3
    assert report["sources"][0]["license"].startswith("MIT")


def test_druglike_takes_each_molecule_once_and_accounts_for_every_row(script: Script, sets: Path) -> None:
    prepare = script("train_prior/prepare.py")
    files = [sets / "zinc250k.smi", sets / "chembl-sample.smi"]
    made = prepare.mixture(files, policy="none", min_molecules=1, one_in=2)
    molecules = made.training + made.held_out
    assert set(molecules) == {"CCO", "C[NH3+]", "C[C@H](N)O", "CCC", "C[Se]C", "CCCl"}
    assert made.counts.pop("rows") == 9
    assert made.counts == {"multiple fragments": 1, "duplicate": 1, "unparsable": 1, "rare token": 0}
    assert all(prepare.is_held_out(smiles, 2) for smiles in made.held_out)
    assert made.training
    assert not any(prepare.is_held_out(smiles, 2) for smiles in made.training)


def test_molecules_with_rare_tokens_are_left_out(script: Script, sets: Path) -> None:
    plain = sets / "plain.smi"
    plain.write_text("CCCC\nCCCCC\nCCCCCC\nCCCCO\n")
    files = [sets / "zinc250k.smi", sets / "chembl-sample.smi", plain]
    made = script("train_prior/prepare.py").mixture(files, policy="none", min_molecules=2, one_in=2)
    assert set(made.training + made.held_out) == {"CCC", "CCO", "CCCC", "CCCCC", "CCCCCC", "CCCCO"}
    assert made.rare_tokens == ["(", ")", "Cl", "N", "[C@H]", "[NH3+]", "[Se]"]
    assert made.counts["rare token"] == 4


def test_nothing_is_overwritten_unasked(
    script: Script, sets: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare = script("train_prior/prepare.py")
    assert prepare.main(["moses", "-o", str(sets / "out")]) == 0
    assert prepare.main(["moses", "-o", str(sets / "out")]) == 3
    assert "add --overwrite" in capsys.readouterr().err
    assert prepare.main(["moses", "-o", str(sets / "out"), "--overwrite"]) == 0


# -- finish.py ---------------------------------------------------------------------------------------------


@pytest.fixture
def finished(
    script: Script, sets: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> SimpleNamespace:
    """``finish.py`` on a tiny model, with an evaluation that only counts lines."""
    script("train_prior/prepare.py").run("moses", sets / "data")
    module = script("train_prior/finish.py")

    def evaluation(arguments: Any) -> dict[str, Any]:
        lines = arguments.samples.read_text().splitlines()
        return {
            "n_raw": len(lines),
            "n_valid": len(lines) - 1,
            "n_reference": {"Test": 9},
            "metrics": {"valid": 0.9, "SNN/Test": None},
            "inputs_sha256": {"samples": "0" * 64},
            "versions": {"rdkit": "x"},
        }

    monkeypatch.setattr(module.evaluate, "evaluate", evaluation)
    config = sets / "tiny.yaml"
    config.write_text(
        "kind: train\ndata: [{path: data/moses.smi}]\n"
        "model: {params: {cell: gru, hidden: 48, layers: 1, embedding: 16, pieces: 0, max_tokens: 30}}\n"
    )
    fixed = [
        str(tiny_model),
        "--kind",
        "moses",
        "--data",
        str(sets / "data"),
        "-n",
        "40",
        "-o",
        str(sets / "moses"),
    ]
    told = [
        "--config",
        str(config),
        "--steps",
        "80",
        "--molecules",
        "2080",
        "--minutes",
        "0.1",
        "--commit",
        "abc",
        "--hardware",
        "a core",
    ]
    return SimpleNamespace(module=module, fixed=fixed, told=told, folder=sets / "moses", config=config)


def test_a_finished_prior_is_complete_and_verifies(
    finished: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert finished.module.main([*finished.fixed, *finished.told, "--note", "Resumed once."]) == 0
    assert "too few molecules" in capsys.readouterr().out
    card = store.read_card(finished.folder)
    assert card["metrics"]["n"] == 40
    assert card["metrics"]["protocol"].startswith("40 raw strings")
    assert card["metrics"]["sampling"]["seed"] == 1
    assert card["metrics"]["values"]["valid"] == 0.9
    assert card["training"]["steps"] == 80
    assert card["training"]["commit"] == "abc"
    assert card["training"]["config"]["trainer"]["batch_size"] == 256
    assert card["training"]["notes"] == ["Resumed once."]
    assert card["data"]["sources"][0]["name"] == "moses"
    assert {"license", "description", "intended_use", "limits", "summary"} <= card.keys()
    assert str(finished.config.parent) not in json.dumps(card)
    assert mg.models_verify(finished.folder, lambda text: None) == []
    assert finished.module.main([*finished.fixed, *finished.told]) == ModelError.exit_code
    assert finished.module.main([*finished.fixed, *finished.told, "--overwrite"]) == 0


def test_a_model_straight_from_its_training_needs_nothing_told(finished: SimpleNamespace, sets: Path) -> None:
    (sets / "data" / "few.smi").write_text("CCO\nCCN\nCCC\nCCCO\n")
    small = [
        "trainer.epochs=2",
        "trainer.sample_size=4",
        "tracking.mlflow=false",
        "data[0].path=data/few.smi",
    ]
    mg.train(finished.config, sets / "run", overrides=[*small, "holdout=0.25"], quiet=True)
    assert finished.module.main([str(sets / "run"), *finished.fixed[1:]]) == 0
    training = store.read_card(finished.folder)["training"]
    assert training["steps"] == 2
    assert training["molecules"] == 6
    assert training["hardware"]
    assert "torch" in training["packages"]
    assert len(training["commit"]) == 40


def test_a_sampling_default_is_stored_and_measured_and_so_is_the_whole_distribution(
    finished: SimpleNamespace, tiny_model: Path
) -> None:
    assert finished.module.main([*finished.fixed, *finished.told, "--min-p", "0.1"]) == 0
    stored, before = store.load(finished.folder, verify=True), store.read_card(tiny_model)
    assert stored.params["min_p"] == 0.1
    assert stored.card["files"]["weights.safetensors"] == before["files"]["weights.safetensors"]
    metrics = stored.card["metrics"]
    assert metrics["sampling"]["min_p"] == 0.1
    assert metrics["whole_distribution"]["min_p"] == 0.0
    assert metrics["whole_distribution"]["values"]["valid"] == 0.9


def test_a_card_without_the_training_is_refused_before_any_work(
    finished: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert finished.module.main([*finished.fixed, *finished.told[2:]]) == DataError.exit_code
    assert "add --config" in capsys.readouterr().err
    assert not finished.folder.exists()


def test_a_configuration_of_another_network_is_refused(
    finished: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    finished.config.write_text(finished.config.read_text().replace("hidden: 48", "hidden: 64"))
    assert finished.module.main([*finished.fixed, *finished.told]) == DataError.exit_code
    assert "describes another network" in capsys.readouterr().err


def test_changed_data_are_refused(finished: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    (finished.config.parent / "data" / "moses.smi").write_text("C\n")
    assert finished.module.main([*finished.fixed, *finished.told]) == DataError.exit_code
    assert "not the file that its report describes" in capsys.readouterr().err
