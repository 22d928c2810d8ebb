"""The run folder: the record of a run, created whole, opened with checks, written by one process.

    run.yaml          the configuration, all defaults written out
    manifest.json     format number, uid, kind, status, seed, versions, git, device, sha256 of inputs and
    models log.txt           what was said, with UTC times
    metrics.jsonl     one line per step
    ledger.jsonl      every proposal, append-only
    checkpoints/      what `molgen resume` starts from
    results/          what is delivered
    run.lock          exists while a process works on the run

docs/runs.md describes every file.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from molgen.core.errors import RunError
from molgen.run import checkpoint as checkpoints
from molgen.run.checkpoint import Checkpoint
from molgen.run.files import explained, read_json, write_atomic, write_json
from molgen.run.ledger import Ledger
from molgen.run.lock import RunLock
from molgen.run.manifest import MANIFEST_FORMAT, now
from molgen.run.progress import say

_MANIFEST, _LOCK, _OFFSETS = "manifest.json", "run.lock", "journal_offsets"
#: What molgen writes into a run folder; nothing else is ever deleted by ``overwrite``.
OWN_NAMES = frozenset(
    {
        "run.yaml",
        _MANIFEST,
        "log.txt",
        "metrics.jsonl",
        "ledger.jsonl",
        "scores.jsonl",
        "checkpoints",
        "results",
        "code",
    }
)


class RunFolder:
    """A run on disk. Use :meth:`create` or :meth:`open`, and :meth:`lock` before writing to it."""

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        self.path = path
        self.quiet = False  # True: `log` writes to the file only
        self._manifest = manifest
        self._lock: RunLock | None = None
        self._writing = threading.Lock()
        self.ledger = Ledger(path / "ledger.jsonl", guard=self.check_lock)
        # Metrics are shown, not resumed from: no fsync for each step
        self.metrics = Ledger(path / "metrics.jsonl", kind="metrics", durable=False, guard=self.check_lock)

    @classmethod
    def create(
        cls,
        path: Path | str,
        *,
        kind: str,
        config_text: str,
        manifest: Mapping[str, Any],
        overwrite: bool = False,
        keep: Collection[str] = (),
        prepare: Callable[[Path], object] | None = None,
    ) -> RunFolder:
        """Make a new run folder; its manifest is written last, so that half a creation is no run.

        Args:
            path: the folder; may exist if it is empty, or with ``overwrite`` if it is a run folder.
            kind: what the run does (``optimize``, ``train`` ...).
            config_text: content of ``run.yaml``.
            manifest: from :func:`molgen.run.manifest.collect`; ``uid`` and ``created`` are added where
                missing.
            overwrite: delete what an earlier run left there (files that molgen did not write stay).
            keep: names in the folder that the caller has just made for this run.
            prepare: called with the folder before the manifest makes it a run.

        Raises:
            RunError: exists already, is no folder, is unwritable, the disk is full.
            RunLockedError: another process is writing there.
        """
        path = Path(path).absolute()
        if path.exists() and not path.is_dir():
            raise RunError(f"{path} is a file, not a folder; choose another output folder")
        with explained(path, "create"):
            path.mkdir(parents=True, exist_ok=True)
        with RunLock(path / _LOCK):
            _make_room(path, overwrite, keep)
            write_atomic(path / "run.yaml", config_text)
            for name in ("checkpoints", "results"):
                with explained(path / name, "create"):
                    (path / name).mkdir()
            full = {
                "format": MANIFEST_FORMAT,
                "kind": kind,
                "status": "created",
                "uid": uuid.uuid4().hex,
                "created": now(),
            }
            full |= dict(manifest) | {"format": MANIFEST_FORMAT, "kind": kind}
            if prepare is not None:
                prepare(path)
            write_json(path / _MANIFEST, full)
        return cls(path, full)

    @classmethod
    def open(cls, path: Path | str) -> RunFolder:
        """Open an existing run folder.

        Raises:
            RunError: no run folder, a damaged manifest, or a newer format.
        """
        path = Path(path).absolute()
        if not (path / _MANIFEST).is_file():
            hint = "there is no such folder"
            if path.exists():
                hint = f"it has no {_MANIFEST}: no run, or one whose start was cut short: start it again"
            raise RunError(f"{path} is not a run folder: {hint}")
        return cls(path, read_json(path / _MANIFEST, newest=MANIFEST_FORMAT))

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.path.name

    @property
    def config_path(self) -> Path:
        """``run.yaml``."""
        return self.path / "run.yaml"

    @property
    def results(self) -> Path:
        """The folder of what is delivered."""
        return self.path / "results"

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def manifest(self) -> dict[str, Any]:
        """A copy of the manifest."""
        return dict(self._manifest)

    @property
    def uid(self) -> str:
        """The id that this run keeps when its folder is renamed or copied."""
        return str(self._manifest.get("uid", ""))

    @property
    def kind(self) -> str:
        """What the run does (``optimize``, ``train`` ...)."""
        return str(self._manifest.get("kind", ""))

    @property
    def status(self) -> str:
        """``created``, ``running``, ``interrupted``, ``failed`` or ``done``, as last written."""
        return str(self._manifest.get("status", ""))

    def update_manifest(self, **values: Any) -> None:
        """Set top-level keys of the manifest, atomically (``status="running"``)."""
        self.check_lock()
        with self._writing:
            changed = {**self._manifest, **values, "updated": now()}
            write_json(self.path / _MANIFEST, changed)
            self._manifest = changed

    @contextlib.contextmanager
    def lock(self) -> Iterator[RunLock]:
        """Hold the run while the block runs; torn ends of ledger and metrics are repaired on entering.

        Raises:
            RunLockedError: another live process has it; the message names host, pid and the cure.
        """
        with RunLock(self.path / _LOCK) as held:
            # Another process may have written since this one opened the folder
            self._manifest = read_json(self.path / _MANIFEST, newest=MANIFEST_FORMAT)
            self._lock = held
            try:
                for journal in (self.ledger, self.metrics):
                    if dropped := journal.repair():
                        self.log(f"{journal.path.name}: dropped {dropped} torn line(s) that a crash left")
                yield held
            finally:
                self._lock = None

    def check_lock(self) -> None:
        """Raise :class:`RunLockedError` if this process lost the lock it held; called before each write."""
        if self._lock is not None:
            self._lock.check()

    def log_metrics(self, values: Mapping[str, Any], step: int) -> None:
        """Append one step to ``metrics.jsonl`` (with ``step`` and ``time``, seconds since 1970)."""
        self.metrics.append({"step": step, "time": round(time.time(), 3), **values})

    def log(self, message: str) -> None:
        """Append ``message`` with the UTC time to ``log.txt`` and, unless ``quiet``, say it on stderr.

        A log that cannot be written ends no run: the message then goes to stderr, with the reason.
        """
        if not self.quiet:
            say(message)
        try:
            with self._writing, open(self.path / "log.txt", "a", encoding="utf-8") as file:
                file.write("".join(f"{now()}  {line}\n" for line in message.splitlines() or [""]))
        except OSError as error:
            say(
                f"cannot write {self.path / 'log.txt'}: {error.strerror}"
                + (f"; {message}" if self.quiet else "")
            )

    def save_checkpoint(
        self, step: int, tensors: Mapping[str, Any], state: Mapping[str, Any], *, keep: int = 2
    ) -> Path:
        """:func:`molgen.run.checkpoint.save` into this run, with how long ledger and metrics are at this point.

        Raises:
            RunLockedError: the lock was lost.
            RunError: disk full, folder unwritable.
        """
        self.check_lock()
        offsets = {journal.path.name: journal.offset() for journal in (self.ledger, self.metrics)}
        return checkpoints.save(self.checkpoints, step, tensors, {**state, _OFFSETS: offsets}, keep)

    def latest_checkpoint(self) -> Checkpoint | None:
        """:func:`molgen.run.checkpoint.latest` of this run; a damaged one is reported in the log."""
        return checkpoints.latest(self.checkpoints, say=self.log)

    def resume(self) -> Checkpoint | None:
        """The newest undamaged checkpoint, with ledger and metrics cut back to it; None: start from nothing.

        Raises:
            RunError: all checkpoints are damaged, or the ledger is shorter than the checkpoint says.
        """
        found = self.latest_checkpoint()
        offsets = found.state.get(_OFFSETS, {}) if found else {}
        self.ledger.truncate(offsets.get(self.ledger.path.name, 0))
        # Metrics are not synced: after a power cut they may be shorter than the checkpoint says, which is no harm
        self.metrics.truncate(min(offsets.get(self.metrics.path.name, 0), self.metrics.offset()))
        return found


def _make_room(path: Path, overwrite: bool, keep: Collection[str] = ()) -> None:
    """Leave ``path`` without files of an earlier run, or raise :class:`RunError`."""
    present = {item.name for item in path.iterdir() if item.name != _LOCK and not item.name.endswith(".tmp")}
    present -= set(keep)
    if not present:
        return
    if _MANIFEST not in present and not present <= OWN_NAMES:
        raise RunError(
            f"{path} is not empty and not a run folder (it has {', '.join(sorted(present)[:3])}); "
            "choose another output folder"
        )
    if _MANIFEST in present and not overwrite:
        raise RunError(
            f"{path} already holds a run; continue it with: molgen resume {path}; "
            "or replace it with --overwrite; or choose another output folder"
        )
    # The manifest goes first: a folder that is half deleted must not look like a run
    for name in (_MANIFEST, *sorted((present & OWN_NAMES) - {_MANIFEST})):
        item = path / name
        with explained(item, "delete"):
            if item.is_dir() and not item.is_symlink():
                shutil.rmtree(item)
            else:
                item.unlink(missing_ok=True)
