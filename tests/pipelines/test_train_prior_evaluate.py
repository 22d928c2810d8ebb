from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[2] / "pipelines" / "train_prior" / "evaluate.py"
TRAINING = ["Oc1ccccc1-c1cccc2cnccc12", "CCO", "CCN", "c1ccccc1CN", "CC(C)O", "CCCCN"]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("train_prior_evaluate", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class FakeChemNet:
    def activations(self, smiles: list[str], *, batch_size: int = 512, progress: object = None) -> np.ndarray:
        return np.array([[len(s), s.count("c"), s.count("N")] for s in smiles], dtype=np.float32)


@pytest.fixture
def folder(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small files, and no reference data from outside."""
    monkeypatch.setenv("MOLGEN_DATA", str(tmp_path / "cache"))
    rings = b"BLOOM\x02" + (8).to_bytes(4, "little") + (64).to_bytes(8, "little") + b"\xff" * 8
    (tmp_path / "data").write_bytes(rings)  # a filter that knows everything
    monkeypatch.setattr(script, "_fetch", lambda name: tmp_path / "data")
    monkeypatch.setattr(script.ChemNet, "load", lambda path: FakeChemNet())
    (tmp_path / "train.smi").write_text("\n".join(TRAINING) + "\n")
    (tmp_path / "held_out.smi").write_text("CCOC\nc1ccncc1C\nCCCN\nNCCO\n")
    (tmp_path / "raw.smi").write_text("CCO\n\nC1CC\nCCCCC\nc1ccccc1O\n")
    return tmp_path


def arguments(folder: Path, *more: str) -> list[str]:
    data = ["--training", str(folder / "train.smi"), "--held-out", str(folder / "held_out.smi")]
    return [str(folder / "raw.smi"), "--prior", "druglike", *data, "-o", str(folder / "out.json"), *more]


def test_empty_lines_are_invalid_samples_and_a_header_is_none(script: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "raw.csv").write_text("smiles,nll\nCCO,1.5\n,9\nC1CC,3\n\n")
    assert script.read_raw(tmp_path / "raw.csv") == ["CCO", "", "C1CC", ""]


@pytest.mark.parametrize("brief", [False, True])
def test_druglike_is_measured_beside_its_floor(script: ModuleType, folder: Path, brief: bool) -> None:
    assert script.main(arguments(folder, *(["--brief"] if brief else []))) == 0
    card = json.loads((folder / "out.json").read_text())
    metrics = card["metrics"]
    assert (card["n_raw"], card["n_valid"], card["n_reference"]) == (5, 3, {"held-out": 4})
    assert (metrics["valid"], metrics["unique@1000"]) == (0.6, None)
    assert metrics["Novelty"] == pytest.approx(2 / 3)
    assert metrics["FCD/held-out"] > 0
    assert metrics["FCD/held-out floor"] > 0
    assert metrics["ring systems known to ChEMBL"] == 1.0
    assert ("SNN/held-out" in metrics) is not brief
    assert {"samples", "training", "held-out"} <= set(card["inputs_sha256"])
    assert card["seed"] == 0


def test_the_floor_is_the_same_from_the_cache(script: ModuleType, folder: Path) -> None:
    floors = []
    for _ in range(2):
        assert script.main(arguments(folder, "--brief", "--overwrite")) == 0
        floors.append(json.loads((folder / "out.json").read_text())["metrics"]["FCD/held-out floor"])
    assert floors[0] == floors[1]
    assert list((folder / "cache" / "evaluation").glob("floor-*.npy"))


def test_what_is_missing_is_said_before_any_work(
    script: ModuleType, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw, out = str(folder / "raw.smi"), str(folder / "out.json")
    assert script.main([raw, "--prior", "druglike", "-o", out]) == 3
    assert "--held-out" in capsys.readouterr().err
    (folder / "out.json").write_text("{}")
    assert script.main(arguments(folder)) == 3
    assert "--overwrite" in capsys.readouterr().err
    assert (folder / "out.json").read_text() == "{}"
    assert script.main([str(folder / "absent.smi"), *arguments(folder, "--overwrite")[1:]]) == 3
    assert "absent.smi" in capsys.readouterr().err
