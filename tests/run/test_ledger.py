"""The journal: what is written comes back, torn ends go, and nothing else does."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest

from molgen.core.errors import RunError, RunLockedError
from molgen.run import ledger as module
from molgen.run.ledger import LEDGER_FORMAT, Ledger

ROWS = [{"id": 1, "smiles": "CC/C=C\\C", "score": 0.25}, {"id": 2, "smiles": "é", "parents": ["a"]}]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger.jsonl")


def test_rows_come_back_after_a_header_with_the_format_number(ledger: Ledger):
    ledger.append_many(ROWS)
    ledger.append({"id": 3})
    assert list(ledger.rows()) == [*ROWS, {"id": 3}]
    assert json.loads(ledger.path.read_text().splitlines()[0]) == {"format": LEDGER_FORMAT, "kind": "ledger"}


def test_nan_and_numpy_values_are_valid_json(ledger: Ledger):
    ledger.append(
        {"a": float("nan"), "b": np.float32("inf"), "c": np.int64(3), "d": np.array([1.0, np.nan]), "e": (1,)}
    )
    assert list(ledger.rows()) == [{"a": None, "b": None, "c": 3, "d": [1.0, None], "e": [1]}]
    assert "NaN" not in ledger.path.read_text()


def test_value_that_is_no_json_writes_nothing(ledger: Ledger):
    with pytest.raises(TypeError, match="object"):
        ledger.append_many([{"a": 1}, {"a": object()}])
    assert list(ledger.rows()) == []


def test_one_batch_is_one_write(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    sizes = []
    original = os.write
    monkeypatch.setattr(module.os, "write", lambda fd, data: sizes.append(len(data)) or original(fd, data))
    ledger.append_many(ROWS * 500)
    assert sizes == [ledger.path.stat().st_size]


def test_empty_ledger_has_no_rows_and_offset_zero(ledger: Ledger):
    assert list(ledger.rows()) == []
    assert ledger.offset() == 0
    assert ledger.repair() == 0
    ledger.truncate(0)
    ledger.append_many([])
    assert not ledger.path.exists()


def test_truncate_to_an_offset_forgets_what_came_after(ledger: Ledger):
    ledger.append_many(ROWS)
    offset = ledger.offset()
    ledger.append({"id": 3})
    assert list(ledger.rows(offset)) == [{"id": 3}]
    ledger.truncate(offset)
    assert list(ledger.rows()) == ROWS
    ledger.truncate(0)
    ledger.append({"id": 9})
    assert list(ledger.rows()) == [{"id": 9}]


def test_truncate_refuses_an_offset_of_another_file(ledger: Ledger):
    ledger.append_many(ROWS)
    before = ledger.path.read_bytes()
    for offset in (ledger.offset() + 1, ledger.offset() - 1):
        with pytest.raises(RunError, match=f"no line that ends at byte {offset}"):
            ledger.truncate(offset)
    assert ledger.path.read_bytes() == before
    ledger.path.unlink()
    with pytest.raises(RunError, match="is missing, but the checkpoint was saved with 30 bytes"):
        ledger.truncate(30)


@pytest.mark.parametrize(
    ("tail", "dropped"),
    [
        (b'{"id": 3, "smi', 1),
        (b"\0" * 5000, 1),
        (b'{"id": 3}\0\0\0\n{"id": 4}\n', 2),
        (b'{"id": 3\n', 1),
        (b"7\n", 1),
        (b'{"id": 3\n{"id"', 2),
    ],
)
def test_torn_end_is_dropped_before_the_next_append(ledger: Ledger, tail: bytes, dropped: int):
    ledger.append_many(ROWS)
    offset = ledger.offset()
    with open(ledger.path, "ab") as file:
        file.write(tail)
    assert list(ledger.rows())[:2] == ROWS  # a reader of a live file does not stumble
    assert ledger.repair() == dropped
    assert ledger.offset() == offset
    assert ledger.repair() == 0
    ledger.append({"id": 5})
    assert list(ledger.rows()) == [*ROWS, {"id": 5}]


def test_append_repairs_a_half_line_by_itself(ledger: Ledger):
    ledger.append_many(ROWS)
    with open(ledger.path, "ab") as file:
        file.write(b'{"id": 3, "smi')
    ledger.append({"id": 5})
    assert list(ledger.rows()) == [*ROWS, {"id": 5}]


def test_whole_row_without_its_newline_is_kept(ledger: Ledger):
    ledger.append_many(ROWS)
    os.truncate(ledger.path, ledger.path.stat().st_size - 1)
    assert ledger.repair() == 0
    ledger.append({"id": 3})
    assert list(ledger.rows()) == [*ROWS, {"id": 3}]


def test_every_possible_cut_is_repaired_to_a_prefix_of_the_rows(ledger: Ledger):
    ledger.append_many(ROWS)
    whole = ledger.path.read_bytes()
    for cut in range(len(whole) + 1):
        ledger.path.write_bytes(whole[:cut])
        ledger.repair()
        ledger.append({"id": 9})
        rows = list(ledger.rows())
        assert rows[-1] == {"id": 9}
        assert rows[:-1] == ROWS[: len(rows) - 1]
        assert len(rows) - 1 >= whole[:cut].count(b"\n") - 1


def test_lines_longer_than_a_piece_are_found(ledger: Ledger, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "_PIECE", 7)
    ledger.append_many(ROWS)
    with open(ledger.path, "ab") as file:
        file.write(b'{"torn": "xxxxxxxxxxxxxxxxxxxxxxxxxxx')
    assert ledger.repair() == 1
    assert list(ledger.rows()) == ROWS


def test_damage_in_the_middle_is_an_error_with_its_line(ledger: Ledger):
    ledger.append_many(ROWS)
    lines = ledger.path.read_bytes().split(b"\n")
    lines[1] = b'{"id": '
    ledger.path.write_bytes(b"\n".join(lines))
    with pytest.raises(RunError, match=r"ledger\.jsonl, line 2: damaged"):
        list(ledger.rows())


def test_full_disk_in_the_middle_of_a_batch_leaves_the_file_as_it_was(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
):
    ledger.append_many(ROWS)
    before = ledger.path.read_bytes()
    original = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) > 10:
            return original(descriptor, data[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module.os, "write", full)
    with pytest.raises(RunError, match=r"append to .*ledger\.jsonl: No space left.*molgen resume"):
        ledger.append({"id": 3, "smiles": "C" * 7})
    assert ledger.path.read_bytes() == before


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ('{"format": 99, "kind": "ledger"}', "written by a newer molgen"),
        ('{"format": 1, "kind": "metrics"}', "kind 'metrics', expected 'ledger'"),
        ('{"id": 1}', "no header with a format number"),
        ("smiles,score", "no header with a format number"),
    ],
)
def test_file_of_another_kind_is_refused(ledger: Ledger, header: str, message: str):
    ledger.path.write_text(header + "\n")
    with pytest.raises(RunError, match=message):
        list(ledger.rows())


def test_guard_keeps_a_process_without_lock_from_writing(tmp_path: Path):
    def lost() -> None:
        raise RunLockedError("lost")

    ledger = Ledger(tmp_path / "ledger.jsonl", guard=lost)
    with pytest.raises(RunLockedError):
        ledger.append({"id": 1})
    assert not ledger.path.exists()
