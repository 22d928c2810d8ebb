"""A graph VAE becomes a shipped prior by the same script: its card also tells about reconstruction and its prior."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from molgen.core.config import load as load_config
from molgen.core.schema import TrainConfig
from molgen.learn import store
from molgen.models.graph_vae import FAMILY, GraphVaeParams
from molgen.models.graph_vae.model import GraphVae
from molgen.models.registry import save
from molgen.models.retrain import retrained_params

SMILES = [
    "CCO",
    "CCN",
    "CCCO",
    "Cc1ccccc1",
    "CC(=O)O",
    "CC(=O)Nc1ccccc1",
    "NCc1ccncc1",
    "COc1ccccc1",
    "CCc1ccccc1",
]
SMALL = GraphVaeParams(
    latent=4,
    width=24,
    layers=1,
    heads=2,
    encoder_layers=1,
    site_width=8,
    min_count=1,
    prior="normal",
    property_molecules=0,
    random_order=0,
    row_dropout=0,
    kl_weight=1e-3,
    free_bits=0,
)


@pytest.fixture
def model() -> GraphVae:
    return GraphVae.build(SMALL, SMILES, seed=1).eval()


def test_reconstruction_counts_what_the_vocabulary_does_not_hold_as_lost(
    script: Callable[[str], ModuleType], model: GraphVae
) -> None:
    measure = script("train_prior/latent_metrics.py").latent_metrics
    found = measure(
        model,
        [*SMILES, "c1ccc2[nH]ccc2c1", "C[C@H](N)O"],
        most=100,
        seed=0,
        fcd=lambda sample: float(len(sample)),
    )
    assert found["n"] == 11
    assert found["covered"] == pytest.approx(10 / 11)
    assert found["reconstructed"] <= found["covered"]
    assert found["FCD, learned prior"] == found["FCD, posteriors"] == found["FCD, standard normal"] == 10


def test_a_perfect_decoder_is_said_to_reconstruct_everything(
    script: Callable[[str], ModuleType], model: GraphVae
) -> None:
    """It cannot be a constant: training on nine molecules until they come back must move it."""
    measure = script("train_prior/latent_metrics.py").latent_metrics

    def reconstructed() -> float:
        result: float = measure(model, SMILES, most=100, seed=0, fcd=lambda sample: 0.0)["reconstructed"]
        return result

    before = reconstructed()
    data = model.train().training_set(SMILES)
    (optimizer,) = model.optimizers(2e-2, 0.0).values()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for _ in range(150):
            for _, loss, _ in model.training_step(data.batch(range(len(SMILES)))):
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    model.eval()
    assert before < 0.9 < reconstructed()


def test_a_graph_vae_is_finished_like_the_others(
    script: Callable[[str], ModuleType], model: GraphVae, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "druglike.smi"
    data.write_text("\n".join(SMILES) + "\n")
    monkeypatch.setattr("molgen.data.fetch.fetch", lambda name, **_: data)
    finish = script("train_prior/finish.py")
    digest = finish.sha256_file(data)
    files = {name: {"path": data.name, "sha256": digest} for name in ("training", "held out")}
    report = {"format": 1, "sources": [], "counts": {}, "rare_tokens": [], "files": files}
    finish.write_json(tmp_path / "druglike.report.json", report)
    asked: list[Any] = []

    def evaluation(arguments: Any) -> dict[str, Any]:
        asked.append(arguments)
        n = len(arguments.samples.read_text().splitlines())
        values: dict[str, Any] = {"n_raw": n, "n_valid": n, "n_reference": {}, "metrics": {"valid": 1.0}}
        return values | {"inputs_sha256": {}, "versions": {}}

    monkeypatch.setattr(finish.evaluate, "evaluate", evaluation)
    monkeypatch.setattr(finish.evaluate, "distance", lambda arguments: len)
    training = {
        "config": {"model": {"params": model.params.model_dump()}},
        "steps": 1,
        "molecules": 9,
        "minutes": 0.1,
    }
    training |= {"hardware": "a core", "commit": "abc"}
    trained = save(model, tmp_path / "trained", {"name": "tiny", "training": training})
    fixed = [
        str(trained),
        "--kind",
        "graph-vae",
        "--data",
        str(tmp_path),
        "-n",
        "12",
        "-o",
        str(tmp_path / "graph-vae"),
    ]
    assert finish.main(fixed) == 0
    card = store.read_card(tmp_path / "graph-vae")
    assert asked[0].flat
    assert len(asked) == 1  # its sampling settings are the whole distribution
    assert card["metrics"]["latent"]["n"] == 9
    assert "Stereo is taken off" in card["metrics"]["protocol"]


@pytest.mark.parametrize("name", ["graph_vae", "graph_vae_moses"])
def test_the_second_stage_is_the_first_ones_network_under_another_objective(name: str) -> None:
    folder = Path(__file__).parents[2] / "pipelines" / "train_prior"
    first = load_config(folder / f"{name}.yaml", TrainConfig).config
    second = load_config(folder / f"{name}_second.yaml", TrainConfig).config
    assert second.base == f"runs/prior-{first.name}"
    assert (second.name, second.data, second.holdout) == (first.name, first.data, first.holdout)
    before = FAMILY.params(**first.model.params)
    after = retrained_params(FAMILY, first.model.params, second.model.params, second.base)
    assert after.kl_weight > before.kl_weight
    assert set(second.model.params) <= FAMILY.objective_params


def test_the_ablation_trains_measures_and_does_not_repeat_itself(
    script: Callable[[str], ModuleType],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tails = ["C", "CC", "CCC", "CCCC", "O", "CO", "N", "CN"]
    lines = [f"{tail}c1ccc({other})cc1" for tail in tails for other in tails]
    (tmp_path / "moses.smi").write_text("\n".join(lines) + "\n")
    ablation = script("train_prior/ablation.py")
    monkeypatch.setattr(ablation.evaluate, "distance", lambda arguments: len)
    given = ["--data", str(tmp_path), "-o", str(tmp_path / "out"), "--molecules", "60", "--held-out", "4"]
    given += ["--epochs", "1", "--prior-minutes", "0.01", "--only", "half in random order"]
    assert ablation.main(given) == 0
    first = capsys.readouterr().out
    assert first.count("| half in random order |") == 1
    monkeypatch.setattr(ablation.mg, "train", None)  # a second time would fail here
    assert ablation.main(given) == 0
    assert capsys.readouterr().out == first
