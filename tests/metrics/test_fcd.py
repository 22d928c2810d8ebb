from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from molgen.core.errors import DataError, ModelError
from molgen.metrics.fcd import ChemNet, Moments, encode, frechet_chemnet_distance, frechet_distance, moments

SMILES = [
    "C",
    "CCO",
    "c1ccccc1Br",
    "CC(=O)Nc1ccc(O)cc1",
    "C[C@H](N)C(=O)[O-]",
    "C" * 120,
    "CC(C)N" * 70,
    "CCO",
]


@pytest.fixture(scope="module")
def weights() -> list[dict[str, torch.Tensor]]:
    torch.manual_seed(7)
    lstms = [nn.LSTM(32, 128), nn.LSTM(128, 512)]
    for (
        lstm
    ) in lstms:  # open forget gates: a network that forgets the string in the padding would test nothing
        lstm.bias_ih_l0.data[lstm.hidden_size : 2 * lstm.hidden_size] = 3.0
    return [
        {"weight": torch.randn(32, 35, 4) * 2},
        {"weight": torch.randn(32, 32, 4) / 8},
        *({key: value.detach() * 2 for key, value in lstm.state_dict().items()} for lstm in lstms),
    ]


@pytest.fixture(scope="module")
def chemnet(weights: list[dict[str, torch.Tensor]]) -> ChemNet:
    return ChemNet(weights)


def plainly(weights: list[dict[str, torch.Tensor]], smiles: list[str]) -> np.ndarray:
    """The network as published: 350 positions for everything, no shortcut."""
    x = torch.zeros(len(smiles), 35, 350)
    for i, text in enumerate(smiles):
        for position, symbol in enumerate(encode(text)):
            x[i, symbol, position] = 1 / 35
    x = torch.selu(torch.conv1d(nn.functional.pad(x, (1, 1)), weights[0]["weight"], stride=2))
    x = torch.selu(torch.conv1d(nn.functional.pad(x, (1, 2)), weights[1]["weight"], stride=2))
    x = x.transpose(1, 2)
    for size, state in ((32, weights[2]), (128, weights[3])):
        lstm = nn.LSTM(size, len(state["weight_hh_l0"]) // 4, batch_first=True)
        lstm.load_state_dict(state)
        x = lstm(x.flip(1))[0]
    return x[:, -1].detach().numpy()


def test_activations_are_those_of_the_fully_padded_network(chemnet: ChemNet, weights: list) -> None:
    assert np.abs(chemnet.activations(SMILES) - plainly(weights, SMILES)).max() < 1e-4


def test_activations_do_not_depend_on_the_batch(chemnet: ChemNet) -> None:
    one_by_one = chemnet.activations(SMILES, batch_size=1)
    assert np.abs(chemnet.activations(SMILES, batch_size=3) - one_by_one).max() < 1e-4
    assert np.array_equal(one_by_one[1], one_by_one[7])  # the same string twice
    assert np.abs(one_by_one[0] - one_by_one[1]).max() > 1e-3


def test_progress_ends_at_the_number_of_distinct_strings(chemnet: ChemNet) -> None:
    seen: list[int] = []
    chemnet.activations(["C", "CC", "C"], batch_size=1, progress=seen.append)
    assert seen == [1, 2]


def test_no_molecules_give_no_rows(chemnet: ChemNet) -> None:
    assert chemnet.activations([]).shape == (0, 512)


def test_encoding_knows_two_letter_symbols_unknown_ones_and_the_end() -> None:
    assert encode("ClCBr") == [5, 0, 8, 34]
    assert encode("C[Se]9") == [0, 26, 9, 33, 27, 33, 34]  # S is known; e and 9 are not
    assert encode("CC.O") == encode("CC")  # as published: a mixture ends at its first dot
    assert len(encode("C" * 400)) == 350


def test_weights_file_is_loaded_without_unpickling(weights: list, tmp_path: Path) -> None:
    names = ["Conv1d", "Conv1d", "LSTM", "LSTM"]
    torch.save(
        [(name, (state, {}, {})) for name, state in zip(names, weights, strict=True)], tmp_path / "net.pt"
    )
    loaded = ChemNet.load(tmp_path / "net.pt")
    assert np.array_equal(loaded.activations(["CCO"]), ChemNet(weights).activations(["CCO"]))


@pytest.mark.parametrize("content", [b"", b"garbage" * 100])
def test_damaged_weights_are_a_model_error_that_names_the_file(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "net.pt").write_bytes(content)
    with pytest.raises(ModelError, match=r"net\.pt"):
        ChemNet.load(tmp_path / "net.pt")


def test_missing_weights_say_where_they_come_from(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="fcd_torch"):
        ChemNet.load(tmp_path / "absent.pt")


def test_distance_of_diagonal_gaussians_is_the_textbook_value() -> None:
    a = Moments(np.array([0.0, 1.0]), np.diag([1.0, 4.0]), 10)
    b = Moments(np.array([2.0, 1.0]), np.diag([9.0, 4.0]), 10)
    assert frechet_distance(a, b) == pytest.approx(4.0 + (1 - 3) ** 2, abs=1e-12)


def test_distance_is_symmetric_and_zero_to_itself_for_singular_covariances() -> None:
    rng = np.random.default_rng(0)
    low_rank = rng.normal(size=(200, 5)) @ rng.normal(size=(5, 40))
    a, b = moments(low_rank), moments(rng.normal(size=(150, 40)))
    assert frechet_distance(a, a) == pytest.approx(0.0, abs=1e-6)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9)
    assert frechet_distance(a, b) > 1


def test_distance_refuses_what_it_cannot_compare(chemnet: ChemNet) -> None:
    a = moments(np.eye(3))
    with pytest.raises(DataError, match="dimensions"):
        frechet_distance(a, moments(np.eye(4)))
    with pytest.raises(DataError, match="not finite"):
        frechet_distance(a, Moments(np.full(3, np.nan), np.eye(3), 3))
    with pytest.raises(DataError, match="at least 2"):
        frechet_chemnet_distance(["C"], a, chemnet)


def test_the_published_fcd_of_the_moses_unit_test() -> None:
    """52.58371754126664 in the package's own tests/test_metrics.py; needs the fetched weights."""
    from molgen.data import catalog
    from molgen.metrics.distribution import read_sample

    if not catalog.is_fetched("chemnet"):
        pytest.skip("needs the ChemNet weights: molgen data fetch chemnet")
    network = ChemNet.load(catalog.locate("chemnet"))
    test = ["Oc1ccccc1-c1cccc2cnccc12", "COc1cccc(NC(=O)Cc2coc3ccc(OC)cc23)c1"]
    generated = ["CNC", test[0], "INVALID", "CCCP", "Cc1noc(C)c1CN(C)C(=O)Nc1cc(F)cc(F)c1"]
    generated.append("Cc1nc(NCc2ccccc2)no1-c1ccccc1")
    ours, theirs = (moments(network.activations(read_sample(raw).smiles)) for raw in (generated, test))
    assert frechet_distance(ours, theirs) == pytest.approx(52.58371754126664, abs=1e-4)
