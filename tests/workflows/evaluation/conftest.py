"""A genuine sample of the shipped prior, and an evaluation against sets of its own distribution."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdkit import Chem

import molgen as mg
from molgen.metrics.evaluation import Evaluation
from molgen.workflows.evaluation.run import evaluate


@pytest.fixture(scope="session")
def drawn() -> list[str]:
    """Raw strings of the shipped prior, invalid ones among them."""
    return mg.sample("druglike", 900, seed=5, raw=True, quiet=True).smiles


@pytest.fixture(scope="session")
def places(drawn: list[str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """(cache, reference file, training file); the sets are of the prior's distribution, so genuine."""
    folder = tmp_path_factory.mktemp("evaluate")
    valid = [text for text in drawn[300:] if text and Chem.MolFromSmiles(text)]
    half = len(valid) // 2
    for name, part in (("reference", valid[:half]), ("training", valid[half:])):
        (folder / f"{name}.smi").write_text("\n".join(part) + "\n")
    return folder / "cache", folder / "reference.smi", folder / "training.smi"


@pytest.fixture
def run(places: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    cache, reference, training = places
    monkeypatch.setenv("MOLGEN_DATA", str(cache))

    def call(molecules: list[str] | Path, out: Path | None = None, **options: object) -> Evaluation:
        settings = {
            "reference": str(reference),
            "training": str(training),
            "suites": ["audit"],
            "quiet": True,
        }
        return evaluate(molecules, out, **(settings | options))  # type: ignore[arg-type]

    return call
