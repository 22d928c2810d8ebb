import numpy as np
import pytest

from molgen.chem.molecule import Molecule, parse_all
from molgen.core.errors import ConfigError, ScorerError
from molgen.core.schema import ObjectiveConfig
from molgen.scoring.objective import score_table
from molgen.scoring.protocol import Scored
from molgen.testing import SCORER_SMILES

MOLS = parse_all(SCORER_SMILES, "default").ok


def mols(*smiles):
    return [Molecule(text) for text in smiles]


def test_totals_are_weighted_means_of_desirabilities(toy, objective):
    toys = {"a": toy({"C": 0.4}), "b": toy({"C": 0.9})}
    components = [{"use": "a", "weight": 1}, {"use": "b", "weight": 3}]
    table = objective(components, toys)(mols("C"))
    assert table.total == pytest.approx([(0.4 * 0.9**3) ** 0.25])
    assert table.passed.tolist() == [True]
    assert table.reasons == [""]
    table = objective(components, toys, "arithmetic_mean")(mols("C"))
    assert table.total == pytest.approx([(0.4 + 2.7) / 4])


def test_a_filter_gates_and_stays_out_of_the_mean(toy, objective):
    toys = {"ok": toy({"C": 0.5, "CC": 0.49}), "main": toy({"C": 0.7, "CC": 0.7})}
    table = objective([{"use": "main"}, {"use": "ok", "role": "filter"}], toys)(mols("C", "CC"))
    assert table.total.tolist() == [pytest.approx(0.7), 0.0]
    assert table.passed.tolist() == [True, False]
    assert table.reasons == ["", "filter ok: 0.49 too low"]


def test_a_molecule_that_fails_a_filter_pays_for_nothing_dearer(toy, objective):
    toys = {"cheap": toy({"C": 0.0}, 1e-6), "dear": toy(cost=1.0), "dearest": toy(cost=2.0)}
    components = [{"use": "dear"}, {"use": "dearest", "role": "filter"}, {"use": "cheap", "role": "filter"}]
    built = objective(components, toys)
    table = built(mols("C", "CC"))
    assert toys["cheap"].asked == ["C", "CC"]
    assert toys["dearest"].asked == ["CC"], "filters run before scores, however dear"
    assert toys["dear"].asked == ["CC"]
    assert np.isnan(table.raw["dear"][0])
    assert np.isnan(table.desirability["dearest"][0])
    assert table.total[0] == 0.0
    assert built.names == ["dear", "dearest", "cheap"], "columns keep the order of the configuration"


def test_everything_computes_all_and_gives_all_reasons_with_the_same_totals(objective):
    components = [
        {"use": "qed"},
        {"use": "mol_weight", "role": "filter", "transform": {"type": "step", "low": 200, "high": 500}},
        {"use": "alerts", "role": "filter"},
    ]
    with objective(components) as built:
        short, full = built(MOLS), built(MOLS, everything=True)
    assert np.array_equal(short.total, full.total)
    assert np.array_equal(short.passed, full.passed)
    assert not np.isnan(full.raw["qed"]).any()
    quinone = SCORER_SMILES.index("O=C1C=CC(=O)C(c2ccccc2)=C1")
    assert short.reasons[quinone] == "filter mol_weight: 184.2 outside 200..500"
    assert full.reasons[quinone].startswith(
        "filter mol_weight: 184.2 outside 200..500; filter alerts: PAINS quinone"
    )


def test_reasons_name_the_alert_and_the_window(objective):
    quinone = mols("O=C1C=CC(=O)C(c2ccccc2)=C1")
    alerts = objective([{"use": "alerts", "role": "filter", "params": {"catalogs": ["PAINS"]}}])
    assert alerts(quinone).reasons == ["filter alerts: PAINS quinone_A(370)"]
    window = {"type": "step", "low": 200, "high": 500}
    weight = objective([{"use": "mol_weight", "role": "filter", "transform": window}])
    assert weight(quinone).reasons == ["filter mol_weight: 184.2 outside 200..500"]


def test_a_penalty_multiplies_the_total(toy, objective):
    toys = {"main": toy({"C": 0.8}), "bad": toy({"C": 0.25})}
    table = objective([{"use": "main"}, {"use": "bad", "role": "penalty"}], toys)(mols("C"))
    assert table.total == pytest.approx([0.2])


def test_filters_alone_give_1_or_0(toy, objective):
    toys = {"ok": toy({"C": 1.0, "CC": 0.0})}
    assert objective([{"use": "ok", "role": "filter"}], toys)(mols("C", "CC")).total.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("role", ["score", "penalty"])
def test_a_missing_value_means_no_total_and_says_why(role, toy, objective):
    toys = {"a": toy({"C": np.nan}), "b": toy()}
    table = objective([{"use": "a", "role": role}, {"use": "b"}], toys)(mols("C", "CC"))
    assert np.isnan(table.total).tolist() == [True, False]
    assert table.passed.tolist() == [True, True]
    assert table.reasons == ["a: no value (toy broke)", ""]
    assert table.errors == {"a": {0: "toy broke"}}


@pytest.mark.parametrize("role", ["score", "penalty"])
def test_a_missing_value_can_be_left_out(role, toy, objective):
    toys = {"a": toy({"C": np.nan}), "b": toy({"C": 0.3})}
    table = objective([{"use": "a", "role": role, "on_missing": "ignore"}, {"use": "b"}], toys)(mols("C"))
    assert table.total == pytest.approx([0.3])
    assert table.reasons == [""]


def test_a_filter_without_a_value_neither_passes_nor_fails(toy, objective):
    toys = {"f": toy({"C": np.nan}), "main": toy()}
    table = objective([{"use": "f", "role": "filter"}, {"use": "main"}], toys)(mols("C"))
    assert np.isnan(table.total[0])
    assert table.passed.tolist() == [False]
    assert table.reasons == ["f: no value (toy broke)"]
    ignoring = [{"use": "f", "role": "filter", "on_missing": "ignore"}, {"use": "main"}]
    table = objective(ignoring, toys)(mols("C"))
    assert table.total == pytest.approx([0.5])
    assert table.passed.tolist() == [True]


def test_all_components_ignored_and_missing_is_no_total(toy, objective):
    table = objective([{"use": "a", "on_missing": "ignore"}], {"a": toy({"C": np.nan})})(mols("C"))
    assert np.isnan(table.total[0])
    assert table.reasons == ["no component has a value"]


def test_a_raw_value_outside_0_1_without_a_curve_is_no_desirability_and_says_so(toy, objective):
    table = objective([{"use": "a"}], {"a": toy({"C": 3.7})})(mols("C", "CC"))
    assert table.raw["a"].tolist() == [3.7, 0.5]
    assert np.isnan(table.total[0])
    assert table.reasons[0] == "a: 3.7 is outside 0..1, give the component a transform"
    assert table.warnings == ["a: 1 values outside 0..1 have no desirability; give the component a transform"]


def test_a_handed_in_scorer_that_breaks_its_contract_is_named(toy, objective):
    class Short(toy):
        def __call__(self, chosen):
            return Scored(np.zeros(len(chosen) - 1))

    with pytest.raises(
        ScorerError, match=r"scorer 'a' returned float64 values of shape \(1,\) for 2 molecules"
    ):
        objective([{"use": "a"}], {"a": Short()})(mols("C", "CC"))


def test_all_problems_come_in_one_report(objective):
    components = [
        {"use": "mol_wieght"},
        {
            "use": "qed",
            "params": {"x": 1},
            "transform": {"type": "sigmoid", "low": 3, "high": 1},
            "timeout": 3,
        },
        {"use": "logp"},
        {"use": "logp"},
        {"use": "tpsa", "name": "total"},
        {"use": "custom_alerts", "params": {"smarts": ["C("]}},
        {"use": "similarity", "params": {"references": ["C", "xyz"]}},
    ]
    with pytest.raises(ConfigError) as caught:
        objective(components)
    assert [problem.key for problem in caught.value.problems] == [
        f"objective.components{key}"
        for key in (
            "[0].use",
            "[1].transform.low",
            "[1].params.x",
            "[1].timeout",
            "[3].name",
            "[4].name",
            "[5].params.smarts[0]",
            "[6].params.references[1]",
        )
    ]
    assert "did you mean 'mol_weight'" in str(caught.value)


def test_the_fingerprint_changes_with_everything_that_changes_totals(objective):
    base = {"use": "similarity", "params": {"references": ["C"]}}
    variants = [
        [base],
        [{**base, "weight": 2}],
        [{**base, "role": "filter"}],
        [{**base, "threshold": 0.4}],
        [{**base, "on_missing": "ignore"}],
        [{**base, "params": {"references": ["CC"]}}],
        [{**base, "params": {"references": ["C"], "radius": 3}}],
        [{**base, "transform": {"type": "reverse_linear", "low": 0, "high": 1}}],
    ]
    prints = [objective(components).fingerprint for components in variants]
    prints += [
        objective([base], aggregate="arithmetic_mean").fingerprint,
        objective([base], policy="flat").fingerprint,
    ]
    assert len(set(prints)) == len(prints)
    assert objective([base]).fingerprint == prints[0]


def test_the_frame_keeps_ids_and_other_columns():
    rows = [
        Molecule("CCO", "default", "M1", {"assay": 7.1, "total": "mine"}),
        Molecule("CCN", "default", "M2", {}),
    ]
    frame = score_table(rows, ObjectiveConfig.model_validate({"components": [{"use": "qed"}]}))
    of_qed = ["qed", "qed_desirability", "qed_contribution"]
    assert list(frame) == ["id", "smiles", "total", "passed", "reason", *of_qed, "assay"]
    assert frame["id"].tolist() == ["M1", "M2"]
    assert frame["assay"][0] == 7.1


def test_components_describe_themselves_for_the_report(objective):
    described = objective([{"use": "mol_weight", "weight": 2}]).describe()
    assert described == [
        {
            "name": "mol_weight",
            "use": "mol_weight",
            "role": "score",
            "weight": 2.0,
            "unit": "g/mol",
            "transform": {"type": "double_sigmoid", "low": 200.0, "high": 500.0},
            "summary": "average molecular weight",
        }
    ]
