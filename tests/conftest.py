"""What every test gets: no network, quiet RDKit, one torch thread, a private MLflow store, the test data."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

LOOPBACK = (None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0")

# Before torch, numpy or MLflow are imported by any test module.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["DO_NOT_TRACK"] = "true"


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything but `molgen data fetch` works offline: a test that opens an internet socket fails."""
    if request.node.get_closest_marker("network"):
        return
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def guarded_connect(self: socket.socket, address: Any) -> None:
        # Loopback is no network: worker processes, kernels and the "dead tracking server" tests use it.
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in LOOPBACK:
            raise AssertionError(f"network access in a test: {address!r} (only `data fetch` may)")
        connect(self, address)

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        if host not in LOOPBACK:
            raise AssertionError(f"network access in a test: look-up of {host!r}")
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket, "getaddrinfo", guarded_look_up)


@pytest.fixture(autouse=True)
def private_places(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No test writes into the user's MLflow store or caches, nor reads the user's settings."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path_factory.getbasetemp() / "share"))


@pytest.fixture(autouse=True, scope="session")
def quiet_and_single_threaded() -> Iterator[None]:
    """RDKit's complaints about the bad molecules that tests feed it are no news; threads make runs differ."""
    import torch
    from rdkit import RDLogger

    RDLogger.DisableLog("rdApp.*")
    torch.set_num_threads(1)
    yield
    RDLogger.EnableLog("rdApp.error")


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder with larger public data sets that are not part of the repository."""
    where = os.environ.get("MOLGEN_TEST_DATA", "")
    if not where or not Path(where).is_dir():
        pytest.skip("needs the public data sets that MOLGEN_TEST_DATA points to (see CONTRIBUTING.md)")
    return Path(where)
