"""Atomic writes and what the file system's refusals become."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from molgen.core.errors import RunError
from molgen.run import files
from molgen.run.files import read_json, sha256_path, short_names, write_atomic, write_json


def test_full_disk_keeps_the_old_file_and_leaves_no_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = tmp_path / "state.json"
    write_atomic(path, "old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises(
        RunError, match=r"state\.json: No space left.*disk is full; free some space"
    ) as caught:
        write_atomic(path, "new")
    assert str(path) in str(caught.value)
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["state.json"]


def test_folder_that_is_a_file_is_named_with_the_cure(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"file/state\.json: .*is a file, not a folder"):
        write_atomic(tmp_path / "file" / "state.json", "x")


def test_unwritable_folder_is_named_with_the_cure(tmp_path: Path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    if os.access(folder, os.W_OK):
        pytest.skip("permissions are not enforced for this user (root)")
    with pytest.raises(RunError, match=r"locked/x: Permission denied: no permission; choose a folder"):
        write_atomic(folder / "x", "x")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.EDQUOT, errno.EIO])
def test_each_refusal_has_a_cure(tmp_path: Path, code: int):
    with pytest.raises(RunError, match=r"cannot write .*x: .*: .{20,}"), files.explained(tmp_path / "x"):
        raise OSError(code, os.strerror(code))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not JSON"),
        ("[1]", "expected a JSON object"),
        ('{"a": 1}', "no format number"),
        ('{"format": true}', "no format number"),
        ('{"format": 3}', "has format 3, this molgen reads up to 2: it was written by a newer molgen"),
    ],
)
def test_json_of_no_use_is_refused_in_words(tmp_path: Path, content: str, message: str):
    path = tmp_path / "m.json"
    path.write_text(content)
    with pytest.raises(RunError, match=message):
        read_json(path, newest=2)


def test_json_refuses_nan(tmp_path: Path):
    with pytest.raises(ValueError, match="Out of range float"):
        write_json(tmp_path / "m.json", {"format": 1, "x": float("nan")})


def test_digest_of_a_folder_follows_names_and_contents(tmp_path: Path):
    first, second = tmp_path / "a", tmp_path / "b"
    for folder in (first, second):
        (folder / "sub").mkdir(parents=True)
        (folder / "sub" / "x").write_text("1")
        (folder / "y").write_text("2")
    assert sha256_path(first) == sha256_path(second)
    (second / "y").rename(second / "z")
    assert sha256_path(first) != sha256_path(second)


def test_files_that_share_a_name_are_told_apart_by_their_folders() -> None:
    found = short_names(
        ["/x/egfr/card.json", "/x/herg/card.json", "/y/my.py", "/y/my.py", "seeds"], taken=("seeds",)
    )
    assert found == {
        "egfr/card.json": Path("/x/egfr/card.json"),
        "herg/card.json": Path("/x/herg/card.json"),
        "my.py": Path("/y/my.py"),
        "seeds": Path("seeds"),
    }
    assert list(short_names(["/p/a/m/c", "/q/a/m/c", "c"])) == ["p/a/m/c", "q/a/m/c", "c"]
