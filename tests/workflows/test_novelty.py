"""molgen novelty as a user meets it: rows in order, own columns kept, hazards withheld, notes that promise nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from molgen.cli import run
from molgen.core.errors import ConfigError, DataError
from molgen.workflows.novelty import novelty
from molgen.workflows.score import score

KNOWN = "id,smiles\nUS1,c1ccc(CCN)cc1\nUS2,OC(=O)c1ccncc1.[Na]\nUS3,C[C@H](N)c1ccccc1\n"
QUERY = (
    "name,smiles,batch\n"
    "a,NCCc1ccccc1,7\n"
    "b,C[C@@H](N)c1ccccc1,7\n"
    "c,CP(=O)(F)OCC,CP(=O)(F)OCC\n"
    "d,not a smiles,8\n"
    "e,Cc1ccc(CCN)cc1,9\n"
    "f,O=S(=O)(c1ccc2[nH]ccc2c1)N1CCOCC1,9\n"
)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "known.csv").write_text(KNOWN, encoding="utf-8")
    (tmp_path / "new.csv").write_text(QUERY, encoding="utf-8")
    return tmp_path / "new.csv", tmp_path / "known.csv"


def test_every_row_gets_a_level_in_its_order_with_its_own_columns(files: tuple[Path, Path]) -> None:
    result = novelty(*files, cores={"indole": "c1ccc2[nH]ccc2c1"}, quiet=True)
    frame = result.to_frame()
    assert frame["id"].tolist() == list("abcdef")
    assert frame["level"].tolist() == ["exact", "same_skeleton", "withheld", "unreadable", "near", "core"]
    assert frame["match"].tolist() == ["US1", "US3", "", "", "US1", "indole"]
    assert frame["batch"].tolist()[0] == "7"
    assert result.counts == {
        "exact": 1, "same_compound": 0, "same_skeleton": 1, "near": 1, "core": 1, "clear": 0,
        "withheld": 1, "unreadable": 1,
    }  # fmt: skip


def test_a_withheld_structure_is_not_echoed_anywhere(files: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    result = novelty(*files, out=out, quiet=True)
    assert "P(=O)(F)" not in out.read_text(encoding="utf-8")
    assert any("1 molecule was withheld" in note for note in result.notes)
    shown = novelty(*files, hazards=False, quiet=True)
    assert any("SWITCHED OFF" in note for note in shown.notes)
    assert "withheld" not in shown.counts


def test_rows_are_written_as_they_come_and_the_same_in_every_format(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    kept = novelty(*files, quiet=True).to_frame()
    for ending in ("csv", "tsv", "jsonl"):
        out = tmp_path / f"out.{ending}"
        result = novelty(*files, out=out, quiet=True)
        assert result.rows == []
        assert result.to_frame()["level"].tolist() == kept["level"].tolist()
    assert not list(tmp_path.glob(".*.part"))
    with pytest.raises(ConfigError, match=r"\.csv, \.tsv, \.jsonl"):
        novelty(*files, out=tmp_path / "out.xlsx", quiet=True)


def test_nothing_is_left_behind_by_a_bad_list(files: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("smiles\nnonsense\nmore\n", encoding="utf-8")
    with pytest.raises(DataError):
        novelty(files[0], tmp_path / "empty.csv", out=tmp_path / "out.csv", quiet=True)
    assert not (tmp_path / "out.csv").exists()


def test_a_list_of_keys_says_what_was_not_possible(files: tuple[Path, Path], tmp_path: Path) -> None:
    keys = tmp_path / "keys.csv"
    keys.write_text("patent,key\nUS1,BHHGXPLMPWCGHP-UHFFFAOYSA-N\n", encoding="utf-8")
    result = novelty(files[0], keys, quiet=True)
    levels = dict(zip(result.to_frame()["id"], result.to_frame()["level"], strict=True))
    assert levels["a"] == "exact"
    assert levels["e"] == "clear"
    assert any("near was not possible" in note for note in result.notes)


def test_two_workers_give_the_same_rows(files: tuple[Path, Path], tmp_path: Path) -> None:
    one, two = (novelty(*files, workers=n, quiet=True).rows for n in (1, 2))
    assert one == two


def test_the_command_line_says_it_without_promising_rights(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    assert run(["novelty", str(files[0]), "--against", str(files[1]), "-o", str(out)]) == 0
    said = capsys.readouterr().err
    assert "no match in the list given" in said
    assert "free to operate" not in said.lower()
    assert pd.read_csv(out)["level"].tolist()[0] == "exact"
    assert run(["novelty", str(files[0]), "--against", str(files[1]), "-o", str(out)]) == 2
    assert run(["novelty", str(files[0]), "--against", str(tmp_path / "none.csv")]) == 3
    assert run(["novelty", str(files[0]), "--against", str(files[1]), "--core", "c1cc("]) == 2


def test_as_a_filter_of_an_objective_the_reason_names_the_entry(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    objective = {
        "components": [
            {"use": "qed"},
            {"use": "novelty", "role": "filter", "params": {"file": str(files[1])}},
        ]
    }
    frame = score(["Cc1ccc(CCN)cc1", "O=S(=O)(c1ccc2[nH]ccc2c1)N1CCOCC1"], objective, quiet=True).to_frame()
    assert frame["passed"].tolist() == [False, True]
    assert "near: US1 (1 heavy atom more)" in frame["reason"][0]
    assert frame["novelty_level"].tolist() == ["near", "clear"]
    assert frame["novelty_match"][0] == "US1"


def test_scoring_withholds_hazards_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,smiles\nx1,CP(=O)(F)OCC\nx2,CCO\n", encoding="utf-8")
    objective = {"components": [{"use": "qed"}]}
    result = score(tmp_path / "in.csv", objective, quiet=True)
    assert result.to_frame()["id"].tolist() == ["x2"]
    assert [(row.why, row.text) for row in result.rejected] == [("withheld", "id x1")]
    assert "P(=O)" not in json.dumps(result.rejected_frame().to_dict("records"))
    assert any("withheld by the hazard screen" in note for note in result.notes)
    off = score(tmp_path / "in.csv", objective, hazards=False, quiet=True)
    assert off.to_frame()["id"].tolist() == ["x1", "x2"]
    assert any("SWITCHED OFF" in note for note in off.notes)
