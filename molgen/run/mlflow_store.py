"""Reaching MLflow: which store, created once under a lock, telemetry off, artifacts next to the database."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from molgen.run.lock import RunLock

# A dead server must not hold up the run. What the user has set wins.
_ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # stdout is for data
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}
_STORE_WAIT_SECONDS = 180.0


def import_mlflow() -> Any:
    """The module mlflow, with telemetry off and short timeouts unless the user has set them."""
    for key, value in _ENVIRONMENT.items():
        os.environ.setdefault(key, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # between MLflow and its own dependencies
        import mlflow
        import mlflow.store.tracking.sqlalchemy_store

    return mlflow


def tracking_uri(run_path: Path) -> str:
    """``MLFLOW_TRACKING_URI``, else a SQLite file ``mlflow.db`` beside the run folder, for all runs there."""
    uri = (
        os.environ.get("MLFLOW_TRACKING_URI", "").strip()
        or f"sqlite:///{run_path.absolute().parent}/mlflow.db"
    )
    database = sqlite_path(uri)
    return uri if database is None else f"sqlite:///{database}"


def sqlite_path(uri: str) -> Path | None:
    """The absolute path of the database of a ``sqlite:///`` URI; None for others."""
    match = re.fullmatch(r"sqlite(?:\+\w+)?:///([^?]+)(?:\?.*)?", uri)
    return Path(match[1]).absolute() if match else None


def is_local(uri: str) -> bool:
    """Whether what is sent there stays on this file system."""
    scheme, colon, _ = uri.partition(":")
    if not colon:
        return scheme not in ("databricks", "databricks-uc", "uc")  # names of remote stores; else a path
    return scheme.partition("+")[0] in ("sqlite", "file")


def without_password(uri: str) -> str:
    """The URI as it may be written into logs and manifests."""
    parts = urlsplit(uri)
    if "@" not in parts.netloc:
        return uri
    return urlunsplit(parts._replace(netloc="***@" + parts.netloc.rpartition("@")[2]))


def open_store(uri: str, experiment: str) -> tuple[Any, str]:
    """(MlflowClient, experiment id); database and experiment are created where missing.

    Raises:
        Exception: whatever mlflow raises: the callers decide what that means.
    """
    import_mlflow()
    from mlflow import MlflowClient

    database = sqlite_path(uri)
    if database is None:
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        return client, _experiment_id(client, experiment, None)
    database.parent.mkdir(parents=True, exist_ok=True)
    # Processes that create or migrate one SQLite file at the same time break each other ("duplicate column name");
    # the client does it when it is made.
    lock = database.with_name(f".{database.name}.lock")
    with RunLock(lock, wait_seconds=_STORE_WAIT_SECONDS), _quiet_migrations():
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        # MLflow's default is ./mlruns of whatever the working directory is. MLflow stores it as an absolute URI.
        artifacts = database.parent / "mlruns" / re.sub(r"[^\w.-]", "_", experiment)
        return client, _experiment_id(client, experiment, artifacts.as_uri())


def _experiment_id(client: Any, name: str, artifact_location: str | None) -> str:
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=artifact_location))
        except MlflowException:  # another process on a server was quicker
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        raise RuntimeError(
            f"the MLflow experiment {name!r} is deleted; restore it with: mlflow experiments restore "
            f"--experiment-id {found.experiment_id}, or choose another tracking.experiment"
        )
    return str(found.experiment_id)


@contextlib.contextmanager
def _quiet_migrations() -> Iterator[None]:
    """Without the dozens of lines that MLflow and Alembic log while they create a database."""
    loggers = [logging.getLogger(name) for name in ("alembic", "mlflow.store.db.utils")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
