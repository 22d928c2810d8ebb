"""The doctor finds what is wrong, says the cure, and always finishes."""

from __future__ import annotations

from pathlib import Path

import pytest

from molgen import diagnose
from molgen.diagnose import Finding, Report, examine


def test_this_installation_can_be_examined(tmp_path: Path) -> None:
    report = examine(tmp_path)
    broken = [f for f in report.findings if f.level == "problem" and f.topic != "models"]
    assert not broken
    assert "aspirin" in str(report)


def test_a_look_that_fails_is_a_finding_and_the_others_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> list[Finding]:
        raise OSError("libcudart.so.12: cannot open shared object file")

    monkeypatch.setattr(diagnose, "_torch", fail)
    report = examine(tmp_path)
    assert not report.usable
    (finding,) = [f for f in report.findings if f.topic == "torch"]
    assert "libcudart.so.12" in finding.text
    assert finding.cure
    assert any(f.topic == "disk" for f in report.findings)


def test_a_dead_tracking_server_is_a_note_with_a_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    (finding,) = diagnose._mlflow(tmp_path)
    assert finding.level == "note"
    assert "127.0.0.1:9" in finding.text
    assert "MLFLOW_TRACKING_URI" in finding.cure


def test_a_driver_without_a_cuda_build_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(diagnose, "_driver", lambda: "1 NVIDIA GPU(s), driver 570.1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.version, "cuda", None)
    (finding,) = diagnose._gpu()
    assert "CPU build" in finding.text
    assert "--index-url" in finding.cure


def test_a_missing_package_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnose, "_NEEDED", ("numpy", "no-such-package"))
    ok, problem = diagnose._packages()
    assert ok.level == "ok"
    assert problem.cure == "python -m pip install no-such-package"


def test_only_problems_make_it_unusable() -> None:
    assert Report([Finding("a", "note", "x", "y")]).usable
    assert not Report([Finding("a", "problem", "x", "y")]).usable
