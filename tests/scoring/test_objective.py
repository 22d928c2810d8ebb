import json
import os

import numpy as np
import pytest

from molgen.chem.molecule import Molecule, parse_all
from molgen.core.errors import ConfigError, Interrupted, ScorerError
from molgen.core.schema import ObjectiveConfig
from molgen.scoring.cache import ScoreCache
from molgen.scoring.objective import build_objective, score_table
from molgen.scoring.protocol import Scored
from molgen.testing import SCORER_SMILES

MOLS = parse_all(SCORER_SMILES, "default").ok


class Toy:
    """Scores by a table, counts what it is asked, and can be told to be dear."""

    unit = "u"

    def __init__(self, values=None, cost=1e-5, fingerprint=None):
        self.name, self.values, self.cost, self.asked = "toy", values or {}, cost, []
        if fingerprint:
            self.fingerprint = fingerprint

    def __call__(self, mols):
        self.asked += [mol.smiles for mol in mols]
        values = np.array([self.values.get(mol.smiles, 0.5) for mol in mols], dtype=np.float64)
        return Scored(values, {int(i): "toy broke" for i in np.flatnonzero(np.isnan(values))})


def objective(components, handed_in=None, aggregate="geometric_mean", **options):
    config = ObjectiveConfig.model_validate({"components": components, "aggregate": aggregate})
    return build_objective(config, handed_in=handed_in or {}, **options)


def mols(*smiles):
    return [Molecule(text) for text in smiles]


def test_totals_are_weighted_means_of_desirabilities():
    toys = {"a": Toy({"C": 0.4}), "b": Toy({"C": 0.9})}
    components = [{"use": "a", "weight": 1}, {"use": "b", "weight": 3}]
    table = objective(components, toys)(mols("C"))
    assert table.total == pytest.approx([(0.4 * 0.9**3) ** 0.25])
    assert table.passed.tolist() == [True]
    assert table.reasons == [""]
    table = objective(components, toys, "arithmetic_mean")(mols("C"))
    assert table.total == pytest.approx([(0.4 + 2.7) / 4])


def test_a_filter_gates_and_stays_out_of_the_mean():
    toys = {"ok": Toy({"C": 0.5, "CC": 0.49}), "main": Toy({"C": 0.7, "CC": 0.7})}
    table = objective([{"use": "main"}, {"use": "ok", "role": "filter"}], toys)(mols("C", "CC"))
    assert table.total.tolist() == [pytest.approx(0.7), 0.0]
    assert table.passed.tolist() == [True, False]
    assert table.reasons == ["", "filter ok: 0.49 too low"]


def test_a_molecule_that_fails_a_filter_pays_for_nothing_dearer():
    toys = {"cheap": Toy({"C": 0.0}, 1e-6), "dear": Toy(cost=1.0), "dearest": Toy(cost=2.0)}
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


def test_everything_computes_all_and_gives_all_reasons_with_the_same_totals():
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


def test_reasons_name_the_alert_and_the_window():
    quinone = mols("O=C1C=CC(=O)C(c2ccccc2)=C1")
    alerts = objective([{"use": "alerts", "role": "filter", "params": {"catalogs": ["PAINS"]}}])
    assert alerts(quinone).reasons == ["filter alerts: PAINS quinone_A(370)"]
    window = {"type": "step", "low": 200, "high": 500}
    weight = objective([{"use": "mol_weight", "role": "filter", "transform": window}])
    assert weight(quinone).reasons == ["filter mol_weight: 184.2 outside 200..500"]


def test_a_penalty_multiplies_the_total():
    toys = {"main": Toy({"C": 0.8}), "bad": Toy({"C": 0.25})}
    table = objective([{"use": "main"}, {"use": "bad", "role": "penalty"}], toys)(mols("C"))
    assert table.total == pytest.approx([0.2])


def test_filters_alone_give_1_or_0():
    toys = {"ok": Toy({"C": 1.0, "CC": 0.0})}
    assert objective([{"use": "ok", "role": "filter"}], toys)(mols("C", "CC")).total.tolist() == [1.0, 0.0]


@pytest.mark.parametrize("role", ["score", "penalty"])
def test_a_missing_value_means_no_total_and_says_why(role):
    toys = {"a": Toy({"C": np.nan}), "b": Toy()}
    table = objective([{"use": "a", "role": role}, {"use": "b"}], toys)(mols("C", "CC"))
    assert np.isnan(table.total).tolist() == [True, False]
    assert table.passed.tolist() == [True, True]
    assert table.reasons == ["a: no value (toy broke)", ""]
    assert table.errors == {"a": {0: "toy broke"}}


@pytest.mark.parametrize("role", ["score", "penalty"])
def test_a_missing_value_can_be_left_out(role):
    toys = {"a": Toy({"C": np.nan}), "b": Toy({"C": 0.3})}
    table = objective([{"use": "a", "role": role, "on_missing": "ignore"}, {"use": "b"}], toys)(mols("C"))
    assert table.total == pytest.approx([0.3])
    assert table.reasons == [""]


def test_a_filter_without_a_value_neither_passes_nor_fails():
    toys = {"f": Toy({"C": np.nan}), "main": Toy()}
    table = objective([{"use": "f", "role": "filter"}, {"use": "main"}], toys)(mols("C"))
    assert np.isnan(table.total[0])
    assert table.passed.tolist() == [False]
    assert table.reasons == ["f: no value (toy broke)"]
    ignoring = [{"use": "f", "role": "filter", "on_missing": "ignore"}, {"use": "main"}]
    table = objective(ignoring, toys)(mols("C"))
    assert table.total == pytest.approx([0.5])
    assert table.passed.tolist() == [True]


def test_all_components_ignored_and_missing_is_no_total():
    table = objective([{"use": "a", "on_missing": "ignore"}], {"a": Toy({"C": np.nan})})(mols("C"))
    assert np.isnan(table.total[0])
    assert table.reasons == ["no component has a value"]


def test_a_raw_value_outside_0_1_without_a_curve_is_no_desirability_and_says_so():
    table = objective([{"use": "a"}], {"a": Toy({"C": 3.7})})(mols("C", "CC"))
    assert table.raw["a"].tolist() == [3.7, 0.5]
    assert np.isnan(table.total[0])
    assert table.reasons[0] == "a: 3.7 is outside 0..1, give the component a transform"
    assert table.warnings == ["a: 1 values outside 0..1 have no desirability; give the component a transform"]


ALL_ROLES = [
    {"use": "qed"},
    {"use": "logp"},
    {"use": "sa_score", "weight": 0.3},
    {"use": "tpsa", "role": "penalty"},
    {"use": "mol_weight", "role": "filter"},
    {"use": "custom_alerts", "role": "filter", "params": {"smarts": {"nitro": "[N+](=O)[O-]"}}},
    {"use": "similarity", "params": {"references": ["CCO", "c1ccccc1O"]}, "name": "like"},
]


def same(a, b):
    assert np.array_equal(a.total, b.total, equal_nan=True)
    assert np.array_equal(a.passed, b.passed)
    assert a.reasons == b.reasons
    assert a.errors == b.errors
    assert a.notes == b.notes
    for name in a.raw:
        assert np.array_equal(a.raw[name], b.raw[name], equal_nan=True), name
        assert np.array_equal(a.desirability[name], b.desirability[name], equal_nan=True), name


def test_scores_do_not_depend_on_the_batch():
    with objective(ALL_ROLES) as built:
        together = built(MOLS)
        for k, mol in enumerate(MOLS):
            alone = built([Molecule(mol.smiles)])
            assert alone.total[0] == together.total[k]
            assert alone.reasons[0] == together.reasons[k]
        turned = built(MOLS[::-1])
    assert np.array_equal(turned.total[::-1], together.total)


def test_a_molecule_that_stands_twice_is_computed_once_and_scored_twice():
    toy = Toy({"C": 0.3, "CC": np.nan})
    table = objective([{"use": "a"}], {"a": toy})(mols("C", "CC", "C", "CC"))
    assert toy.asked == ["C", "CC"]
    assert table.total[0] == table.total[2] == pytest.approx(0.3)
    assert table.reasons[1] == table.reasons[3] == "a: no value (toy broke)"


def test_no_molecules_no_rows():
    with objective(ALL_ROLES) as built:
        table = built([])
    assert len(table) == 0
    assert list(table.to_frame([])) == ["smiles", "total", "passed", "reason", *_columns(table)]


def _columns(table):
    names = []
    for name in table.raw:
        names += [name, f"{name}_desirability"]
        names += [f"{name}_contribution"] if name in table.contribution else []
    return names


def test_dear_values_are_asked_once_cheap_ones_again():
    dear, cheap = Toy(cost=1.0, fingerprint="d"), Toy(cost=1e-5, fingerprint="c")
    unknown = Toy(cost=1.0)
    toys = {"dear": dear, "cheap": cheap, "unknown": unknown}
    built = objective([{"use": name} for name in toys], toys)
    same(built(mols("C", "CC")), built(mols("CC", "C", "CCC")[:2][::-1]))
    assert sorted(dear.asked) == ["C", "CC"]
    assert len(cheap.asked) == len(unknown.asked) == 4, "no fingerprint, no cache"


def test_a_killed_run_pays_only_for_the_calls_in_flight(tmp_path):
    class Dies(Toy):
        def stream(self, chosen, mark):
            for k, mol in enumerate(chosen):
                if mark is not None:
                    mark([k])
                self.asked.append(mol.smiles)
                if mol.smiles == "CCC" and self.values:
                    raise KeyboardInterrupt
                yield k, 0.25, "", "a note"

    names = ("C", "CC", "CCC", "CCCC")
    first, second = Dies({"die": 1}, 1.0, "d"), Dies({}, 1.0, "d")
    with ScoreCache(tmp_path / "scores.jsonl") as cache, pytest.raises(KeyboardInterrupt):
        objective([{"use": "a"}], {"a": first}, cache=cache)(mols(*names))
    assert first.asked == ["C", "CC", "CCC"]
    with ScoreCache(tmp_path / "scores.jsonl") as cache:
        assert cache.lost == 1
        table = objective([{"use": "a"}], {"a": second}, cache=cache)(mols(*names))
    assert second.asked == ["CCC", "CCCC"]
    assert table.notes == {"a": dict.fromkeys(range(4), "a note")}


def test_a_stop_request_ends_the_batch_between_chunks():
    toy = Toy(cost=1.0)
    answers = iter([None, None, "SIGTERM"])
    with pytest.raises(Interrupted, match="SIGTERM") as caught:
        objective([{"use": "a"}], {"a": toy})(mols("C", "CC", "CCC"), stop=lambda: next(answers))
    assert caught.value.exit_code == 75
    assert toy.asked == ["C", "CC"]


def test_progress_adds_up_to_the_distinct_molecules():
    steps = []
    with objective(ALL_ROLES) as built:
        built(MOLS + MOLS, progress=steps.append)
    assert sum(steps) == len(MOLS)


def test_a_handed_in_scorer_that_breaks_its_contract_is_named():
    class Short(Toy):
        def __call__(self, chosen):
            return Scored(np.zeros(len(chosen) - 1))

    with pytest.raises(
        ScorerError, match=r"scorer 'a' returned float64 values of shape \(1,\) for 2 molecules"
    ):
        objective([{"use": "a"}], {"a": Short()})(mols("C", "CC"))


def test_all_problems_come_in_one_report():
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


def test_the_fingerprint_changes_with_everything_that_changes_totals():
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


def test_components_describe_themselves_for_the_report():
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


def test_two_workers_give_the_same_bits_as_none(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import os\n"
        "def f(smiles):\n"
        "    if 'Br' in smiles:\n"
        "        raise ValueError('iodine')\n"
        "    return 1 / len(smiles)\n"
        "def pid(smiles):\n"
        "    return float(os.getpid())\n"
    )
    sigmoid = {"type": "sigmoid", "low": 0, "high": 1}
    components = [
        *ALL_ROLES,
        {"use": "mine.py:f"},
        {"use": "mine.py:pid", "transform": sigmoid},
        {"use": "a", "role": "filter"},
        {"use": "b"},
    ]
    toys = {"a": Toy({"CCO": 0.1}), "b": Toy({"C": np.nan}, 1.0)}
    config = ObjectiveConfig.model_validate({"components": components})
    tables, processes, journals = [], [], []
    for workers in (1, 2):
        journal = tmp_path / f"{workers}.jsonl"
        with (
            ScoreCache(journal) as cache,
            build_objective(config, base_dir=tmp_path, handed_in=toys, workers=workers, cache=cache) as built,
        ):
            table = built(MOLS)
        pids = table.raw.pop("pid")
        processes.append(set(pids[~np.isnan(pids)]))
        tables.append(table)
        rows = [json.loads(line) for line in journal.read_text().splitlines()]
        values = [(row["m"], row["v"] or -1, row.get("e", "")) for row in rows if "m" in row]
        journals.append(sorted(value for value in values if value[1] <= 1))
    same(*tables)
    assert journals[0] == journals[1]
    assert journals[0]
    assert processes[0] == {float(os.getpid())}
    assert not processes[0] & processes[1]


def test_a_worker_that_dies_costs_only_its_molecule(tmp_path):
    (tmp_path / "mine.py").write_text(
        "import os\ndef f(smiles):\n    if 'B' in smiles:\n        os._exit(9)\n    return 0.5\n"
    )
    config = ObjectiveConfig.model_validate({"components": [{"use": "mine.py:f"}]})
    boron = [k for k, mol in enumerate(MOLS) if "B" in mol.smiles]
    with build_objective(config, base_dir=tmp_path, workers=2) as built:
        table = built(MOLS)
    assert np.flatnonzero(np.isnan(table.total)).tolist() == boron
    assert table.reasons[boron[0]] == "f: no value (the worker process ended with exit code 9)"


def test_a_scorer_error_in_a_worker_is_raised_here_and_the_pool_goes_on(tmp_path):
    (tmp_path / "mine.py").write_text("def f(smiles): return 0.5 if smiles != 'CCO' else 'bad'\n")
    config = ObjectiveConfig.model_validate({"components": [{"use": "mine.py:f"}]})
    with build_objective(config, base_dir=tmp_path, workers=2) as built:
        with pytest.raises(ScorerError, match=r"mine\.py:f returned 'bad' \(str\) for CCO"):
            built(MOLS)
        assert built(MOLS[2:6]).total.tolist() == pytest.approx([0.5] * 4)


def test_a_stop_request_does_not_wait_for_busy_workers(tmp_path):
    (tmp_path / "mine.py").write_text("import threading\ndef f(smiles): threading.Event().wait()\n")
    config = ObjectiveConfig.model_validate({"components": [{"use": "mine.py:f"}]})
    calls = []

    def stop():
        calls.append(1)
        return "SIGUSR1" if len(calls) > 3 else None

    with (
        build_objective(config, base_dir=tmp_path, workers=2) as built,
        pytest.raises(Interrupted, match="SIGUSR1"),
    ):
        built(MOLS, stop=stop)
