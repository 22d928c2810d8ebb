"""The page about scoring says what the code does."""

import re
from pathlib import Path

import pytest
import yaml

from molgen.core.schema import ComponentConfig, ObjectiveConfig
from molgen.scoring.docs import update
from molgen.scoring.transforms import KEYS

PAGE = Path(__file__).parents[2] / "docs" / "scoring.md"


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text(encoding="utf-8")


def test_the_table_of_scorers_is_the_registry(page):
    assert update(page) == page, "run: python -m molgen.scoring.docs docs/scoring.md"


def test_every_key_and_curve_is_explained(page):
    for key in (*ComponentConfig.model_fields, *KEYS):
        assert f"| `{key}` |" in page


def test_the_example_is_a_valid_objective_and_its_function_works(page, tmp_path):
    from molgen.chem.molecule import Molecule
    from molgen.scoring.objective import build_objective

    example, *_ = re.findall(r"```yaml\n(.*?)```", page, re.S)
    (source,) = re.findall(r"```python\n(.*?)```", page, re.S)
    (tmp_path / "my_scores.py").write_text(source)
    config = ObjectiveConfig.model_validate(yaml.safe_load(example)["objective"])
    with build_objective(config, base_dir=tmp_path) as built:
        table = built([Molecule("COc1ccc(-c2ccccc2C)c(C(C)O)c1")])
    assert table.reasons == [""]
    assert table.raw["few_rings"].tolist() == [1.0]


def test_the_example_of_programs_and_services_has_valid_keys(page):
    from molgen.scoring.registry import find

    (example,) = (text for text in re.findall(r"```yaml\n(.*?)```", page, re.S) if "dock.py" in text)
    for component in yaml.safe_load(example):
        config = ComponentConfig.model_validate(component)
        record = find(config.use)
        assert record is not None
        assert record.check_params(config.params, "params")[1] == []
