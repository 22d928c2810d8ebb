"""`molgen rank` on the command line: what it prints, and its exit codes."""

import json

import pytest

from molgen.cli import run


@pytest.fixture
def scored(tmp_path):
    text = "id,smiles,a,a_desirability,b,b_desirability\nM1,CCCCCC,9,0.9,1,0.1\nM2,c1ccccc1CCN,8,0.8,8,0.8\n"
    (tmp_path / "scored.csv").write_text(text)
    return tmp_path / "scored.csv"


def test_a_ranked_file_as_json(scored, tmp_path, capsys):
    arguments = ["rank", str(scored), "-o", str(tmp_path / "out"), "-n", "2", "-w", "b=0", "--json", "-q"]
    assert run(arguments) == 0
    told = json.loads(capsys.readouterr().out)
    assert [row["id"] for row in told["candidates"]] == ["M1", "M2"]
    assert sorted(told["files"]) == ["csv", "html", "sdf", "xlsx"]


def test_a_shortfall_is_said_and_ends_with_4(scored, tmp_path, capsys):
    assert run(["rank", str(scored), "-o", str(tmp_path / "out"), "-n", "5", "-q"]) == 4
    assert "3 molecules fewer than the 5 asked for" in capsys.readouterr().err
    assert (tmp_path / "out" / "candidates.csv").exists()


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (["--weight", "b"], 2, "'b' is not NAME=NUMBER"),
        (["--weight", "bb=2"], 2, "did you mean 'b'"),
        (["--select", "cluster"], 2, "clusters"),
        (["--references", "none.csv"], 3, "none.csv"),
    ],
)
def test_mistakes_have_their_exit_codes(scored, tmp_path, capsys, more, code, words):
    assert run(["rank", str(scored), "-o", str(tmp_path / "out"), *more]) == code
    assert words in capsys.readouterr().err
