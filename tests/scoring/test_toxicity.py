from __future__ import annotations

from pathlib import Path

import pytest

from molgen.core.errors import ConfigError
from molgen.core.schema import ObjectiveConfig, TransformConfig
from molgen.scoring.objective import build_objective
from molgen.scoring.toxicity import harm, split, steering_problem, toxicity_problems
from molgen.scoring.transforms import Transform

RISING = {"type": "sigmoid", "low": 4, "high": 7}
FALLING = {"type": "reverse_sigmoid", "low": 4, "high": 7}


def refused(name: str, curve: dict, unit: str = "", use: str = "file.py:f", **params: object) -> bool:
    transform = Transform(TransformConfig.model_validate(curve))
    return bool(toxicity_problems(name, use, params, unit, transform, "objective.components[0]"))


@pytest.mark.parametrize(
    "name", ["toxicity", "hERG", "AMES", "ClinTox", "hepatotoxicity", "DILI", "hERG_pIC50", "pLD50"]
)
def test_a_toxicity_end_point_may_only_be_lowered(name: str) -> None:
    assert refused(name, RISING)
    assert not refused(name, FALLING)
    assert refused(name, {"type": "identity"})
    assert refused(name, {"type": "step", "low": 0.5})
    assert not refused(name, {"type": "step", "high": 0.5})
    assert refused(name, {"type": "gaussian", "target": 6, "width": 0.5})
    assert refused(name, {"type": "double_sigmoid", "low": 5, "high": 8})


@pytest.mark.parametrize(
    "name", ["non_toxic", "nontoxicity", "hERG_safety", "herg_IC50_nM", "LD50_mg_per_kg"]
)
def test_a_value_that_rises_with_safety_may_only_be_raised(name: str) -> None:
    assert not refused(name, RISING)
    assert refused(name, FALLING)


@pytest.mark.parametrize(
    "name", ["qed", "logp", "docetaxel_similarity", "potency", "kinase_pIC50", "detox", "games", "solubility"]
)
def test_everything_else_is_left_alone(name: str) -> None:
    assert not refused(name, RISING)
    assert not refused(name, FALLING)


def test_a_lethal_dose_on_an_unknown_scale_is_asked_about() -> None:
    assert refused("LD50", RISING)
    assert refused("LD50", FALLING)
    assert refused("LD50", RISING, unit="log(1/(mol/kg))")
    assert not refused("LD50", FALLING, unit="log(1/(mol/kg))")
    assert not refused("LD50", RISING, unit="mg/kg")
    assert refused("LD50", FALLING, unit="mg/kg")


def test_the_end_point_is_also_read_from_the_parameters() -> None:
    assert refused("liability", RISING, use="admet", endpoint="hERG")
    assert refused("activity", RISING, use="qsar", model="models/ames_2025/")
    assert not refused("activity", RISING, use="substructure_count", smarts=["tox"])


def test_words_of_a_name() -> None:
    assert split("hERG_IC50") == ["herg", "ic50"]
    assert split("nonToxic") == ["non", "toxic"]
    assert harm(["tox"], "") == 1
    assert harm(["non", "toxic"], "") == -1


def test_an_objective_that_rewards_toxicity_is_refused_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("def f(mol):\n    return 0.5\n", encoding="utf-8")

    def config(**more: object) -> ObjectiveConfig:
        return ObjectiveConfig.model_validate(
            {"components": [{"use": "own.py:f", "name": "acute_toxicity", **more}]}
        )

    with pytest.raises(ConfigError, match="rewards toxicity") as caught:
        build_objective(config(), base_dir=tmp_path)
    assert caught.value.problems[0].key == "objective.components[0]"
    build_objective(
        config(transform={"type": "reverse_linear", "low": 0, "high": 1}), base_dir=tmp_path
    ).close()


def test_a_slope_is_not_followed_to_more_harm() -> None:
    assert steering_problem("hERG_pIC50", "higher")
    assert steering_problem("hERG_pIC50", 6.5)
    assert not steering_problem("hERG_pIC50", "lower")
    assert not steering_problem("herg_ic50", "higher")
    assert "pLD50" in steering_problem("LD50", "lower")
    assert not steering_problem("logp", "higher")
