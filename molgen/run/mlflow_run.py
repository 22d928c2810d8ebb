"""One MLflow run that mirrors one run folder: adding only what is not there yet, in batches."""

from __future__ import annotations

import hashlib
import json
import math
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from molgen.run.files import sha256_file
from molgen.run.folder import RunFolder
from molgen.run.manifest import molgen_version
from molgen.run.mlflow_store import is_local, open_store, without_password

# Limits of MLflow (mlflow.utils.validation)
_KEY, _PARAM, _METRICS, _PARAMS = 250, 6000, 1000, 100
_TAG = 8000
_UID_TAG, _FILES_TAG = "molgen.run_uid", "molgen.artifacts"
#: Metrics that are also shown against the number of paid calls.
BY_CALLS = ("best_score", "top10_score", "top100_score")
#: How a run of ours ended -> MLflow's status
MLFLOW_STATUS = {"done": "FINISHED", "failed": "FAILED", "interrupted": "KILLED", "running": "RUNNING"}
#: Files of the run folder that are mirrored (the ledger stays: it can be gigabytes).
MIRRORED = ("run.yaml", "manifest.json", "log.txt")


@dataclass(frozen=True)
class Point:
    """One value of one metric; ``time`` in milliseconds since 1970."""

    key: str
    value: float
    time: int
    step: int


def points(values: Mapping[str, Any], step: int, seconds: float | None = None) -> list[Point]:
    """The finite numbers among ``values`` as points of ``step``.

    Where they count ``calls``, what is best so far is told a second time against the calls, as ``by_calls/...``: the
    curve of sample efficiency, which steps of different sizes would bend.
    """
    stamp = int(1000 * (time.time() if seconds is None else seconds))
    found = [(clean_key(key), value, step) for key, value in values.items()]
    if isinstance(calls := values.get("calls"), int):
        found += [(f"by_calls/{key}", values[key], calls) for key in BY_CALLS if key in values]
    return [
        Point(key, float(value), stamp, at)
        for key, value, at in found
        if isinstance(value, int | float) and math.isfinite(value)
    ]


def clean_key(key: str) -> str:
    """``key`` with the characters and the length that MLflow accepts."""
    return re.sub(r"[^\w.\-/ :]", "_", key)[:_KEY]


@dataclass
class MlflowRun:
    """An MLflow run; use :meth:`open`."""

    client: Any
    run_id: str
    experiment_id: str
    uri: str
    local: bool  # metrics database and artifacts are both on this file system
    new: bool
    _steps: dict[str, set[int]] = field(default_factory=dict)

    @classmethod
    def open(cls, folder: RunFolder, uri: str, experiment: str) -> MlflowRun:
        """The MLflow run of ``folder`` at ``uri``: the known one, else found by its tag, else new."""
        client, experiment_id = open_store(uri, experiment)
        known = folder.manifest.get("mlflow") or {}
        run = None
        if known.get("tracking_uri") == without_password(uri) and known.get("run_id"):
            run = _get_run(client, known["run_id"])
        if run is None:
            found = client.search_runs([experiment_id], f"tags.`{_UID_TAG}` = '{folder.uid}'", max_results=1)
            run = found[0] if found else None
        new = run is None
        if run is None:
            started = _milliseconds(folder.manifest.get("created"))
            run = client.create_run(
                experiment_id, start_time=started, tags=_tags(folder), run_name=folder.name
            )
        local = is_local(uri) and is_local(run.info.artifact_uri)
        return cls(client, run.info.run_id, run.info.experiment_id, uri, local, new)

    @property
    def record(self) -> dict[str, str]:
        """What the manifest keeps about it."""
        uri = without_password(self.uri)
        return {"tracking_uri": uri, "experiment_id": self.experiment_id, "run_id": self.run_id}

    def add_params(self, params: Mapping[str, str]) -> tuple[int, list[str]]:
        """Add parameters; returns (how many were new, keys that are there with another value: those stay)."""
        from mlflow.entities import Param

        present = self.client.get_run(self.run_id).data.params
        new, differing = [], []
        for key, value in params.items():
            key, value = clean_key(key), _shorten(value, _PARAM)
            if key not in present:
                new.append(Param(key, value))
            elif present[key] != value:
                differing.append(key)
        for start in range(0, len(new), _PARAMS):
            self.client.log_batch(self.run_id, params=new[start : start + _PARAMS])
        return len(new), differing

    def add_metrics(self, batch: Sequence[Point]) -> int:
        """Add points whose (metric, step) is not there yet; returns how many were."""
        from mlflow.entities import Metric

        fresh = []
        for point in batch:
            steps = self._known_steps(point.key)
            if point.step not in steps:
                steps.add(point.step)
                fresh.append(Metric(point.key, point.value, point.time, point.step))
        try:
            for start in range(0, len(fresh), _METRICS):
                self.client.log_batch(self.run_id, metrics=fresh[start : start + _METRICS])
        except BaseException:
            # Whether the server has taken it is not known: ask it next time
            self._steps.clear()
            self.new = False
            raise
        return len(fresh)

    def add_artifacts(self, files: Iterable[tuple[Path, str]]) -> int:
        """Upload the (file, artifact name) pairs whose content is not there yet; returns how many."""
        present = self._uploaded()
        added = 0
        for path, name in files:
            digest = sha256_file(path)[:16]
            key = hashlib.sha256(name.encode()).hexdigest()[:8]  # names can be long, the tag is short
            if present.get(key) == digest:
                continue
            self.client.log_artifact(self.run_id, str(path), name.rpartition("/")[0] or None)
            present[key] = digest
            added += 1
        if added:
            text = json.dumps(present, separators=(",", ":"))
            if len(text) <= _TAG:  # with more than 250 files, all are sent again each time
                self.client.set_tag(self.run_id, _FILES_TAG, text)
        return added

    def set_status(self, status: str, ended: str | None = None) -> None:
        """Set MLflow's status and our own word for it."""
        self.client.set_tag(self.run_id, "molgen.status", status)
        mapped = MLFLOW_STATUS.get(status, "RUNNING")
        if mapped == "RUNNING":
            self.client.update_run(self.run_id, status=mapped)
        else:
            self.client.set_terminated(self.run_id, status=mapped, end_time=_milliseconds(ended))

    def _known_steps(self, key: str) -> set[int]:
        if key not in self._steps:
            history = [] if self.new else self.client.get_metric_history(self.run_id, key)
            self._steps[key] = {metric.step for metric in history}
        return self._steps[key]

    def _uploaded(self) -> dict[str, str]:
        text = self.client.get_run(self.run_id).data.tags.get(_FILES_TAG, "{}")
        try:
            return dict(json.loads(text))
        except ValueError:
            return {}


def mirrored_files(folder: RunFolder) -> list[tuple[Path, str]]:
    """(file, name) of what is mirrored of a run folder: configuration, manifest, log and results."""
    files = [(folder.path / name, name) for name in MIRRORED]
    files += [(path, path.relative_to(folder.path).as_posix()) for path in sorted(folder.results.rglob("*"))]
    return [(path, name) for path, name in files if path.is_file() and not path.name.endswith(".tmp")]


def _get_run(client: Any, run_id: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        run = client.get_run(run_id)
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return None
    return run if run.info.lifecycle_stage == "active" else None


def _tags(folder: RunFolder) -> dict[str, str]:
    manifest = folder.manifest
    git = manifest.get("git") or {}
    tags = {
        _UID_TAG: folder.uid,
        "molgen.version": molgen_version(),
        "molgen.kind": folder.kind,
        "molgen.folder": folder.name,
        "mlflow.source.name": "molgen",
        "mlflow.source.type": "JOB" if manifest.get("slurm") else "LOCAL",
    }
    if git.get("commit"):
        tags["mlflow.source.git.commit"] = git["commit"]
        tags["molgen.git.dirty"] = str(git.get("dirty")).lower()
    return tags


def _shorten(text: str, limit: int) -> str:
    note = "... (cut, see run.yaml)"
    return text if len(text) <= limit else text[: limit - len(note)] + note


def _milliseconds(stamp: str | None) -> int | None:
    if not stamp:
        return None
    from datetime import datetime

    return int(1000 * datetime.fromisoformat(stamp).timestamp())
