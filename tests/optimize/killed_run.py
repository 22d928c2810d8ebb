"""The process that test_kill.py kills: starts or resumes a run with the random strategy and a slow scorer.

Reads folders from standard input and makes a process of its own for each, so that the imports are paid once and not
per kill. Says ``pid N`` when it lives, ``ready`` when the search begins, ``exit N`` when it is over.
"""

import os
import sys
import traceback
from pathlib import Path

from molgen.core.errors import Interrupted
from molgen.core.schema import OptimizeConfig
from molgen.optimize.diversity import ScaffoldMemory
from molgen.optimize.loop import Search
from molgen.run.folder import RunFolder
from molgen.run.interrupt import stop_signals
from molgen.run.tracker import NullTracker
from molgen.scoring.cache import ScoreCache
from molgen.scoring.objective import build_objective
from molgen.testing import RandomOptimizer


def main(path: Path) -> int:
    """Go on with the run until it is done or a signal comes; the calls lost so far go to ``lost.txt``."""
    rings, links, ends = (
        ("c1ccccc1", "C1CCCCC1", "c1ccncc1", "C1CCNCC1"),
        ("C", "CC", "O", "OC", "NC"),
        "FNOCS",
    )
    pool = [f"{end}{link}{ring}" for end in ends for link in links for ring in rings] + ["C1CC", "nothing"]
    config = OptimizeConfig(
        objective={"components": [{"use": "slow.py:slow"}, {"use": "qed"}]},
        batch_size=5,
        budget={"molecules": 90, "steps": 60},
        checkpoint_every=4,
        tracking={"mlflow": False},
    )
    if not (path / "manifest.json").exists():
        RunFolder.create(path, kind="optimize", config_text="", manifest={})
    folder = RunFolder.open(path)
    folder.quiet = True
    with stop_signals() as stop, folder.lock(), ScoreCache(path / "scores.jsonl") as cache:
        with (path / "lost.txt").open("a") as lost:
            lost.write(f"{cache.lost}\n")
        with build_objective(config.objective, base_dir=path.parent, cache=cache) as objective:
            search = Search(
                config,
                folder,
                RandomOptimizer(pool, 3),
                objective,
                NullTracker(),
                stop,
                ScaffoldMemory(3, 0.1),
            )
            search.restore()
            print("ready", flush=True)
            try:
                search.run()
            except Interrupted as signal:
                return signal.exit_code
    return 0


def life(path: Path) -> int:
    """Exit code of one process; it never returns into the loop of its parent."""
    try:
        return main(path)
    except BaseException:  # whatever it is: the parent's code must not run twice
        traceback.print_exc()
        return 1


if __name__ == "__main__":
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            code = life(Path(line.strip()))
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
        print(f"pid {pid}", flush=True)
        print(f"exit {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}", flush=True)
