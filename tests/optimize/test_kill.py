"""A run that is killed at random points and resumed ends with the ledger of one that never was."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from molgen.optimize.memory import TIMES

KILLS = int(os.environ.get("MOLGEN_KILLS", "50"))
SCRIPT = Path(__file__).with_name("killed_run.py")
SLOW = """
import time
from pathlib import Path

def slow(smiles):
    with open(Path(__file__).with_name("paid.txt"), "a") as file:
        file.write(smiles + "\\n")
    time.sleep(0.004)
    return len(smiles) / 20
"""


def ledger(run: Path) -> list[dict]:
    """All rows without their time columns."""
    rows = [json.loads(line) for line in (run / "ledger.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if key not in TIMES} for row in rows]


class Runner:
    """Runs, one after the other, each in a process of its own (killed_run.py)."""

    def __init__(self) -> None:
        pipe = subprocess.PIPE
        self._parent = subprocess.Popen([sys.executable, str(SCRIPT)], stdin=pipe, stdout=pipe, text=True)
        self._said: list[str] = []
        self._pid = 0

    def start(self, path: Path) -> None:
        assert self._parent.stdin is not None
        self._said.clear()
        self._parent.stdin.write(f"{path}\n")
        self._parent.stdin.flush()
        while not any(line.startswith("pid") for line in self._said):  # the child's "ready" may overtake it
            self._hear()
        self._pid = next(int(line.split()[1]) for line in self._said if line.startswith("pid"))

    def until_ready(self) -> None:
        while not any(line.startswith(("ready", "exit")) for line in self._said):
            self._hear()

    def kill(self, number: int) -> None:
        with suppress(ProcessLookupError):  # it was done before
            os.kill(self._pid, number)

    def wait(self) -> int:
        while not any(line.startswith("exit") for line in self._said):
            self._hear()
        return next(int(line.split()[1]) for line in self._said if line.startswith("exit"))

    def close(self) -> None:
        self._parent.communicate()

    def _hear(self) -> None:
        assert self._parent.stdout is not None
        line = self._parent.stdout.readline()
        assert line, "killed_run.py ended"
        self._said.append(line)


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    runner = Runner()
    yield runner
    runner.close()


def run_to_the_end(runner: Runner, folder: Path) -> Path:
    folder.mkdir()
    (folder / "slow.py").write_text(SLOW)
    runner.start(folder / "run")
    assert runner.wait() == 0
    return folder / "run"


@pytest.mark.slow
def test_fifty_kills_change_nothing_but_the_calls_in_flight(runner, tmp_path):
    undisturbed = run_to_the_end(runner, tmp_path / "whole")
    folder = tmp_path / "killed"
    folder.mkdir()
    (folder / "slow.py").write_text(SLOW)
    run = folder / "run"
    rng = random.Random(5)
    kills = codes = 0
    while kills < KILLS:
        runner.start(run)
        if rng.random() < 0.8:  # mostly while it works, sometimes while it starts
            runner.until_ready()
        time.sleep(rng.uniform(0, 0.06))
        runner.kill(rng.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1]))
        code = runner.wait()
        if code == 0:
            # done before the last kill: begin again from the last checkpoint but one
            assert ledger(run) == ledger(undisturbed)
            newest = max((run / "checkpoints").glob("step-*"))
            (newest / "complete.json").unlink()
        codes += code == 75
        kills += 1
    runner.start(run)
    assert runner.wait() == 0
    assert ledger(run) == ledger(undisturbed)
    paid = (folder / "paid.txt").read_text().split()
    first = (tmp_path / "whole" / "paid.txt").read_text().split()
    lost = int((run / "lost.txt").read_text().split()[-1])
    assert len(first) == len(set(first))
    assert set(paid) == set(first)
    assert len(paid) <= len(first) + lost, "calls were paid again that were not in flight"


def test_a_termination_saves_and_exits_with_75(runner, tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    runner.start(tmp_path / "run")
    runner.until_ready()
    runner.kill(signal.SIGTERM)
    assert runner.wait() == 75
    status = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert status["kind"] == "optimize"
    assert list((tmp_path / "run" / "checkpoints").glob("step-*/complete.json"))
