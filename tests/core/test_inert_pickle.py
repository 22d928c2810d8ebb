from __future__ import annotations

import io
import os
import pickle
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from molgen.core.errors import DataError
from molgen.core.inert_pickle import Call, Name, attributes, read_inert, to_array, to_bytes, to_counter


def through(value: Any, protocol: int) -> Any:
    return read_inert(io.BytesIO(pickle.dumps(value, protocol=protocol)))


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_plain_data_comes_back(protocol: int) -> None:
    value = {"a": [1, -2.5, 2**70, None, True], "b": ("x", "é", (), {}), "long": list(range(3000)), 3: "\n"}
    assert through(value, protocol) == value


@pytest.mark.parametrize("protocol", [2, 3, 4])
@pytest.mark.parametrize("dtype", ["<f4", ">f8", "u1", "i4", "?"])
def test_numeric_arrays_come_back(protocol: int, dtype: str) -> None:
    array = (np.arange(24).reshape(2, 3, 4) % 2).astype(dtype)
    for version in (array, np.asfortranarray(array)):
        assert np.array_equal(to_array(through(version, protocol)), array)


def test_counters_come_back() -> None:
    assert to_counter(through(Counter(["CC", "CC", "O"]), 2)) == {"CC": 2, "O": 1}


class _Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.target}",)

    def __init__(self, target: Path) -> None:
        self.target = target


class _Plain:
    def __init__(self) -> None:
        self.classes_ = 2


@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_a_hostile_stream_runs_nothing(protocol: int, tmp_path: Path) -> None:
    target = tmp_path / "was_here"
    blob = pickle.dumps({"fps": _Hostile(target)}, protocol=protocol)
    try:
        record = read_inert(io.BytesIO(blob))["fps"]
    except DataError:
        pass  # refused outright is fine too
    else:
        assert isinstance(record, Call)
        assert isinstance(record.callee, Name)
        for convert in (to_array, to_bytes, to_counter):
            with pytest.raises(DataError):
                convert(record)
    assert not target.exists()


@pytest.mark.parametrize("protocol", [2, 4])
def test_tables_of_numbers_come_back(protocol: int) -> None:
    table = np.array([(1, 0.5), (-1, -2.0)], dtype=np.dtype([("left_child", "<i8"), ("threshold", "<f8")]))
    back = to_array(through(table, protocol))
    assert back.dtype.names == ("left_child", "threshold")
    assert np.array_equal(back["left_child"], [1, -1])
    assert np.array_equal(back["threshold"], [0.5, -2.0])


def test_tables_that_hold_objects_are_refused() -> None:
    table = np.array([(1, {})], dtype=np.dtype([("n", "<i8"), ("thing", "O")]))
    with pytest.raises(DataError, match="only plain numbers"):
        to_array(through(table, 4))


def test_a_foreign_object_is_its_attributes_in_a_plain_dict() -> None:
    record = through(_Plain(), 2)
    assert attributes(record, "_Plain") == {"classes_": 2}
    with pytest.raises(DataError, match="expected an object of class SVC"):
        attributes(record, "SVC")
    with pytest.raises(DataError, match="found list"):
        attributes([], "SVC")


def test_object_arrays_are_refused() -> None:
    with pytest.raises(DataError, match="only plain numbers"):
        to_array(through(np.array([{}, "x"], dtype=object), 4))


def test_an_array_whose_bytes_do_not_fit_its_shape_is_refused() -> None:
    record = through(np.arange(4.0), 4)
    record.state = (*record.state[:1], (10**9,), *record.state[2:])
    with pytest.raises(DataError, match="bytes"):
        to_array(record)


@pytest.mark.parametrize(
    "blob", [b"", b"\x80\x02", b"garbage", pickle.dumps([1, 2])[:-4], b"\x80\x02e.", b"\x80\x02h\x05."]
)
def test_damaged_streams_are_data_errors(blob: bytes) -> None:
    with pytest.raises(DataError):
        read_inert(io.BytesIO(blob), "stats.npz")
