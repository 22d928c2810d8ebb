import subprocess
import sys
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from molgen.chem.alerts import CATALOGS
from molgen.chem.descriptors import DESCRIPTORS
from molgen.core.errors import ConfigError
from molgen.scoring import registry
from molgen.scoring.params import Catalog
from molgen.scoring.protocol import Context, Scored
from molgen.scoring.registry import SCORERS, find, known_names, unknown_name
from molgen.scoring.transforms import check_transform


def problems(name, **given):
    return [str(problem) for problem in find(name).check_params(given, "objective.components[2].params")[1]]


def test_the_registry_loads_neither_rdkit_nor_torch():
    code = (
        "import sys; import molgen.scoring.registry as r; assert 'qed' in r.SCORERS; "
        "assert not {'rdkit', 'torch', 'pandas'} & set(sys.modules), 'heavy'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_descriptor_is_a_scorer_with_its_unit():
    assert set(DESCRIPTORS) <= set(SCORERS)
    for name, descriptor in DESCRIPTORS.items():
        assert SCORERS[name].unit == descriptor.unit


def test_every_catalog_can_be_named():
    assert set(Catalog.__args__) == set(CATALOGS)


@pytest.mark.parametrize("record", SCORERS.values(), ids=lambda record: record.name)
def test_records_are_complete(record):
    assert record.summary
    assert record.cost > 0
    assert check_transform(record.default_transform()) == []
    assert record.check_params(record.example, "p")[1] == []


def test_unknown_names_get_the_nearest_or_the_list():
    assert unknown_name("mol_wieght") == "unknown scorer 'mol_wieght'; did you mean 'mol_weight'?"
    assert f"; there are {', '.join(sorted(SCORERS)[:3])}, " in unknown_name("xxxxxxxx")
    assert "did you mean 'likelihood'?" in unknown_name("liklihood", ["likelihood"])
    assert find("mol_wieght") is None


def test_parameter_problems_carry_key_path_and_cure():
    key = "objective.components[2].params"
    assert problems("qed", limit=1) == [f"{key}.limit: no such parameter; it takes none"]
    text = problems("similarity", references=["C"], raduis=3, radius="wide")
    assert text == [
        f"{key}.raduis: no such parameter; did you mean 'radius'?",
        f"{key}.radius: must be a whole number, got 'wide'",
    ]
    assert "give references (a list of SMILES) or file" in problems("similarity")[0]
    assert problems("matching_substructure") == [f"{key}.smarts: required, but not there (SMARTS patterns)"]
    (wrong,) = problems("alerts", catalogs=["PAIN"])
    assert wrong.startswith(f"{key}.catalogs[0]: must be one of PAINS, ")
    assert wrong.endswith("got 'PAIN'; did you mean 'PAINS'?")


def test_a_reference_with_a_name_is_found_by_it():
    from molgen.core.schema import ObjectiveConfig
    from molgen.scoring.objective import build_objective

    def config(references):
        component = {"use": "similarity", "params": {"references": references}}
        return ObjectiveConfig.model_validate({"components": [component]})

    with build_objective(config({"ethanol": "CCO"})) as objective:
        assert [mol.id for mol in objective.components[0].scorer.references] == ["ethanol"]
    with pytest.raises(ConfigError, match=r"params\.references\.ethanol: not a usable molecule"):
        build_objective(config({"ethanol": "CCO("}))
    with pytest.raises(ConfigError, match=r"params\.references\[1\]: not a usable molecule"):
        build_objective(config(["C", "CCO("]))


def test_a_bad_entry_of_a_list_or_table_is_one_problem_not_one_per_branch():
    key = "objective.components[2].params"
    assert len(problems("custom_alerts", smarts=3)) == 1
    assert problems("custom_alerts", smarts=[3, "C"]) == [
        f"{key}.smarts[0]: must be text (put it into quotes), got 3"
    ]
    assert problems("custom_alerts", smarts={"x": 3}) == [
        f"{key}.smarts.x: must be text (put it into quotes), got 3"
    ]


class PluginScorer:
    """A plug-in."""

    name, unit, cost = "plugged", "kcal/mol", 0.5

    def __init__(self, grid: str, depth: int = 3):
        self.grid, self.depth = grid, depth

    def __call__(self, mols):
        return Scored(np.full(len(mols), float(self.depth)))


def test_scorers_of_installed_packages_are_found_and_their_parameters_checked(monkeypatch):
    entry = EntryPoint("plugged", f"{__name__}:PluginScorer", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: PluginScorer)
    monkeypatch.setattr(registry, "entry_points", lambda group: [entry])
    assert "plugged" in known_names()
    record = find("plugged")
    assert (record.unit, record.cost, record.summary) == ("kcal/mol", 0.5, "A plug-in.")
    assert record.check_params({"depht": 1}, "p")[1][0].message == "no such parameter; did you mean 'depth'?"
    assert len(record.check_params({"grid": 1, "depth": "x"}, "p")[1]) == 2
    params, found = record.check_params({"grid": "a.grd", "depth": 7}, "p")
    assert found == []
    scorer = record.build(params, Context(registry.__file__, "default"))
    assert scorer([None]).values.tolist() == [7.0]
