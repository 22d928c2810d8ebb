from collections.abc import Callable
from pathlib import Path

import pytest

from molgen.core.schema import OptimizeConfig
from molgen.core.stage_schema import FINAL
from molgen.optimize.diversity import build_quota
from molgen.optimize.loop import Search
from molgen.optimize.stages import Stage, Stages, build_reward
from molgen.run.folder import RunFolder
from molgen.run.interrupt import Stop
from molgen.run.tracker import NullTracker
from molgen.scoring.objective import build_objective
from molgen.testing import RandomOptimizer

POOL = [
    "CCO", "OCC", "CCN", "c1ccccc1O", "Cc1ccccc1", "CC(=O)Nc1ccccc1", "not a molecule", "C1CC", "CC(=O)O", "CCCCCC",
    "c1ccncc1", "CC(C)Cc1ccc(cc1)C(C)C(=O)O", "O=C(O)c1ccccc1O", "CN1CCC[C@H]1c1cccnc1", "NCCc1ccc(O)c(O)c1",
    "C1CCNCC1", "O=C1CCCN1", "Clc1ccc(Cl)cc1", "CCOC(=O)c1ccccc1", "OCC(O)CO", "CSC", "c1ccc2[nH]ccc2c1",
]  # fmt: skip

CONFIG = {
    "objective": {
        "components": [
            {"use": "qed"},
            {"use": "mol_weight", "role": "filter", "transform": {"type": "step", "low": 40, "high": 160}},
        ]
    },
    "batch_size": 6,
    "budget": {"molecules": 14, "steps": 30},
    "checkpoint_every": 3,
    "tracking": {"mlflow": False},
    "diversity": {"bucket_size": 2, "min_score": 0.1},
}


@pytest.fixture
def make_search(tmp_path: Path) -> Callable[..., Search]:
    """A search with the random strategy in the folder ``name``: new, or what a resume would open."""

    def make(name: str = "run", *, optimizer=None, objective=None, judged_by=None, **changes) -> Search:
        config = OptimizeConfig(**(CONFIG | changes | ({"objective": judged_by} if judged_by else {})))
        path = tmp_path / name
        if (path / "manifest.json").exists():
            folder = RunFolder.open(path)
        else:
            folder = RunFolder.create(path, kind="optimize", config_text="", manifest={})
        folder.quiet = True
        objective = objective or build_objective(config.objective, base_dir=tmp_path)
        plan = None
        if config.stages:
            judges = [
                build_objective(stage.judged_by(config.objective), base_dir=tmp_path)
                for stage in config.stages
            ]
            before = [Stage(s.name, judge, s.until) for s, judge in zip(config.stages, judges, strict=True)]
            plan, objective = Stages([*before, Stage(FINAL, objective)]), judges[0]
        return Search(
            config,
            folder,
            optimizer or RandomOptimizer(POOL, seed=4),
            objective,
            NullTracker(),
            Stop(),
            build_quota(config.diversity),
            reward=build_reward(objective),
            stages=plan,
        )

    return make
