"""CPUs and memory from every place that can limit them, read from made-up system files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from molgen.core.errors import ConfigError
from molgen.run import resources
from molgen.run.resources import available, bf16_supported, pick_device

GIB = 2**30


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(16)), raising=False)
    put(tmp_path, "proc/meminfo", f"MemTotal:  {64 * GIB // 1024} kB\nMemFree: 1 kB\n")
    return tmp_path


def put(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def test_machine_without_limits(root: Path):
    found = available(environ={}, root=root)
    assert (found.cpus, found.cpus_from, found.memory, found.memory_from) == (
        16,
        "affinity",
        64 * GIB,
        "machine",
    )


def test_cgroup_v2_limit_of_a_parent_counts(root: Path):
    put(root, "proc/self/cgroup", "0::/slurm/job_1/task_0\n")
    put(root, "sys/fs/cgroup/slurm/job_1/task_0/cpu.max", "max 100000\n")
    put(root, "sys/fs/cgroup/slurm/job_1/cpu.max", "350000 100000\n")
    put(root, "sys/fs/cgroup/slurm/job_1/memory.max", f"{8 * GIB}\n")
    put(root, "sys/fs/cgroup/slurm/job_1/task_0/memory.max", "max\n")
    found = available(environ={}, root=root)
    assert (found.cpus, found.cpus_from, found.memory, found.memory_from) == (3, "cgroup", 8 * GIB, "cgroup")


def test_cgroup_v1_and_its_huge_number_for_no_limit(root: Path):
    put(root, "proc/self/cgroup", "5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n")
    # the path is the host's; in the container only the top exists
    put(root, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "50000\n")
    put(root, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n")
    put(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n")
    found = available(environ={}, root=root)
    assert (found.cpus, found.memory_from) == (1, "machine")
    put(root, "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n")
    put(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", f"{4 * GIB}\n")
    found = available(environ={}, root=root)
    assert (found.cpus, found.memory) == (16, 4 * GIB)


def test_slurm_variables(root: Path):
    found = available(environ={"SLURM_CPUS_PER_TASK": "4", "SLURM_MEM_PER_NODE": "2048"}, root=root)
    assert (found.cpus, found.cpus_from, found.memory) == (4, "SLURM_CPUS_PER_TASK", 2 * GIB)
    found = available(environ={"SLURM_CPUS_ON_NODE": "6", "SLURM_MEM_PER_CPU": "1024"}, root=root)
    assert (found.cpus, found.memory, found.memory_from) == (6, 6 * GIB, "SLURM_MEM_PER_CPU")
    assert available(environ={"SLURM_CPUS_PER_TASK": "all"}, root=root).cpus == 16


def test_this_machine_has_at_least_one_cpu():
    found = available()
    assert found.cpus >= 1
    assert found.memory is None or found.memory > 0


def test_auto_device_is_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert [pick_device(name) for name in ("auto", "cuda", "cuda:1", "cpu")] == [
        "cuda:0",
        "cuda:0",
        "cuda:1",
        "cpu",
    ]
    with pytest.raises(ConfigError, match="cuda:2 was asked for, but there are only cuda:0 to cuda:1"):
        pick_device("cuda:2")


def test_missing_gpu_is_said_with_the_cure(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert pick_device("auto") == "cpu"
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(ConfigError, match="this torch is a CPU build"):
        pick_device("cuda")
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    with pytest.raises(ConfigError, match="torch finds no GPU"):
        pick_device("cuda:0")
    with pytest.raises(ConfigError, match="unknown device 'gpu'; use auto, cpu, cuda or cuda:N"):
        pick_device("gpu")


@pytest.mark.parametrize(("flag", "expected"), [("amx_bf16", True), ("avx512_bf16", True), ("avx2", False)])
def test_bf16_on_a_cpu_needs_the_instructions(flag: str, expected: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(resources, "cpu_flags", lambda: frozenset({flag}))
    assert bf16_supported("cpu") is expected
