from __future__ import annotations

import json
from pathlib import Path

import pytest

from molgen.cli import run


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "in.smi"
    path.write_text("CCO ethanol\nCC(O)OC hemiacetal\nCCS thiol\n", encoding="utf-8")
    return path


def test_kept_rows_go_to_standard_output_and_words_to_the_other(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = run(
        ["filter", str(table), "--preset", "none", "--add", "tier 1", "--add", "thiol", "--relax", "thiol"]
    )
    out, err = capsys.readouterr()
    assert code == 0
    assert out.splitlines()[0] == "id,smiles,relaxed"
    assert [line.split(",")[0] for line in out.splitlines()[1:]] == ["ethanol", "thiol"]
    assert "3 rows = 2 kept + 1 rejected" in err
    assert "relaxed: thiol" in err
    assert "tier 1: acyclic gem-diol or hemiacetal" in err


def test_files_are_written_and_json_tells_the_counts(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept, why = table.with_name("kept.csv"), table.with_name("why.csv")
    line = [
        "filter",
        str(table),
        "--preset",
        "none",
        "--add",
        "tier 1",
        "-o",
        str(kept),
        "--rejected",
        str(why),
    ]
    assert run([*line, "--json", "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["kept"], json.loads(out)["rejected"], err) == (2, 1, "")
    assert "loses water" in why.read_text()
    assert run(line) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_the_rules_are_listed_with_source_and_severity(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["filter", "--rules"]) == 0
    out = capsys.readouterr().out
    assert "Baell and Holloway" in out
    assert "(480 alerts)" in out
    assert any("nitroarene" in line and " - " in line for line in out.splitlines())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], "--rules"),
        (["IN", "--preset", "strickt"], "strict"),
        (["IN", "--relax", "nitroaren"], "nitroarene"),
        (["IN", "--limit", "chain"], "NAME=NUMBER"),
        (["IN", "--window", "logp=3"], "NAME=LOW:HIGH"),
        (["IN", "-o", "x.xlsx"], "x.xlsx"),
        (["IN", "--rejected", "-"], "-o FILE"),
        (["IN", "--parents", "nowhere.smi"], "nowhere.smi"),
    ],
)
def test_wrong_input_is_answered_with_the_cure(
    table: Path, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["filter", *[str(table) if text == "IN" else text for text in options]]) == 2
    assert words in capsys.readouterr().err
