"""Checkpoints: exact round trips, whole or ignored, and a way back from a damaged one."""

from __future__ import annotations

import errno
import json
import math
import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch

from molgen.core.errors import RunError
from molgen.run import checkpoint as module
from molgen.run.checkpoint import latest, save


def test_tensors_and_state_come_back_as_they_were(tmp_path: Path):
    weight = torch.randn(3, 4, generator=torch.Generator().manual_seed(1))
    tensors = {
        "weight": weight,
        "tied": weight,
        "view": weight[1:],
        "half": weight.to(torch.bfloat16),
        "torch_rng": torch.get_rng_state(),
        "scalar": torch.tensor(3, dtype=torch.int64),
        "array": np.arange(6, dtype=np.float64).reshape(2, 3),
    }
    state = {
        "step": 7,
        "best": -math.inf,
        "mean": math.nan,
        "name": "é",
        "flags": [True, None],
        "np": np.float32(0.5),
    }
    save(tmp_path, 7, tensors, state)
    found = latest(tmp_path)
    assert found is not None
    assert found.step == 7
    assert found.tensors.keys() == tensors.keys()
    for name, value in tensors.items():
        if isinstance(value, np.ndarray):
            np.testing.assert_array_equal(found.tensors[name], value)
            assert found.tensors[name].dtype == value.dtype
        else:
            assert torch.equal(found.tensors[name], value)
            assert found.tensors[name].dtype == value.dtype
    assert math.isnan(found.state.pop("mean"))
    assert found.state == {"step": 7, "best": -math.inf, "name": "é", "flags": [True, None], "np": 0.5}


def test_random_states_continue_where_they_were(tmp_path: Path):
    plain, numpy, old = random.Random(1), np.random.default_rng(2), np.random.RandomState(3)
    key = old.get_state(legacy=False)
    state = {"python": plain.getstate(), "numpy": numpy.bit_generator.state, "old": key}
    save(tmp_path, 0, {}, state)
    expected = plain.random(), numpy.random(), old.random_sample()
    found = latest(tmp_path)
    assert found is not None
    version, internal, gauss = found.state["python"]
    plain.setstate((version, tuple(internal), gauss))
    numpy.bit_generator.state = found.state["numpy"]
    old.set_state(found.state["old"])
    assert (plain.random(), numpy.random(), old.random_sample()) == expected


def test_numpy_only_checkpoint_needs_no_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(__import__("sys").modules, "safetensors.torch", None)  # an import of it now fails
    save(tmp_path, 1, {"a": np.float32(2.0), "b": np.zeros((0, 3))}, {})
    found = latest(tmp_path)
    assert found is not None
    assert found.tensors["a"].shape == ()
    assert found.tensors["b"].shape == (0, 3)


def test_no_checkpoint_is_none(tmp_path: Path):
    assert latest(tmp_path) is None
    assert latest(tmp_path / "missing") is None


def test_the_last_k_stay(tmp_path: Path):
    for step in (0, 10, 20, 30):
        save(tmp_path, step, {"x": np.array(step)}, {}, keep=2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-0000000020", "step-0000000030"]


def test_step_replayed_after_a_resume_replaces_and_later_leftovers_go(tmp_path: Path):
    for step in (10, 20, 30):
        save(tmp_path, step, {}, {"try": 1}, keep=3)
    (tmp_path / ".step-0000000040.abc.tmp").mkdir()
    save(tmp_path, 20, {}, {"try": 2}, keep=3)
    found = latest(tmp_path)
    assert found is not None
    assert (found.step, found.state) == (20, {"try": 2})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-0000000010", "step-0000000020"]


@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json"])
@pytest.mark.parametrize("how", ["flip", "cut", "gone"])
def test_damaged_newest_falls_back_to_the_one_before_and_says_so(tmp_path: Path, name: str, how: str):
    save(tmp_path, 10, {"x": np.ones(8)}, {"a": 1})
    file = save(tmp_path, 20, {"x": np.ones(8)}, {"a": 2}) / name
    raw = file.read_bytes()
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(raw[:-1] if how == "cut" else raw[:-1] + bytes([raw[-1] ^ 1]))
    said: list[str] = []
    found = latest(tmp_path, say=said.append)
    assert found is not None
    assert (found.step, found.state) == (10, {"a": 1})
    assert len(said) == 1
    assert "step-0000000020 is damaged" in said[0]
    assert "step 10" in said[0]


def test_unfinished_checkpoint_is_ignored_silently(tmp_path: Path):
    save(tmp_path, 10, {}, {})
    path = save(tmp_path, 20, {}, {})
    (path / "complete.json").unlink()
    said: list[str] = []
    found = latest(tmp_path, say=said.append)
    assert found is not None
    assert found.step == 10
    assert said == []


def test_all_damaged_is_an_error_not_a_fresh_start(tmp_path: Path):
    (save(tmp_path, 10, {}, {}) / "state.json").write_text("{}x")
    with pytest.raises(RunError, match=r"step-0000000010 is damaged .*no undamaged checkpoint is left"):
        latest(tmp_path)


def test_newer_format_is_an_error_not_damage(tmp_path: Path):
    marker = save(tmp_path, 10, {}, {}) / "complete.json"
    marker.write_text(json.dumps({**json.loads(marker.read_text()), "format": 99}))
    with pytest.raises(RunError, match="newer molgen"):
        latest(tmp_path)


def test_full_disk_leaves_the_earlier_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    save(tmp_path, 10, {"x": np.ones(3)}, {})

    def full(source: object, target: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module.os, "replace", full)
    with pytest.raises(RunError, match="disk is full"):
        save(tmp_path, 20, {"x": np.ones(3)}, {})
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["step-0000000010"]
    assert latest(tmp_path) is not None


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a": {"b": [object()]}}, r"state\.a\.b\[0\] is a object"),
        ({"a": {1: 2}}, r"state\.a has the key 1"),
        ({"w": torch.zeros(2)}, r"state\.w is a Tensor.*pass tensors in `tensors`"),
    ],
)
def test_state_that_json_cannot_hold_names_its_key(tmp_path: Path, state: dict, message: str):
    with pytest.raises(TypeError, match=message):
        save(tmp_path, 1, {}, state)
    assert list(tmp_path.iterdir()) == []


def test_nothing_in_a_checkpoint_is_a_pickle(tmp_path: Path):
    path = save(tmp_path, 1, {"x": torch.zeros(2)}, {"a": 1})
    assert sorted(item.name for item in path.iterdir()) == [
        "complete.json",
        "state.json",
        "tensors.safetensors",
    ]
    assert all(not item.read_bytes().startswith((b"\x80", b"PK")) for item in path.iterdir())
