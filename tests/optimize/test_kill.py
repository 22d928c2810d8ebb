"""A run that is killed at random points and resumed ends with the ledger of one that never was."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

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


def start(path: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, str(SCRIPT), str(path)], stdout=subprocess.PIPE, text=True)


def run_to_the_end(folder: Path) -> Path:
    folder.mkdir()
    (folder / "slow.py").write_text(SLOW)
    process = start(folder / "run")
    process.communicate()
    assert process.returncode == 0
    return folder / "run"


@pytest.mark.slow
def test_fifty_kills_change_nothing_but_the_calls_in_flight(tmp_path):
    undisturbed = run_to_the_end(tmp_path / "whole")
    folder = tmp_path / "killed"
    folder.mkdir()
    (folder / "slow.py").write_text(SLOW)
    run = folder / "run"
    rng = random.Random(5)
    kills = codes = 0
    while kills < KILLS:
        process = start(run)
        if rng.random() < 0.8:  # mostly while it works, sometimes while it starts
            assert process.stdout is not None
            process.stdout.readline()
        time.sleep(rng.uniform(0, 0.06))
        if process.poll() is None:
            process.send_signal(rng.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1]))
        process.communicate()
        if process.returncode == 0:
            # done before the last kill: begin again from the last checkpoint but one
            assert (run / "ledger.jsonl").read_bytes() == (undisturbed / "ledger.jsonl").read_bytes()
            newest = max((run / "checkpoints").glob("step-*"))
            (newest / "complete.json").unlink()
        codes += process.returncode == 75
        kills += 1
    process = start(run)
    process.communicate()
    assert process.returncode == 0
    assert (run / "ledger.jsonl").read_bytes() == (undisturbed / "ledger.jsonl").read_bytes()
    paid = (folder / "paid.txt").read_text().split()
    first = (tmp_path / "whole" / "paid.txt").read_text().split()
    lost = int((run / "lost.txt").read_text().split()[-1])
    assert len(first) == len(set(first))
    assert set(paid) == set(first)
    assert len(paid) <= len(first) + lost, "calls were paid again that were not in flight"


def test_a_termination_saves_and_exits_with_75(tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    process = start(tmp_path / "run")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 75
    status = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert status["kind"] == "optimize"
    assert list((tmp_path / "run" / "checkpoints").glob("step-*/complete.json"))
