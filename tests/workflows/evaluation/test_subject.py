"""What `--model` adds: likelihoods, exact or as a bound, and the latent space of a model that has one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import molgen as mg
from molgen.models import registry
from molgen.models.graph_vae import GraphVaeParams
from molgen.models.graph_vae.model import GraphVae
from molgen.workflows.evaluation.run import evaluate
from molgen.workflows.evaluation.subject import Subject

SMILES = [
    "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1", "CC(=O)Oc1ccccc1C(=O)O",
    "NS(=O)(=O)c1cc(C(=O)O)c(NCc2ccco2)cc1Cl", "N#Cc1ccc(C2CCNCC2)cc1F", "CC(C)Cc1ccc(C(C)C(=O)O)cc1",
    "O=C(NCc1ccccc1)c1cccnc1", "COc1ccccc1N1CCN(C(=O)c2ccco2)CC1", "CCN(CC)CCNC(=O)c1ccc(N)cc1",
    "Cc1ccc(S(=O)(=O)N2CCCCC2)cc1", "O=C(O)c1ccccc1Nc1cccc(C(F)(F)F)c1",
]  # fmt: skip


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOLGEN_DATA", str(tmp_path / "cache"))


def test_a_graph_vae_tells_a_bound_and_its_latent_space(tmp_path: Path) -> None:
    params = GraphVaeParams(
        latent=4, width=16, heads=2, layers=1, encoder_layers=1, site_width=8, min_count=1, prior="normal",
        property_molecules=0,
    )  # fmt: skip
    with torch.random.fork_rng():
        model = GraphVae.build(params, SMILES, seed=3).eval()
    place = registry.save(model, tmp_path / "tiny", {"name": "tiny"})
    result = mg.evaluate(
        [*SMILES, "CC.O"],
        suites=["moses"],
        reference="none",
        model=place,
        quiet=True,
        out=tmp_path / "report",
    )
    nats = next(m for m in result.metrics if m.name == "nats per molecule (sample)")
    assert nats.value is not None
    assert nats.value > 0
    assert "at most: bound from" in nats.note
    assert "1 cannot be written" in nats.note
    latent = {metric.name: metric for metric in result.metrics if metric.suite == "latent"}
    assert set(latent) == {
        "reconstructed exactly", "reconstructed but for stereo", "locality at 0 SD", "locality at 0.5 SD",
        "locality at 1 SD", "locality at 2 SD", "locality at 4 SD", "path length",
        "molecules per path", "drift along paths", "valid on paths",
    }  # fmt: skip
    assert latent["valid on paths"].value == 1.0  # this family writes valid molecules only
    assert "1 of 11 are outside of the model" in latent["reconstructed exactly"].note
    page = (tmp_path / "report" / "results" / "report.html").read_text("utf-8")
    assert "Latent space" in page


def test_a_perfect_space_is_measured_as_perfect() -> None:
    """Points are positions in a list; decoding goes to the nearest: it rebuilds everything and paths are steady."""
    chain = [f"N{'C' * n}c1ccccc1" for n in range(1, 13)]

    def encode(smiles: list[str]) -> np.ndarray:
        return 100.0 + np.array([[float(chain.index(text)), 0.0] for text in smiles])

    def decode(points: np.ndarray) -> list[str]:
        return [chain[int(np.clip(round(p[0] - 100.0), 0, 11))] for p in points]

    found = evaluate(
        chain,
        suites=["moses"],
        reference="none",
        quiet=True,
        subject=Subject("toy", encode=encode, decode=decode),
    )
    assert found.value("reconstructed exactly") == 1.0
    assert found.value("locality at 0 SD") == 1.0
    assert found.value("locality at 4 SD") < 0.9
    assert (
        found.value("drift along paths") > 0.3
    )  # chains of more than five carbons look alike to a fingerprint
    with pytest.raises(KeyError):
        found.value("nats per molecule (sample)")


def test_a_model_that_writes_no_stereo_was_told_to_rebuild_nothing() -> None:
    """Without stereo on either side the same molecules count as rebuilt; the exact share keeps the stereo."""
    known = [f"C[C@H](O){'C' * n}c1ccccc1" for n in range(1, 5)]

    def encode(smiles: list[str]) -> np.ndarray:
        return np.array([[float(known.index(text)), 0.0] for text in smiles])

    def decode(points: np.ndarray) -> list[str]:
        return [known[int(np.clip(round(p[0]), 0, 3))].replace("[C@H]", "C") for p in points]

    subject = Subject("flat", encode=encode, decode=decode)
    found = evaluate(known, suites=["moses"], reference="none", quiet=True, subject=subject)
    assert found.value("reconstructed exactly") == 0.0
    assert found.value("reconstructed but for stereo") == 1.0


def test_a_model_that_covers_none_of_the_molecules_is_said() -> None:
    def nowhere(smiles: list[str]) -> np.ndarray:
        return np.full((len(smiles), 2), np.nan)

    subject = Subject("blind", encode=nowhere, decode=lambda points: [])
    found = evaluate(SMILES, suites=["moses"], reference="none", quiet=True, subject=subject)
    assert any("blind can encode 0 of 10" in text for text in found.warnings)
