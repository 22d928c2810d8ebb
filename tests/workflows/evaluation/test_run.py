"""An evaluation from file to page: what is written, what is left out and said, which mistakes are refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import molgen as mg
from molgen.core.errors import ConfigError, DataError, ModelError
from molgen.workflows.evaluation.reading import read_raw
from molgen.workflows.evaluation.subject import Subject, subject_of


def test_everything_is_written_and_says_what_was_left_out(run, drawn, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    out = tmp_path / "report"
    result = run(drawn[:120], out, suites=["all"], track=False)
    results = out / "results"
    page = (results / "report.html").read_text()
    content = json.loads((results / "evaluation.json").read_text())
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in page
    assert page.count("<svg") > 20
    assert "molgen data fetch chemnet" in page  # the FCD is missing, with its cure
    assert content["kind"] == "evaluation"
    assert {metric["suite"] for metric in content["metrics"]} == {"moses", "guacamol", "general", "audit"}
    assert not any(metric["name"].startswith("FCD") for metric in content["metrics"])
    assert (
        (results / "metrics.csv")
        .read_text()
        .startswith("suite,name,value,low,high,floor,n,note\nmoses,valid,")
    )
    assert (
        "unique,same molecule again" in (results / "funnel.csv").read_text()
        or result.funnel.steps[2].lost == 0
    )
    assert result.value("precision (Tanimoto)") > 0.5
    assert all(step.kept >= 0 for step in result.funnel.steps)
    assert json.loads((out / "manifest.json").read_text())["status"] == "done"
    with pytest.raises(Exception, match="overwrite"):
        run(drawn[:20], out)


def test_the_same_seed_gives_the_same_numbers(run, drawn: list[str]) -> None:  # type: ignore[no-untyped-def]
    one, two = (run(drawn[:60], suites=["general", "audit"]) for _ in range(2))
    assert one.rows() == two.rows()


def test_without_any_reference_the_rest_still_works(run, drawn: list[str]) -> None:  # type: ignore[no-untyped-def]
    result = run(drawn[:60], reference="none", training=None, suites=["all"])
    assert result.value("IntDiv") > 0.5
    assert result.funnel is not None
    assert result.value("unique@1000") is None


def test_a_default_reference_that_is_not_here_is_said(run, drawn: list[str]) -> None:  # type: ignore[no-untyped-def]
    result = run(drawn[:30], reference=None, training=None, suites=["moses"])
    assert any("molgen data fetch zinc250k chembl-sample" in text for text in result.warnings)
    with pytest.raises(DataError, match="molgen data fetch"):
        run(drawn[:30], reference="moses")


def test_mistakes_are_named_before_any_work(run) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ConfigError, match="did you mean 'guacamol'"):
        run(["CCO"], suites=["guacamoll"])
    with pytest.raises(ConfigError, match="no file and no data set; did you mean 'druglike'"):
        run(["CCO"], reference="drug_like")
    with pytest.raises(DataError, match="no molecules"):
        run([])
    with pytest.raises(DataError, match="none of the 2 strings"):
        run(["not", "molecules"])


def test_blank_lines_are_invalid_samples_and_not_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "samples.smi"
    path.write_text("CCO\n\n\nCCN\nbroken(\nCC\n")
    assert read_raw(path) == ["CCO", "", "", "CCN", "broken(", "CC"]
    assert read_raw(path, 4) == ["CCO", "", "", "CCN"]


def test_nats_per_molecule_are_those_of_the_function(run, drawn: list[str]) -> None:  # type: ignore[no-untyped-def]
    def likelihood(smiles: list[str]) -> np.ndarray:
        return np.where(np.arange(len(smiles)) == 0, np.nan, -20.0)

    result = run(drawn[:40], suites=["moses"], subject=Subject("toy", likelihood))
    assert result.value("nats per molecule (reference)") == 20.0
    note = next(m.note for m in result.metrics if m.name == "nats per molecule (sample)")
    assert "1 cannot be written" in note


def test_the_shipped_prior_tells_its_nats_through_the_api(run, drawn, places) -> None:  # type: ignore[no-untyped-def]
    options = {"reference": str(places[1]), "training": str(places[2]), "quiet": True}
    result = mg.evaluate(drawn[:30], suites=["moses"], model="druglike", **options)
    assert 15 < result.value("nats per molecule (reference)") < 40


def test_a_model_with_nothing_to_measure_is_refused() -> None:
    from molgen.workflows.model import Model

    class Silent:
        family = "silent"

    with pytest.raises(ModelError, match="neither a likelihood nor a latent space"):
        subject_of(Model("x", Path("x"), "cpu", Silent(), {}))  # type: ignore[arg-type]
