"""MLflow as the mirror of a run folder: one batch per step, never fatal, one MLflow run across resumes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from molgen.core.errors import RunError
from molgen.core.schema import TrackingConfig
from molgen.run.folder import RunFolder
from molgen.run.mlflow_model import log_model
from molgen.run.mlflow_run import MlflowRun, Point, mirrored_files, points
from molgen.run.mlflow_store import is_local, tracking_uri, without_password
from molgen.run.tracker import Status, flatten

#: Seconds between two tries to reach a server that did not answer; doubled up to the second number.
RETRY_SECONDS, MAX_RETRY_SECONDS = 60.0, 600.0
_MAX_POINTS = 200_000  # kept while the server is away; metrics.jsonl has them all


class MlflowTracker:
    """Mirrors a run into MLflow.

    A failure is logged at most once a minute and the run goes on; what could not be sent is sent when the
    server is back, or by ``molgen track RUN``. A remote server gets no structures unless
    ``config.log_structures``: then only metrics, numeric parameters and files logged with
    ``structures=False`` leave this machine.
    """

    def __init__(
        self,
        config: TrackingConfig,
        folder: RunFolder,
        *,
        uri: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.uri = uri or tracking_uri(folder.path)
        self._config = config
        self._folder = folder
        self._clock = clock
        self._run: MlflowRun | None = None
        self._params: Mapping[str, Any] | None = None
        self._points: deque[Point] = deque(maxlen=_MAX_POINTS)
        self._files: list[tuple[Path, str, bool]] = []
        self._models: list[tuple[Path, Path, dict[str, Any]]] = []
        self._next_try = -float("inf")
        self._failures = 0

    @property
    def run_id(self) -> str | None:
        """The id of the MLflow run; None while it could not be made."""
        return self._run.run_id if self._run else None

    def start(self, run: RunFolder, params: Mapping[str, Any]) -> None:
        """See :class:`molgen.run.tracker.Tracker`."""
        self._folder = run
        self._params = params
        if self._attempt(self._flush):
            assert self._run is not None
            where = without_password(self.uri)
            hint = f"; see it with: mlflow ui --backend-store-uri {where}" if is_local(self.uri) else ""
            run.log(f"MLflow: run {self._run.run_id} in {where}{hint}")
            if not self._may_share():
                run.log(
                    "MLflow is remote: structures, results and models stay here; "
                    "tracking.log_structures: true sends them"
                )

    def log_metrics(self, values: Mapping[str, float], step: int) -> None:
        """See :class:`molgen.run.tracker.Tracker`."""
        self._points.extend(points(values, step))
        self._attempt(self._flush)

    def log_artifact(self, path: Path | str, *, structures: bool = True) -> None:
        """See :class:`molgen.run.tracker.Tracker`."""
        path = Path(path)
        inside = path.is_relative_to(self._folder.path)
        base = self._folder.path if inside else path.parent
        found = [path] if path.is_file() else sorted(item for item in path.rglob("*") if item.is_file())
        self._files += [(item, item.relative_to(base).as_posix(), structures) for item in found]
        self._attempt(self._flush)

    def log_model(
        self, model_dir: Path | str, code: Path | str, params: Mapping[str, Any] | None = None
    ) -> None:
        """See :class:`molgen.run.tracker.Tracker`."""

        self._models.append((Path(model_dir), Path(code), dict(params or {})))
        self._attempt(self._send_models, now=True)

    def finish(self, status: Status) -> None:
        """See :class:`molgen.run.tracker.Tracker`."""

        def send() -> None:
            self._flush()
            assert self._run is not None
            if self._may_share():
                self._run.add_artifacts(mirrored_files(self._folder))
            self._run.set_status(status)

        if not self._attempt(send, now=True):
            self._folder.log(
                "MLflow does not have everything of this run; "
                f"send it later with: molgen track {self._folder.path}"
            )
        elif self._models and not self._attempt(self._send_models, now=True):
            self._folder.log(f"MLflow does not have the model {self._models[0][0]}")

    def _send_models(self) -> None:
        self._flush()
        assert self._run is not None
        while self._models:
            if self._may_share():
                log_model(self._run.client, self._run.run_id, *self._models[0])
            self._models.pop(0)

    def _may_share(self) -> bool:
        return self._config.log_structures or (self._run is not None and self._run.local)

    def _flush(self) -> None:
        """Send everything that waits; raises whatever MLflow raises."""
        if self._run is None:
            run = MlflowRun.open(self._folder, self.uri, self._config.experiment)
            if self._folder.manifest.get("mlflow") != run.record:
                self._folder.update_manifest(mlflow=run.record)
            run.set_status("running")
            self._run = run
        if self._params is not None:
            differing: list[str] = []
            try:
                _, differing = self._run.add_params(flatten(self._params, share_text=self._may_share()))
            except Exception as error:
                if getattr(error, "error_code", "") != "INVALID_PARAMETER_VALUE":
                    raise
                # An older server with shorter limits: it would refuse each time and never get a metric
                self._folder.log(f"MLflow refuses the parameters ({_short(error)}); they are in run.yaml")
            self._params = None
            if differing:
                self._folder.log(
                    f"MLflow keeps the first value of changed parameters: {', '.join(differing)}"
                )
        if self._points:
            self._run.add_metrics(list(self._points))
            self._points.clear()
        if self._files:
            wanted = [
                (path, name) for path, name, structures in self._files if self._may_share() or not structures
            ]
            self._run.add_artifacts((path, name) for path, name in wanted if path.is_file())
            self._files.clear()

    def _attempt(self, action: Callable[[], None], *, now: bool = False) -> bool:
        """Do it unless the server was found dead a short while ago; True if it worked."""
        if not now and self._clock() < self._next_try:
            return False
        try:
            action()
        except Exception as error:  # MLflow raises its own, requests', SQLAlchemy's and the file system's
            wait = min(RETRY_SECONDS * 2**self._failures, MAX_RETRY_SECONDS)
            self._failures += 1
            self._next_try = self._clock() + wait
            self._folder.log(
                f"MLflow at {without_password(self.uri)} failed ({_short(error)}); the run goes on, "
                f"next try in {wait:.0f} s{_hint(self.uri, error)}"
            )
            return False
        if self._failures:
            self._failures = 0
            self._next_try = -float("inf")
            self._folder.log("MLflow answers again, what waited was sent")
        return True


def replay(
    folder: RunFolder, uri: str | None = None, *, config: TrackingConfig | None = None
) -> dict[str, Any]:
    """Mirror a finished or running run folder (``molgen track RUN``); the second time adds nothing.

    Args:
        folder: only read, so that a running process is not disturbed.
        uri: default: ``MLFLOW_TRACKING_URI``, else the SQLite file beside the run folder.
        config: default: the section ``tracking`` of ``run.yaml``.

    Returns:
        ``run_id``, ``uri`` and how many ``params``, ``metrics`` and ``artifacts`` were added.

    Raises:
        RunError: the store cannot be reached or refuses; here that is an error.
    """
    try:
        settings = yaml.safe_load(folder.config_path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise RunError(f"cannot read {folder.config_path}: {error}") from error
    config = config or TrackingConfig(**settings.get("tracking", {}))
    uri = uri or tracking_uri(folder.path)
    try:
        run = MlflowRun.open(folder, uri, config.experiment)
        share = run.local or config.log_structures
        params, _ = run.add_params(flatten(settings, share_text=share))
        metrics, batch = 0, []
        for row in folder.metrics.rows():
            step, seconds = row.pop("step", 0), row.pop("time", None)
            batch += points(row, step, seconds)
            if len(batch) >= 5000:
                metrics += run.add_metrics(batch)
                batch = []
        metrics += run.add_metrics(batch)
        artifacts = run.add_artifacts(mirrored_files(folder)) if share else 0
        if folder.status in ("done", "interrupted", "failed"):
            run.set_status(folder.status, folder.manifest.get("updated"))
    except RunError:
        raise
    except Exception as error:
        raise RunError(
            f"cannot mirror {folder.path} to MLflow at {without_password(uri)}: "
            f"{_short(error)}{_hint(uri, error)}"
        ) from error
    return {
        "run_id": run.run_id,
        "uri": without_password(uri),
        "params": params,
        "metrics": metrics,
        "artifacts": artifacts,
    }


def _short(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0] if len(lines[0]) <= 200 else lines[0][:200] + "..."


def _hint(uri: str, error: Exception) -> str:
    scheme = uri.partition(":")[0]
    if (scheme == "file" or ":" not in uri) and "MLFLOW_ALLOW_FILE_STORE" in str(error):
        return (
            "; MLflow no longer opens folder stores: move yours with: mlflow migrate-filestore --source DIR "
            "--target sqlite:///mlflow.db, or set MLFLOW_ALLOW_FILE_STORE=true"
        )
    return ""
