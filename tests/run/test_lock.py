"""One process at a time: refusals in words, stale locks taken over, live ones never."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from molgen.core.errors import RunLockedError
from molgen.run.lock import STALE_SECONDS, RunLock, process_identity

HOLD = """
    import sys
    from molgen.run.lock import RunLock
    with RunLock(sys.argv[1]):
        print("held", flush=True)
        sys.stdin.read()
"""


def hold_in_another_process(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLD), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def write_lock(path: Path, **changes: object) -> None:
    owner = {"format": 1, "host": socket.gethostname(), "pid": os.getpid(), "started": "then", "token": "t"}
    owner |= {"process": process_identity(os.getpid())} | changes
    path.write_text(json.dumps(owner))


def test_two_processes_on_one_run_the_second_is_told_host_pid_and_cure(tmp_path: Path):
    path = tmp_path / "run.lock"
    process = hold_in_another_process(path)
    try:
        with pytest.raises(RunLockedError) as caught, RunLock(path):
            pass
        message = str(caught.value)
        assert f"process {process.pid} on {socket.gethostname()}" in message
        assert f"delete {path}" in message
        assert f"kill {process.pid}" in message
    finally:
        process.communicate(timeout=20)
    assert not path.exists()  # released by its owner
    with RunLock(path):
        pass


def test_lock_of_a_killed_process_is_taken_over_at_once(tmp_path: Path):
    path = tmp_path / "run.lock"
    process = hold_in_another_process(path)
    process.kill()
    process.communicate(timeout=20)
    assert path.exists()
    with RunLock(path) as lock:
        assert lock.held
    assert list(tmp_path.iterdir()) == []


def test_process_killed_while_it_locks_leaves_no_lock_that_nobody_owns(tmp_path: Path) -> None:
    """Created first and written then, the file was empty in between: the run stayed closed for ten minutes."""
    code = (
        "import os, signal, sys\n"
        "from molgen.run.lock import RunLock\n"
        "os.write = lambda *args: os.kill(os.getpid(), signal.SIGKILL)\n"
        "RunLock(sys.argv[1]).__enter__()\n"
    )
    path = tmp_path / "run.lock"
    ended = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not path.exists()
    with RunLock(path):
        pass


def test_file_system_without_hard_links_is_locked_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    with RunLock(tmp_path / "run.lock"), pytest.raises(RunLockedError):
        RunLock(tmp_path / "run.lock").__enter__()
    assert list(tmp_path.iterdir()) == []


def test_own_process_is_named_as_such(tmp_path: Path):
    path = tmp_path / "run.lock"
    with RunLock(path), pytest.raises(RunLockedError, match="this very process"), RunLock(path):
        pass


@pytest.mark.skipif(process_identity(os.getpid()) is None, reason="needs /proc")
def test_pid_that_was_given_to_another_process_does_not_keep_the_lock(tmp_path: Path):
    path = tmp_path / "run.lock"
    identity = process_identity(os.getpid())
    assert identity is not None
    boot, namespace, start = identity.split()
    write_lock(path, process=f"{boot} {namespace} {int(start) + 1}")
    with RunLock(path) as lock:
        assert lock.held


@pytest.mark.parametrize(
    "changes",
    [{"host": "elsewhere"}, {"process": "other-boot pid:[1] 5", "pid": 2**22 + 1}],
    ids=["another host", "another container"],
)
def test_process_of_another_machine_counts_as_alive_until_its_heartbeat_is_old(
    tmp_path: Path, changes: dict[str, object]
):
    path = tmp_path / "run.lock"
    write_lock(path, **changes)
    with pytest.raises(RunLockedError, match="last sign of life"), RunLock(path):
        pass
    stamp = path.stat().st_mtime - STALE_SECONDS - 5
    os.utime(path, (stamp, stamp))
    with RunLock(path) as lock:
        assert lock.held


def test_unreadable_lock_is_respected_until_it_is_old(tmp_path: Path):
    path = tmp_path / "run.lock"
    path.write_text("")  # its owner is between creating and writing it
    with pytest.raises(RunLockedError, match="unknown host"), RunLock(path):
        pass


def test_live_lock_that_was_renamed_by_mistake_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "run.lock"
    write_lock(path, host="elsewhere")
    os.utime(path, (1, 1))
    original = os.rename

    def another_was_quicker(source: Path, target: Path) -> None:
        monkeypatch.undo()
        path.unlink()
        write_lock(path, token="fresh", host="elsewhere")
        original(source, target)

    monkeypatch.setattr(os, "rename", another_was_quicker)
    with pytest.raises(RunLockedError, match="elsewhere"), RunLock(path):
        pass
    assert json.loads(path.read_text())["token"] == "fresh"
    assert [item.name for item in tmp_path.iterdir()] == ["run.lock"]


def test_lost_lock_is_noticed_and_not_deleted(tmp_path: Path):
    path = tmp_path / "run.lock"
    with RunLock(path) as lock:
        lock.check()
        write_lock(path, token="thief")
        assert not lock.held
        with pytest.raises(RunLockedError, match="taken over or deleted while this process"):
            lock.check()
    assert json.loads(path.read_text())["token"] == "thief"


def test_heartbeat_renews_the_time_of_the_file(tmp_path: Path):
    path = tmp_path / "run.lock"
    with RunLock(path, heartbeat_seconds=0.01) as lock:
        os.utime(path, (1, 1))
        for _ in range(500):
            if path.stat().st_mtime > 1:
                break
            lock._stop.wait(0.01)
        assert path.stat().st_mtime > 1
    assert lock._thread is not None
    assert not lock._thread.is_alive()


def test_waiting_lock_gets_it_when_the_other_lets_go(tmp_path: Path):
    path = tmp_path / "run.lock"
    process = hold_in_another_process(path)
    assert process.stdin is not None
    process.stdin.close()
    with RunLock(path, wait_seconds=20) as lock:
        assert lock.held
    process.wait(timeout=20)
    assert process.stdout is not None
    process.stdout.close()
