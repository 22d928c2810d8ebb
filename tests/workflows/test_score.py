"""Scoring files: ids, columns and order stay, nothing is lost silently, and a run's file scores the same again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from molgen.core.errors import ConfigError, DataError
from molgen.workflows.score import score

OBJECTIVE = {
    "components": [
        {"use": "qed"},
        {"use": "mol_weight", "role": "filter", "transform": {"type": "step", "high": 150}},
    ]
}


def test_ids_columns_and_order_stay(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("name,smiles,ic50\nb,CCO,3\na,not a molecule,4\nc,c1ccccc1CCN,5\n")
    result = score(tmp_path / "in.csv", OBJECTIVE, quiet=True)
    frame = result.to_frame()
    assert frame["id"].tolist() == ["b", "c"]
    assert frame["ic50"].tolist() == ["3", "5"]
    assert frame["passed"].all()
    assert [(row.line, row.why) for row in result.rejected] == [(3, "unparsable")]
    assert result.rejected_frame().loc[0, "text"] == "not a molecule"
    assert "2 molecules scored, 2 passed the filters, 1 rows rejected" in result.caption()


def test_a_filtered_molecule_gets_zero_and_the_reason() -> None:
    frame = score(["CCO", "CCCCCCCCCCCCCCO"], OBJECTIVE, quiet=True).to_frame()
    assert frame["total"].tolist()[1] == 0.0
    assert "mol_weight" in frame["reason"].tolist()[1]


def test_all_values_or_only_those_that_the_search_would_compute() -> None:
    objective = {"components": [*OBJECTIVE["components"]]}
    everything = score(["CCCCCCCCCCCCCCO"], objective, quiet=True).to_frame()
    lazily = score(["CCCCCCCCCCCCCCO"], objective, quiet=True, everything=False).to_frame()
    assert everything["qed"].notna().all()
    assert lazily["qed"].isna().all()
    assert everything["total"].tolist() == lazily["total"].tolist()


def test_the_objective_of_a_run_folder_finds_the_files_it_was_made_with(tmp_path: Path) -> None:
    """The run's copy of the configuration lies elsewhere than the file whose relative paths it has."""
    (tmp_path / "mine.py").write_text("def half(smiles):\n    return 0.5\n")
    run = tmp_path / "runs" / "a"
    run.mkdir(parents=True)
    (run / "run.yaml").write_text("objective:\n  components:\n    - use: mine.py:half\n")
    (run / "manifest.json").write_text(json.dumps({"base_dir": str(tmp_path)}))
    assert score(["CCO"], run, quiet=True).to_frame()["total"].tolist() == [0.5]


def test_mistakes_are_told_before_the_file_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown scorer"):
        score(tmp_path / "none.csv", {"components": [{"use": "qedd"}]}, quiet=True)
    with pytest.raises(DataError, match=r"none\.csv"):
        score(tmp_path / "none.csv", OBJECTIVE, quiet=True)
    with pytest.raises(ConfigError, match="there is no objective in it"):
        score(["CCO"], "kind: train\ndata: [{path: x.csv}]\n", quiet=True)


def test_evidence_is_beside_the_values_unless_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    from molgen.scoring import registry
    from molgen.testing import ToyEvidence

    record = registry.ScorerRecord("toy", "toy", "", 1e-5, "molgen.testing:ToyEvidence")
    monkeypatch.setattr(registry, "find", lambda name: record)
    monkeypatch.setattr("molgen.scoring.build.find", lambda name: record)
    monkeypatch.setattr(registry.ScorerRecord, "build", lambda *_: ToyEvidence())
    told = score(["c1ccccc1O", "C"], {"components": [{"use": "toy"}]}, quiet=True).to_frame()
    assert told["toy_in_domain"].fillna("").tolist() == ["yes", ""]
    assert told["toy_contribution"].notna().tolist() == [True, False]
    scores = score(["c1ccccc1O"], {"components": [{"use": "toy"}]}, evidence=False, quiet=True).to_frame()
    assert "toy_low" not in scores
