"""Lead optimization: every strategy is a run, and the comparison is what MLflow knows of them."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

import molgen as mg

FOLDER = Path(__file__).parents[2] / "pipelines" / "lead_optimization"
EASY = "{aggregate: arithmetic_mean, components: [{use: qed}, {use: tpsa, name: control, role: control}]}"


def line(model: Path, out: Path, *strategies: str, molecules: int = 24) -> list[str]:
    changes = {
        "model": model, "budget": f"{{molecules: {molecules}, steps: 12}}", "output": "{n: 2}", "batch_size": 8,
        "objective": EASY,
    }  # fmt: skip
    sets = [part for key, value in changes.items() for part in ("--set", f"{key}={value}")]
    return [str(FOLDER / "recipe.yaml"), "-o", str(out), "-q", *sets, "--strategies", *strategies]


@pytest.fixture
def run(script: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return script("lead_optimization/run.py")


def test_the_recipe_passes_the_whole_check(tiny_model: Path) -> None:
    report = mg.check(FOLDER / "recipe.yaml", [f"model={tiny_model}"])
    assert report.kind == "optimize"
    assert all("like_lead_control" in row for row in report.trial)


@pytest.mark.slow
def test_strategies_are_compared_by_what_mlflow_knows(
    run: ModuleType, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "leads"
    assert run.main(line(tiny_model, out, *run.STRATEGIES)) in (0, 4)
    with (out / "comparison.csv").open() as file:
        table = list(csv.DictReader(file))
    assert {row["strategy"] for row in table} == set(run.STRATEGIES)
    for row in table:
        text = (out / row["strategy"] / "results" / "candidates.csv").read_text(encoding="utf-8")
        delivered = next(csv.DictReader(text.splitlines()))
        assert float(row["best"]) >= float(delivered["score"]) - 1e-6  # the file has six digits
        assert 0 < float(row["area under best 10"]) <= float(row["best"])
        assert 0 < int(row["calls"]) <= 24
    assert [float(row["area under best 10"]) for row in table] == sorted(
        (float(row["area under best 10"]) for row in table), reverse=True
    )
    said = capsys.readouterr().out
    assert "area under best 10" in said
    assert f"report: {out / 'genetic' / 'results' / 'report.html'}" in said
    assert run.main(line(tiny_model, out, *run.STRATEGIES)) in (0, 4), "the same line shows it again"
    assert capsys.readouterr().out == said


def test_the_area_is_the_mean_height_over_the_calls(run: ModuleType) -> None:
    assert run.area([(10, 0.5), (20, 0.5)]) == pytest.approx((10 * 0.25 + 10 * 0.5) / 20)
    assert run.area([]) != run.area([])  # NaN: nothing was paid


def test_a_mistake_is_reported_and_nothing_is_written(
    run: ModuleType, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main(line(tiny_model, tmp_path / "leads", "genetics")) == 2
    assert "did you mean 'genetic'" in capsys.readouterr().err
    assert not (tmp_path / "leads" / "genetics").exists()
    changes = ["--set", "tracking.mlflow=false"]
    assert run.main([*line(tiny_model, tmp_path / "leads", "random"), *changes]) == 2
    assert "is not in MLflow" in capsys.readouterr().err
