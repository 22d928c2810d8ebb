"""From a table to a verdict: choice, validation, intervals, card."""

import csv
import json

import numpy as np
import pytest

from molgen.core.errors import ConfigError
from molgen.data.sdf import Row
from molgen.scoring.qsar import splits, validate
from molgen.scoring.qsar.card import page, verdict, words
from molgen.scoring.qsar.curate import curate
from molgen.scoring.qsar.intervals import calibrate
from molgen.scoring.qsar.train import chosen_kinds, train
from molgen.scoring.qsar.values import find_scale


def curated(rows):
    scale, _ = find_scale("t.csv", ["pIC50"], "pIC50")
    return curate([Row(i + 2, s, f"m{i}", {"pIC50": v}) for i, (s, v) in enumerate(rows)], scale)


def test_a_model_of_real_effects_is_useful_and_says_so(trained):
    card = trained.card
    assert trained.useful
    assert card["verdict"]["beats_mean"]
    assert card["verdict"]["beats_scrambled"]
    assert card["scrambled"]["p_value"] == pytest.approx(1 / 41, abs=1e-4)
    assert trained.words()[0].startswith("USEFUL")
    assert card["validation"].keys() == {"random", "scaffold"}


def test_scrambled_activities_are_declared_useless(compounds):
    rows = compounds(60)
    mixed = np.random.default_rng(2).permutation([value for _, value in rows])
    model = train(curated([(s, v) for (s, _), v in zip(rows, mixed, strict=True)]), kinds=["gp"]).model
    assert not model.useful
    assert words(model.card)[0].startswith("USELESS: ")
    assert "Do not rank compounds with it" in page(model.card)


@pytest.mark.parametrize(
    ("q2", "p", "useful"),
    [(0.4, 0.02, True), (0.1, 0.02, True), (-0.1, 0.02, False), (0.4, 0.2, False), (None, 0.02, False)],
)
def test_the_verdict_needs_both_tests(q2, p, useful):
    figures = {"q2": q2, "rmse": 1.0, "rmse_of_mean": 1.0, "spearman": 0.5}
    card = {
        "validation": {"random": {"candidates": {"gp": figures}}},
        "model": {"kind": "gp"},
        "scrambled": {"p_value": p, "spearman": 0.1, "scrambled_95th_percentile": 0.3},
    }
    assert verdict(card)["useful"] is useful


def test_the_choice_is_nested_so_that_its_luck_is_not_counted(compounds, monkeypatch):
    """Each outer fold chooses among the candidates without looking at what it holds back."""
    monkeypatch.setattr(validate, "SCRAMBLES", 2)
    monkeypatch.setattr("molgen.scoring.qsar.forest.TREES", 15)
    steps = []
    trained = train(curated(compounds(40)), progress=lambda done, total: steps.append((done, total)))
    nested = trained.model.card["validation"]["random"]["nested"]
    assert len(nested["chosen"]) == validate.FOLDS
    assert nested["n"] == 40
    assert {"gp", "forest"} == trained.model.card["validation"]["random"]["candidates"].keys()
    assert steps[-1][0] == steps[-1][1]
    assert [done for done, _ in steps] == list(range(1, len(steps) + 1))


def test_many_compounds_are_held_back_by_scaffold_once(monkeypatch):
    monkeypatch.setattr(validate, "NESTED_UP_TO", 100)
    monkeypatch.setattr(validate, "SCRAMBLED_ROWS", 60)
    monkeypatch.setattr(validate, "SCRAMBLES", 2)
    rings = ("c1ccccc1", "c1ccncc1", "c1ccoc1", "C1CCNCC1", "c1cscn1", "c1ccc2[nH]ccc2c1")
    rows = [
        (f"{left}c1ccc({'C' * k}{ring})cc1", 5.0 + 0.3 * k + a + 0.2 * b)
        for a, left in enumerate(("F", "CO", "N", "CC"))
        for b, ring in enumerate(rings)
        for k in range(1, 7)
    ]
    trained = train(curated(rows), kinds=["gp"])
    card = trained.model.card
    assert list(card["validation"]) == ["scaffold"]
    assert 10 < card["intervals"]["compounds"] < 50
    assert card["scrambled"]["rows"] == 60
    held = trained.validation["scaffold_held_back"].notna()
    numbers = splits.scaffolds([m.mol for m in curated(rows).molecules])
    assert not set(numbers[held]) & set(numbers[~held])


def test_intervals_widen_away_from_the_training_set_and_hold_their_share():
    rng = np.random.default_rng(1)

    def draw(n):
        distance, spread = rng.uniform(0.1, 0.9, n), rng.uniform(0.5, 1.5, n)
        return rng.laplace(size=n) * np.exp(1.5 * distance) * spread**0.6, spread, distance

    found = calibrate(*draw(400))
    near, far = found.half_width(np.ones(2), np.array([0.2, 0.8]), 0.8)
    assert far > 1.5 * near
    residual, spread, distance = draw(4000)
    for coverage in (0.5, 0.8, 0.9):
        held = np.abs(residual) <= found.half_width(spread, distance, coverage)
        assert held.mean() == pytest.approx(coverage, abs=0.05)
        for side in (distance < 0.4, distance > 0.6):
            assert held[side].mean() == pytest.approx(coverage, abs=0.09)


def test_too_few_compounds_give_no_interval_instead_of_a_false_one():
    few = calibrate(np.ones(8), np.ones(8), np.linspace(0.2, 0.8, 8))
    assert np.isinf(few.quantile(0.95))
    assert np.isfinite(few.quantile(0.8))


def test_folds_by_scaffold_never_divide_one():
    groups = np.random.default_rng(0).integers(0, 12, 200)
    folds = splits.group_folds(groups, 5, np.random.default_rng(1))
    assert all(len(set(folds[groups == g])) == 1 for g in range(12))
    assert np.bincount(folds).min() > 20
    assert splits.why_no_scaffold_split(np.zeros(40, dtype=int)) == "only 1 scaffolds"
    assert "90%" in splits.why_no_scaffold_split(np.repeat(np.arange(11), [90, *[1] * 10]))


def test_same_seed_same_card(trained, assay, tmp_path):
    from molgen.workflows.qsar import qsar_train

    again = qsar_train(assay, "pIC50", tmp_path / "again", models=["gp"], quiet=True)

    def card(result):
        return {k: v for k, v in result.card.items() if k not in ("created", "files")}

    assert card(again) == card(trained)
    for name in ("weights.safetensors", "training.csv", "validation.csv", "curation.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (trained.folder / name).read_bytes()


def test_the_card_has_no_number_that_json_lacks_and_names_its_data(trained):
    text = (trained.folder / "card.json").read_text()
    assert json.loads(text, parse_constant=lambda name: pytest.fail(name))["data"]["sha256"]
    assert "/" not in json.loads(text)["data"]["file"]


def test_every_row_of_the_file_is_in_the_curation_report(trained):
    with (trained.folder / "curation.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 60
    assert {row["decision"] for row in rows} == {"kept"}
    assert [row["line"] for row in rows] == [str(i) for i in range(2, 62)]


def test_kinds_are_checked():
    assert [k.name for k in chosen_kinds(["forest", "gp"], 50)] == ["gp", "forest"]
    with pytest.raises(ConfigError, match="did you mean 'forest'"):
        chosen_kinds(["forrest"], 50)
    with pytest.raises(ConfigError, match="up to 5,000"):
        chosen_kinds(["gp"], 6000)


def test_open_ended_values_are_used_and_counted(compounds):
    rows = [(s, f"<{v + 0.5:.2f}" if k % 5 == 0 else v) for k, (s, v) in enumerate(compounds(60))]
    model = train(curated(rows), kinds=["gp"]).model
    figures = model.card["validation"]["random"]["candidates"]["gp"]
    assert (figures["n"], figures["censored"]) == (48, 12)
    assert figures["censored_right_side"] >= 6
    assert model.card["intervals"]["compounds"] == 48
