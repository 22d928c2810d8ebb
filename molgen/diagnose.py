"""What this installation can do on this machine, and the line that cures each problem."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import molgen
from molgen.core.registry import load_object
from molgen.run.resources import available, cpu_flags, cpu_model

Level = Literal["ok", "note", "problem"]
_GIB = 2**30
_NEEDED = (
    "torch",
    "rdkit",
    "numpy",
    "pandas",
    "mlflow",
    "pydantic",
    "safetensors",
    "lightning-fabric",
    "openpyxl",
)
#: (module, extra of ours, what for)
_OPTIONAL = (("jupyterlab", "notebook", "notebooks"),)


@dataclass(frozen=True)
class Finding:
    """One line of the report. ``problem``: molgen is not usable; ``note``: usable, but worth knowing."""

    topic: str
    level: Level
    text: str
    cure: str = ""


@dataclass(frozen=True)
class Report:
    """All findings, in the order in which one would look."""

    findings: list[Finding]

    @property
    def usable(self) -> bool:
        """Whether nothing is broken."""
        return all(finding.level != "problem" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, for ``--json``."""
        return {"usable": self.usable, "findings": [asdict(finding) for finding in self.findings]}

    def __str__(self) -> str:
        marks = {"ok": "ok  ", "note": "note", "problem": "BAD "}
        lines = []
        for finding in self.findings:
            lines.append(f"{marks[finding.level]}  {finding.topic:<10} {finding.text}")
            if finding.cure:
                lines.append(f"{'':18}-> {finding.cure}")
        lines.append(
            "molgen is ready to use."
            if self.usable
            else "molgen cannot be used yet: cure what is marked BAD."
        )
        return "\n".join(lines)


def examine(folder: Path | None = None) -> Report:
    """Look at everything; ``folder`` is where runs would be written (default: the working directory)."""
    folder = folder or Path.cwd()
    looks: list[tuple[str, Callable[[], list[Finding]]]] = [
        ("Python", _python),
        ("packages", _packages),
        ("CPU", _cpu),
        ("memory", _memory),
        ("torch", _torch),
        ("GPU", _gpu),
        ("RDKit", _rdkit),
        ("models", _models),
        ("MLflow", lambda: _mlflow(folder)),
        ("disk", lambda: _disk(folder)),
        ("optional", _optional),
    ]
    findings: list[Finding] = []
    for topic, look in looks:
        try:
            findings += look()
        except Exception as error:  # a doctor must finish the examination whatever it finds
            text = f"cannot be examined: {type(error).__name__}: {str(error).strip().splitlines()[:1]}"
            findings.append(
                Finding(topic, "problem", text, "python -m pip install --force-reinstall molgen-toolkit")
            )
    return Report(findings)


def _python() -> list[Finding]:
    text = f"{platform.python_version()} on {platform.platform(terse=True)}; molgen {molgen.__version__}"
    return [Finding("Python", "ok", f"{text} in {sys.prefix}")]


def _packages() -> list[Finding]:
    found, missing = [], []
    for name in _NEEDED:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    findings = [Finding("packages", "ok", ", ".join(found))] if found else []
    if missing:
        text = f"not installed: {', '.join(missing)}"
        findings.append(Finding("packages", "problem", text, f"python -m pip install {' '.join(missing)}"))
    return findings


def _cpu() -> list[Finding]:
    resources, flags = available(), cpu_flags()
    fast = [words for flag, words in (("amx_bf16", "AMX"), ("avx512_bf16", "AVX512-bf16")) if flag in flags]
    speed = f"bf16 in hardware ({', '.join(fast)})" if fast else "no bf16 in hardware: models run in fp32"
    return [Finding("CPU", "ok", f"{resources.cpus} usable ({resources.cpus_from}), {cpu_model()}; {speed}")]


def _memory() -> list[Finding]:
    resources = available()
    if resources.memory is None:
        return [Finding("memory", "note", "size not known on this system")]
    text = f"{resources.memory / _GIB:.1f} GiB usable ({resources.memory_from})"
    if resources.memory < 2 * _GIB:
        return [Finding("memory", "note", text, "ask for at least 4 GiB; with less use a small batch_size")]
    return [Finding("memory", "ok", text)]


def _torch() -> list[Finding]:
    import torch

    build = f"CUDA {torch.version.cuda} build" if torch.version.cuda else "CPU build"
    if getattr(torch.version, "hip", None):
        build = f"ROCm {torch.version.hip} build"
    return [
        Finding("torch", "ok", f"{torch.__version__} ({build}), {torch.get_num_threads()} threads by default")
    ]


def _gpu() -> list[Finding]:
    import torch

    driver = _driver()
    if torch.cuda.is_available():
        findings = []
        for i in range(torch.cuda.device_count()):
            card = torch.cuda.get_device_properties(i)
            bf16 = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "no bf16"
            text = f"cuda:{i} {card.name}, {card.total_memory / _GIB:.0f} GiB, {bf16}" + (
                f"; {driver}" if driver else ""
            )
            findings.append(Finding("GPU", "ok", text))
        return findings
    if driver and torch.version.cuda is None:
        cure = (
            "python -m pip install --force-reinstall torch --index-url https://download.pytorch.org/whl/cu126"
        )
        return [Finding("GPU", "note", f"{driver}, but this torch is a CPU build", cure)]
    if driver:
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
        cure = (
            "unset CUDA_VISIBLE_DEVICES"
            if hidden is not None
            else "update the driver, or install an older torch"
        )
        return [Finding("GPU", "note", f"{driver}, but torch cannot use it", cure)]
    return [Finding("GPU", "ok", "none; everything runs on the CPU")]


def _driver() -> str:
    """What nvidia-smi says; "" without it."""
    if shutil.which("nvidia-smi") is None:
        return ""
    try:
        command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = answer.stdout.split()
    return f"{len(lines)} NVIDIA GPU(s), driver {lines[0]}" if answer.returncode == 0 and lines else ""


def _rdkit() -> list[Finding]:
    import rdkit

    inchikey = load_object("rdkit.Chem:MolToInchiKey")
    mol = load_object("rdkit.Chem:MolFromSmiles")("CC(=O)Oc1ccccc1C(=O)O")
    if inchikey(mol) != "BSYNRYMUTXBXSQ-UHFFFAOYSA-N":
        cure = "python -m pip install --force-reinstall rdkit"
        return [Finding("RDKit", "problem", f"{rdkit.__version__} gives a wrong InChIKey for aspirin", cure)]
    return [Finding("RDKit", "ok", f"{rdkit.__version__} reads and names aspirin")]


def _models() -> list[Finding]:
    folder = Path(molgen.__file__).parent / "models" / "priors"
    names = sorted(path.parent.name for path in folder.glob("*/card.json"))
    if not names:
        return [Finding("models", "problem", f"no shipped model in {folder}", "reinstall molgen-toolkit")]
    return [Finding("models", "ok", f"shipped: {', '.join(names)} (molgen models verify checks every byte)")]


def _mlflow(folder: Path) -> list[Finding]:
    from molgen.run import mlflow_store

    uri = mlflow_store.tracking_uri(folder / "run")
    shown = mlflow_store.without_password(uri)
    if mlflow_store.sqlite_path(uri) is not None and not os.environ.get("MLFLOW_TRACKING_URI"):
        return [Finding("MLflow", "ok", f"version {version('mlflow')}; runs here are mirrored into {shown}")]
    try:
        mlflow_store.open_store(uri, "Default")
    except Exception as error:  # any failure of a server of somebody else's
        first = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        cure = "start the server, correct MLFLOW_TRACKING_URI, or unset it to use a local file; runs go on without it"
        return [Finding("MLflow", "note", f"no answer from {shown}: {first}", cure)]
    return [Finding("MLflow", "ok", f"version {version('mlflow')}; {shown} answers")]


def _disk(folder: Path) -> list[Finding]:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        cure = "go to a folder of your own, or name one with -o"
        return [Finding("disk", "note", f"{folder} is not writable ({error.strerror})", cure)]
    free = shutil.disk_usage(folder).free / _GIB
    if free < 1:
        return [
            Finding(
                "disk", "note", f"only {free:.2f} GiB free in {folder}", "a run needs up to 1 GiB; make room"
            )
        ]
    return [Finding("disk", "ok", f"{free:.0f} GiB free in {folder}")]


def _optional() -> list[Finding]:
    findings = []
    for module, extra, purpose in _OPTIONAL:
        if importlib.util.find_spec(module) is None:
            cure = f"python -m pip install 'molgen-toolkit[{extra}]'"
            findings.append(Finding("optional", "note", f"{module} is not installed ({purpose})", cure))
        else:
            findings.append(Finding("optional", "ok", f"{module} ({purpose})"))
    return findings
