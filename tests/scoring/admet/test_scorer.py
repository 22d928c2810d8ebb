"""The scorer: contract, one pass for all, percentiles, curves, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import percentileofscore

from molgen.chem.molecule import Molecule
from molgen.core.errors import ConfigError
from molgen.core.schema import ObjectiveConfig, TransformConfig
from molgen.scoring.admet import drugbank
from molgen.scoring.admet.endpoints import ENDPOINTS
from molgen.scoring.admet.models import Models
from molgen.scoring.objective import build_objective
from molgen.scoring.protocol import Context
from molgen.scoring.registry import SCORERS
from molgen.scoring.transforms import check_transform
from molgen.testing import check_scorer

MOLS = [Molecule(text) for text in ("CCO", "CC(=O)Oc1ccccc1C(=O)O", "c1ccccc1")]


def component(endpoint, **more):
    return {"use": "admet", "name": endpoint.replace("-", "_"), "params": {"endpoint": endpoint}, **more}


def objective(*components):
    return build_objective(ObjectiveConfig.model_validate({"components": list(components)}))


def test_the_contract_is_kept(package):
    params, problems = SCORERS["admet"].check_params({"endpoint": "PPBR_AZ"}, "params")
    assert not problems
    scorer = SCORERS["admet"].build(params, Context(Path(), "default"))
    assert scorer.unit == "%"
    check_scorer(scorer)


def test_many_components_run_the_networks_once_per_molecule(package, monkeypatch):
    calls = []
    run = Models._run
    monkeypatch.setattr(
        Models, "_run", lambda self, graph: calls.append(len(graph.atoms)) or run(self, graph)
    )
    with objective(*(component(name) for name in ("hERG", "AMES", "Solubility_AqSolDB"))) as built:
        table = built(MOLS)
        built.evidence(MOLS)
    assert len(calls) == len(MOLS)
    assert not np.isnan(table.total).any()
    assert len({tuple(table.raw[name]) for name in table.raw}) == 3


def test_evidence_tells_the_place_among_approved_drugs(package):
    with objective(component("hERG")) as built:
        values = built(MOLS).raw["hERG"]
        found = built.evidence(MOLS)
    expected = [percentileofscore([0.2, 0.4, 0.6], value) for value in values]
    assert found.columns["hERG"]["hERG_percentile"] == pytest.approx(expected)
    assert all(spread > 0 for spread in found.columns["hERG"]["hERG_spread"])
    assert "approved drugs" in found.about["hERG"]["hERG_percentile"]


def test_a_percentile_counts_ties_as_admet_ai_does():
    drugs = np.array([1.0, 2.0, 2.0, 2.0, 5.0])
    values = np.array([0.0, 1.0, 2.0, 3.0, 9.0])
    assert drugbank.percentile(drugs, values).tolist() == [
        percentileofscore(drugs, value) for value in values
    ]


@pytest.mark.parametrize("endpoint", ENDPOINTS.values(), ids=lambda e: e.name)
def test_every_end_point_has_a_curve_that_is_valid_and_stands_on_its_page(endpoint):
    assert check_transform(TransformConfig.model_validate(dict(endpoint.curve)), "transform") == []
    page = (Path(__file__).parents[3] / "docs" / "admet.md").read_text(encoding="utf-8")
    assert f"| `{endpoint.name}` | {endpoint.kind} | {endpoint.meaning} | {endpoint.unit} | " in page


def test_all_end_points_with_their_own_curves_make_an_objective(package):
    with objective(*(component(name) for name in ENDPOINTS)) as built:
        assert len(built.names) == 41
        curves = {c.name: c.transform.config.type for c in built.components}
    assert curves["hERG"] == "reverse_linear"
    assert curves["HIA_Hou"] == "linear"
    assert curves["PPBR_AZ"] == "reverse_sigmoid"


@pytest.mark.parametrize("endpoint", [e.name for e in ENDPOINTS.values() if e.kind == "toxicity"])
def test_a_curve_that_searches_for_toxicity_is_refused(package, endpoint):
    with pytest.raises(ConfigError, match="rewards toxicity"):
        objective(component(endpoint, transform={"type": "sigmoid", "low": 0, "high": 1}))


def test_without_the_models_the_check_says_what_installs_them(monkeypatch):
    monkeypatch.setattr("molgen.scoring.admet.models.find_spec", lambda name: None)
    with pytest.raises(ConfigError) as caught:
        objective(component("hERG"))
    (problem,) = caught.value.problems
    assert problem.key == "objective.components[0].use"
    assert "pip install 'molgen-toolkit[admet]'" in problem.message


def test_a_mistyped_end_point_gets_the_nearest_one():
    _, problems = SCORERS["admet"].check_params({"endpoint": "herg"}, "params")
    assert "hERG" in problems[0].message
    assert problems[0].key == "params.endpoint"
