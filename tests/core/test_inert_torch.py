"""Checkpoints are read as data: arrays come back, nothing of them is called, damage is said."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from molgen.core.errors import DataError
from molgen.core.inert_pickle import Call
from molgen.core.inert_torch import read_checkpoint


class Hostile:
    def __reduce__(self) -> Any:
        return os.mkdir, ("owned",)


def rewritten(path: Path, change: dict[str, Any]) -> Path:
    """The same archive with other members; a change is bytes or a function of the old ones."""
    other = path.with_name("changed.pt")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            data, key = old.read(name), name.partition("/")[2]
            new.writestr(name, change[key](data) if key in change else data)
    return other


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    whole = torch.arange(24, dtype=torch.float64).reshape(6, 4)
    state = {"w": torch.randn(3, 5), "part": whole[2:4], "n": torch.tensor(7), "row": torch.ones(1, 4)}
    torch.save({"state_dict": state, "names": ["a", "b"], "more": {"x": (1, None)}}, tmp_path / "m.pt")
    return tmp_path / "m.pt"


def test_arrays_and_plain_data_come_back(checkpoint: Path) -> None:
    ours, theirs = read_checkpoint(checkpoint), torch.load(checkpoint, weights_only=True)
    assert ours["names"] == ["a", "b"]
    assert ours["more"] == {"x": (1, None)}
    for name, tensor in theirs["state_dict"].items():
        assert np.array_equal(ours["state_dict"][name], tensor.numpy()), name
        assert ours["state_dict"][name].dtype == tensor.numpy().dtype


def test_nothing_in_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {}, "hyper": Hostile()}, tmp_path / "m.pt")
    found = read_checkpoint(tmp_path / "m.pt")
    assert isinstance(found["hyper"], Call)
    assert not (tmp_path / "owned").exists()


def test_a_transposed_tensor_is_refused_and_not_read_in_the_wrong_order(tmp_path: Path) -> None:
    torch.save({"w": torch.randn(3, 5).T}, tmp_path / "m.pt")
    with pytest.raises(DataError, match="transposed"):
        read_checkpoint(tmp_path / "m.pt")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"data/0": lambda data: data[:-4]}, "do not fit"),
        ({"byteorder": lambda data: b"big"}, "byte order"),
        ({"data.pkl": lambda data: data[:40]}, "m|pickle"),
    ],
)
def test_a_damaged_checkpoint_is_said(checkpoint: Path, change: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_checkpoint(rewritten(checkpoint, change))


def test_a_file_of_another_kind_is_said(tmp_path: Path) -> None:
    (tmp_path / "m.pt").write_bytes(b"no zip at all")
    with pytest.raises(DataError, match="install it again"):
        read_checkpoint(tmp_path / "m.pt")
