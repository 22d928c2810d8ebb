from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path

import pytest

from molgen import api
from molgen.core.errors import ConfigError, DataError

ROWS = [
    ("a1", "CC(=O)Oc1ccccc1C(=O)O", "5"),
    ("a2", "O=[N+]([O-])c1ccc(CCN)cc1", "6"),
    ("a3", "C1CC(", "7"),
    ("a4", "OC1CCCCCCCC1CS", "8"),
    ("a5", "", "9"),
    ("a6", "CC(O)OC.[Na+].[Cl-]", "10"),
]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    path.write_text("name,smiles,why\n" + "".join(",".join(row) + "\n" for row in ROWS), encoding="utf-8")
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_in_is_kept_plus_rejected_and_each_rejected_row_says_all_that_it_breaks(table: Path) -> None:
    kept, rejected = table.with_name("kept.csv"), table.with_name("why.csv")
    summary = api.filter_file(table, kept, rejected, quiet=True)
    assert (summary.rows, summary.kept, summary.rejected, summary.unreadable) == (6, 2, 4, 2)
    assert [row["id"] for row in rows_of(kept)] == ["a1", "a2"]
    why = {row["id"]: row for row in rows_of(rejected)}
    assert list(why) == ["a3", "a4", "a5", "a6"]
    assert why["a3"]["why"].startswith("unparsable")
    assert why["a4"]["broken"] == "3"
    assert "ring of 9 atoms" in why["a4"]["why"]
    assert "Thiols" in why["a4"]["why"]
    assert why["a6"]["smiles"] == "COC(C)O"  # the largest fragment was judged
    assert why["a4"]["input_why"] == "8"  # the user's own column of that name
    assert why["a4"]["line"] == "5"


def test_counts_of_the_rules_tell_who_rejected_alone(table: Path) -> None:
    summary = api.filter_file(table, quiet=True)
    counts = {row["rule"]: (row["molecules"], row["alone"]) for row in summary.rules}
    assert counts["acyclic gem-diol or hemiacetal"] == (1, 1)
    assert counts["ring system"] == (1, 0)
    assert counts["unparsable"] == (1, 1)
    assert json.dumps(summary.to_dict())


def test_relaxed_and_inherited_faults_stand_beside_the_kept_rows(table: Path) -> None:
    parents = table.with_name("parents.smi")
    parents.write_text("OC1CCCCCCCC1CS\tlead-7\n", encoding="utf-8")
    kept = table.with_name("kept.csv")
    summary = api.filter_file(
        table,
        kept,
        preset="strict",
        relax=["nitroarene"],
        windows={},
        allow_inherited_from=str(parents),
        quiet=True,
    )
    rows = {row["id"]: row for row in rows_of(kept)}
    assert "as lead-7" in rows["a4"]["inherited"]
    assert rows["a2"]["relaxed"].startswith("nitroarene")
    assert summary.excused == 2
    assert any("nitroarene" in remark for remark in summary.remarks)


@pytest.mark.parametrize("name", ["kept.smi", "kept.tsv", "kept.jsonl", "kept.csv.gz"])
def test_what_is_kept_is_read_again(table: Path, name: str) -> None:
    kept = table.with_name(name)
    api.filter_file(table, kept, quiet=True)
    if name != "kept.jsonl":
        assert [mol.id for mol in api.read(kept).molecules] == ["a1", "a2"]
    else:
        assert [json.loads(line)["id"] for line in kept.read_text().splitlines()] == ["a1", "a2"]


def test_a_run_that_ends_early_leaves_no_half_file(tmp_path: Path) -> None:
    broken = tmp_path / "in.smi.gz"
    whole = gzip.compress(("CCO\n" * 50_000).encode())
    broken.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError):
        api.filter_file(broken, tmp_path / "kept.csv", preset="none", quiet=True)
    assert [path.name for path in tmp_path.iterdir()] == ["in.smi.gz"]


def test_a_stream_gets_rows_too(table: Path) -> None:
    stream = io.StringIO()
    api.filter_file(table, stream, quiet=True, json_lines=True)
    assert [json.loads(line)["id"] for line in stream.getvalue().splitlines()] == ["a1", "a2"]


def test_worker_processes_change_nothing(table: Path) -> None:
    alone, shared = table.with_name("1.csv"), table.with_name("2.csv")
    api.filter_file(table, rejected=alone, preset="none", add=["tier 1", "graph"], quiet=True)
    api.filter_file(table, rejected=shared, preset="none", add=["tier 1", "graph"], workers=2, quiet=True)
    assert alone.read_bytes() == shared.read_bytes()


def test_a_list_gives_a_frame_and_a_matrix() -> None:
    result = api.filter_molecules([row[1] for row in ROWS], preset="strict", relax=["nitroarene"])
    assert [mol.smiles for mol in result.kept] == ["CC(=O)Oc1ccccc1C(=O)O", "NCCc1ccc([N+](=O)[O-])cc1"]
    frame = result.to_frame()
    assert frame["passes"].tolist() == [True, True, False, False, False, False]
    matrix = result.matrix()
    assert matrix.shape == (6, len(result.rules.rules))
    assert matrix.any(axis=1).tolist() == [False, False, False, True, False, True]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_hazardous_structure_passed_the_filters_and_was_told(tmp_path: Path, workers: int) -> None:
    table, kept, why = (tmp_path / name for name in ("in.csv", "kept.csv", "why.csv"))
    table.write_text("name,smiles,lot\na1,CCO,1\na2,CP(=O)(F)OCC,2\n", encoding="utf-8")
    summary = api.filter_file(table, kept, why, preset="none", workers=workers, quiet=True)
    assert [row["id"] for row in rows_of(kept)] == ["a1"]
    (row,) = rows_of(why)
    assert (row["id"], row["lot"], row["smiles"], row["rules"]) == ("a2", "2", "", "withheld")
    assert "nerve-agent type" in row["why"]
    assert "P(=O)" not in why.read_text()
    assert (summary.kept, summary.rejected, summary.withheld, summary.unreadable) == (1, 1, 1, 0)
    assert "1 rejected (1 of them withheld)" in summary.caption()
    assert [(rule["group"], rule["molecules"]) for rule in summary.rules] == [("hazard screen", 1)]
    assert any("1 molecule was withheld by the hazard screen" in note for note in summary.notes)


def test_the_hazard_screen_is_switched_off_aloud() -> None:
    smiles = ["CCO", "CP(=O)(F)OCC"]
    screened = api.filter_molecules(smiles, preset="none")
    assert [mol.smiles for mol in screened.kept] == ["CCO"]
    assert screened.to_frame()["smiles"].tolist() == ["CCO", ""]
    assert screened.matrix().shape == (2, 0)
    off = api.filter_molecules(smiles, preset="none", hazards=False)
    assert len(off.kept) == 2
    assert off.summary.notes == ["The hazard screen was SWITCHED OFF for this output."]


def test_wrong_options_are_all_said_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        api.filter_file(
            tmp_path / "none.csv", preset="strikt", allow_inherited_from="nowhere.smi", own="no.yaml"
        )
    assert "strict" in str(caught.value)
    with pytest.raises(ConfigError) as caught:
        api.filter_file(tmp_path / "none.csv", allow_inherited_from="nowhere.smi", own="no.yaml")
    assert "nowhere.smi" in str(caught.value)
    assert "no.yaml" in str(caught.value)
    one = tmp_path / "in.smi"
    one.write_text("CCO\n")
    with pytest.raises(ConfigError, match=r"\.jsonl"):
        api.filter_file(one, tmp_path / "kept.parquet", preset="none", quiet=True)


def test_ring_filters_that_are_not_here_are_named_with_the_cure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOLGEN_DATA", str(tmp_path))
    with pytest.raises(ConfigError, match="molgen data fetch chembl-ring-systems"):
        api.filter_molecules(["CCO"], rescue_rings=True)


def test_the_rules_of_a_preset_can_be_listed() -> None:
    names = {rule.name for rule in api.filter_rules("default")}
    assert "quinone_A(370)" in names
    assert "nitroarene" not in names
    assert len(api.filter_rules()) > 1000
