"""The lock that keeps two processes out of one run: run.lock with host, pid and a heartbeat.

The file is linked into place whole, which fails where there is one. Its modification time is the heartbeat, renewed by
a small daemon thread; no content changes, so a reader never sees half a file. A lock is stale when its process is gone
(same host, same PID namespace, same boot) or when the heartbeat is older than :data:`STALE_SECONDS` by the clock of the
file system.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any

from molgen.core.errors import RunLockedError
from molgen.run.files import explain, explained

LOCK_FORMAT = 1
#: Seconds between two heartbeats.
HEARTBEAT_SECONDS = 15.0
#: A lock of another machine whose heartbeat is older than this is taken over.
STALE_SECONDS = 600.0


class RunLock:
    """Context manager: holds ``path`` while the block runs.

    With ``wait_seconds`` it waits that long for the other process instead of giving up at once.

    Raises (on entering):
        RunLockedError: a live process holds it; the message names host, pid and the cure.
        RunError: the folder is unwritable.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        heartbeat_seconds: float = HEARTBEAT_SECONDS,
        stale_seconds: float = STALE_SECONDS,
        wait_seconds: float = 0.0,
    ) -> None:
        self.path = Path(path)
        self._heartbeat_seconds = heartbeat_seconds
        self._stale_seconds = stale_seconds
        self._wait_seconds = wait_seconds
        self._content: bytes | None = None  # what is in the file while it is ours; it has a random token
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds the lock and nobody has taken it away."""
        try:
            return self._content is not None and self.path.read_bytes() == self._content
        except OSError:
            return False

    def check(self) -> None:
        """Raise :class:`RunLockedError` if another process took the lock (this one slept too long)."""
        if self._content is not None and not self.held:
            raise RunLockedError(
                f"{self.path} was taken over or deleted while this process (pid {os.getpid()}) was running, "
                "perhaps because it was suspended; it stops here so that the run is not written twice. "
                "See who holds it now, and use: molgen resume"
            )

    def __enter__(self) -> RunLock:
        deadline = time.monotonic() + self._wait_seconds
        while True:
            try:
                self._create()
                break
            except FileExistsError:
                try:
                    with explained(self.path, "read"):
                        self._break_if_stale()
                except RunLockedError:
                    if time.monotonic() >= deadline:
                        raise
                    time.sleep(0.05)
            except OSError as error:
                raise explain(error, self.path, "create") from error
        self._thread = threading.Thread(target=self._beat, name="molgen-heartbeat", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        if self.held:
            with contextlib.suppress(OSError):
                self.path.unlink()
        self._content = None

    def _create(self) -> None:
        """Raises FileExistsError where there is a lock. It appears whole, whenever this process is killed."""
        token = uuid.uuid4().hex
        owner = {
            "format": LOCK_FORMAT,
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "process": process_identity(os.getpid()),
            "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "token": token,
        }
        content = (json.dumps(owner) + "\n").encode()
        aside = self.path.with_name(f".{self.path.name}.{token[:8]}.tmp")
        try:
            _write_new(aside, content)
            try:
                os.link(aside, self.path)
            except FileExistsError:
                raise
            except OSError:  # a file system without hard links
                _write_new(self.path, content)
        finally:
            with contextlib.suppress(OSError):
                aside.unlink()
        self._content = content

    def _beat(self) -> None:
        while not self._stop.wait(self._heartbeat_seconds):
            if not self.held:
                return  # the writer notices at its next `check`
            # A network file system that is away for a while must not end the thread.
            with contextlib.suppress(OSError):
                os.utime(self.path)

    def _break_if_stale(self) -> None:
        """Remove a stale lock, or raise :class:`RunLockedError`."""
        try:
            found = os.stat(self.path)
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return  # released in this moment: try again
        owner: Any = None
        with contextlib.suppress(ValueError):
            owner = json.loads(raw)
        if not isinstance(owner, dict):
            owner = {}
        age = max(0.0, self._now() - found.st_mtime)
        if not _is_dead(owner) and age <= self._stale_seconds:
            raise RunLockedError(self._message(owner, age))
        # Two processes may find the same stale lock. Renaming is atomic: whoever renames a file that is not
        # the one judged stale has displaced a fresh lock and puts it back.
        aside = self.path.with_name(f"{self.path.name}.stale-{uuid.uuid4().hex[:8]}")
        try:
            os.rename(self.path, aside)
        except FileNotFoundError:
            return
        if aside.read_bytes() != raw:
            with contextlib.suppress(OSError):
                os.link(aside, self.path)
        aside.unlink()

    def _now(self) -> float:
        """The time by the clock that stamps files here (a file server's clock may differ from ours)."""
        probe = self.path.with_name(f".{self.path.name}.{uuid.uuid4().hex[:8]}.tmp")
        try:
            probe.touch()
            stamp = probe.stat().st_mtime
            probe.unlink()
        except OSError:
            return time.time()
        return stamp

    def _message(self, owner: dict[str, Any], age: float) -> str:
        host, pid = owner.get("host", "unknown host"), owner.get("pid", "unknown")
        who = f"process {pid} on {host}"
        if host == socket.gethostname() and pid == os.getpid():
            who += " (this very process: another cell or thread)"
        return (
            f"{self.path.parent} is in use by {who} since {owner.get('started', 'an unknown time')}, "
            f"last sign of life {age:.0f} s ago. "
            f"Wait for it, or stop it (kill {pid} on {host}: it saves and ends). "
            f"If you are sure that it is gone, delete {self.path}; "
            f"without a sign of life for {self._stale_seconds / 60:.0f} minutes the lock opens by itself"
        )


def _write_new(path: Path, content: bytes) -> None:
    """A new file on the disk; raises FileExistsError. What could not be written whole (disk full) is not left there."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    except BaseException:
        with contextlib.suppress(OSError):
            path.unlink()
        raise
    finally:
        os.close(descriptor)


def process_identity(pid: int) -> str | None:
    """Boot, PID namespace and start time of a process: together they never repeat. None without /proc."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        namespace = os.readlink("/proc/self/ns/pid")
        start = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None
    return f"{boot} {namespace} {start}"


def _is_dead(owner: dict[str, Any]) -> bool:
    """True only if the owner is certainly gone: its PID is of this kernel, and nobody's or another's."""
    pid, identity = owner.get("pid"), owner.get("process")
    if owner.get("host") != socket.gethostname() or not isinstance(pid, int):
        return False
    mine = process_identity(os.getpid())
    if mine is None or identity is None:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except OSError:
            return False
        return False
    if str(identity).split()[:2] != mine.split()[:2]:
        return False  # another container or boot: PIDs mean nothing here, the heartbeat decides
    return process_identity(pid) != identity
