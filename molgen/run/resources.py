"""What this process may use: CPUs and memory (affinity, cgroup, SLURM variables), compute device."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from molgen.core.errors import ConfigError, Problem


@dataclass(frozen=True)
class Resources:
    """CPUs (at least 1) and memory in bytes (None: not known), each with where the number comes from."""

    cpus: int
    cpus_from: str
    memory: int | None
    memory_from: str


def available(*, environ: Mapping[str, str] | None = None, root: Path | str = "/") -> Resources:
    """The smallest of what machine, affinity mask, cgroup (v1, v2) and Slurm allow.

    Args:
        environ: default ``os.environ``.
        root: where ``/proc`` and ``/sys`` are found (for tests).
    """
    environ = os.environ if environ is None else environ
    root = Path(root)
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    cpus: list[tuple[float, str]] = [(affinity, "affinity")]
    memory: list[tuple[float, str]] = []
    cpus += [(quota, "cgroup") for quota in _cgroup_cpus(root)]
    memory += [(limit, "cgroup") for limit in _cgroup_memory(root)]
    total = re.search(r"^MemTotal:\s+(\d+) kB", _read(root / "proc/meminfo"), re.MULTILINE)
    if total:
        memory.append((int(total[1]) * 1024, "machine"))
    # SLURM_CPUS_PER_TASK is only set where asked for; CPUS_ON_NODE is of the whole job step
    for key in ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"):
        if (asked := _integer(environ.get(key))) is not None:
            cpus.append((asked, key))
            break
    if (megabytes := _integer(environ.get("SLURM_MEM_PER_NODE"))) is not None:
        memory.append((megabytes * 2**20, "SLURM_MEM_PER_NODE"))
    elif (megabytes := _integer(environ.get("SLURM_MEM_PER_CPU"))) is not None:
        on_node = (
            _integer(environ.get("SLURM_CPUS_ON_NODE")) or _integer(environ.get("SLURM_CPUS_PER_TASK")) or 1
        )
        memory.append((megabytes * 2**20 * on_node, "SLURM_MEM_PER_CPU"))
    count, cpus_from = min(cpus)
    limit, memory_from = min(memory) if memory else (None, "unknown")
    # A quota of 1.5 CPUs feeds one worker process, not two
    return Resources(max(1, int(count)), cpus_from, None if limit is None else int(limit), memory_from)


def cpu_model() -> str:
    """The name of the processor, as the system gives it."""
    found = re.search(r"^(?:model name|Model)\s*:\s*(.+)$", _read(Path("/proc/cpuinfo")), re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


def cpu_flags() -> frozenset[str]:
    """Instruction-set flags of the processor (``amx_bf16`` ...); empty where the system lists none."""
    found = re.search(r"^(?:flags|Features)\s*:\s*(.+)$", _read(Path("/proc/cpuinfo")), re.MULTILINE)
    return frozenset(found[1].split()) if found else frozenset()


def pick_device(name: str = "auto") -> str:
    """``cpu``, ``cuda:N``: the device that ``name`` (auto, cpu, cuda, cuda:N) means on this machine.

    Raises:
        ConfigError: no such device here, or not a device name.
    """
    if name == "cpu":
        return name
    match = re.fullmatch(r"auto|cuda(?::(\d+))?", name)
    if match is None:
        raise ConfigError([Problem("device", f"unknown device {name!r}; use auto, cpu, cuda or cuda:N")])
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    index = int(match[1] or 0)
    if index < count:
        return f"cuda:{index}"
    if name == "auto":
        return "cpu"
    if count:
        message = f"{name} was asked for, but there are only cuda:0 to cuda:{count - 1} here"
    elif torch.version.cuda is None:
        message = f"{name} was asked for, but this torch is a CPU build; README says how to get CUDA"
    else:
        message = (
            f"{name} was asked for, but torch finds no GPU; see what `nvidia-smi` says, or use device: cpu"
        )
    raise ConfigError([Problem("device", message)])


def bf16_supported(device: str = "cpu") -> bool:
    """Whether bfloat16 arithmetic is native (and so faster than fp32) on ``device``."""
    if device.startswith("cuda"):
        import torch

        with torch.cuda.device(device):
            return torch.cuda.is_bf16_supported(including_emulation=False)
    return device == "cpu" and bool(cpu_flags() & {"amx_bf16", "avx512_bf16", "bf16"})


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _integer(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() and int(text) > 0 else None


def _cgroup_folders(root: Path, controller: str) -> list[Path]:
    """The folders of our cgroup and its parents, for v2 and for one v1 controller."""
    folders: list[Path] = []
    for line in _read(root / "proc/self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            bases = [root / "sys/fs/cgroup"]
        elif controller in controllers.split(","):
            bases = [root / "sys/fs/cgroup" / name for name in (controllers, controller)]
        else:
            continue
        # In a container the path may be the one on the host, which does not exist here; the top then is ours.
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for base in bases:
            folders += [base.joinpath(*parts[:depth]) for depth in range(len(parts), -1, -1)]
    return folders


def _cgroup_cpus(root: Path) -> list[float]:
    quotas = []
    for folder in _cgroup_folders(root, "cpu"):
        quota, _, period = _read(folder / "cpu.max").strip().partition(" ")
        if not quota:
            quota = _read(folder / "cpu.cfs_quota_us").strip()
            period = _read(folder / "cpu.cfs_period_us").strip()
        if quota.isdigit() and period.isdigit() and int(period):
            quotas.append(int(quota) / int(period))
    return quotas


def _cgroup_memory(root: Path) -> list[int]:
    limits = []
    for folder in _cgroup_folders(root, "memory"):
        for name in ("memory.max", "memory.high", "memory.limit_in_bytes"):
            text = _read(folder / name).strip()
            if text.isdigit() and 0 < int(text) < 1 << 60:  # v1 writes "no limit" as a huge number
                limits.append(int(text))
    return limits


def limit_torch_threads() -> int:
    """Set torch's CPU threads to ``MOLGEN_THREADS`` (default 1) and return the number.

    One is the default because small recurrent steps gain little from more, while on a busy machine waiting threads
    spin: a loop step with two threads on two shared cores was measured more than ten times slower than with one.
    """
    import torch

    threads = max(1, _integer(os.environ.get("MOLGEN_THREADS")) or 1)
    torch.set_num_threads(threads)
    return threads
