"""The command line: data on stdout, messages on stderr, and an exit code for each kind of ending."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from molgen import api, cli
from molgen.core import errors

OBJECTIVE = (
    "components:\n  - use: qed\n  - {use: mol_weight, role: filter, transform: {type: step, high: 500}}\n"
)


@pytest.fixture
def objective(tmp_path: Path) -> Path:
    path = tmp_path / "objective.yaml"
    path.write_text(OBJECTIVE)
    return path


@pytest.fixture
def molecules(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    path.write_text("name,smiles\na,CCO\nb,C1CC\nc,c1ccccc1\n")
    return path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = cli.run([str(a) for a in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("command", [c.name for c in cli.app.registered_commands])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, command, "--help")
    assert code == 0
    assert command in out


def test_no_command_is_a_stub() -> None:
    names = {c.name for c in cli.app.registered_commands} | {g.name for g in cli.app.registered_groups}
    verbs = (
        "new check doctor demo data models train finetune sample encode decode neighbors interpolate "
        "steer score filter novelty routes rank measure qsar optimize resume runs track evaluate benchmark"
    )
    assert " ".join(sorted(names)) == " ".join(sorted(verbs.split(" ")))


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version")[:2] == (0, f"molgen {cli.molgen.__version__}\n")


def test_a_mistyped_command_is_usage(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "smaple")
    assert (code, out) == (2, "")
    assert "Did you mean 'sample'" in err
    assert run(capsys, "sample")[0] == 2
    assert run(capsys, "sample", "druglike", "-n", "many")[0] == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.ConfigError("x"), 2),
        (errors.DataError("x"), 3),
        (errors.ModelError("x"), 3),
        (errors.ScorerError("x"), 1),
        (errors.RunLockedError("x"), 1),
        (errors.ShortfallError("x"), 4),
        (errors.MissingDependencyError("a", "b", "c"), 2),
        (errors.Interrupted("SIGTERM", "molgen resume r"), 75),
        (errors.Interrupted("SIGINT", "molgen resume r"), 130),
        (KeyboardInterrupt(), 130),
    ],
)
def test_endings_become_exit_codes_and_one_message(
    error: BaseException, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(api, "runs", fail)
    found, out, err = run(capsys, "runs")
    assert (found, out) == (code, "")
    assert err.startswith("molgen: ")
    assert "Traceback" not in err


def test_a_fault_of_ours_is_short_and_its_traceback_is_kept(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise KeyError("inner")

    monkeypatch.setattr(api, "runs", fail)
    monkeypatch.setattr(cli.tempfile, "tempdir", str(tmp_path))
    code, _, err = run(capsys, "runs")
    assert code == 1
    assert "internal error: KeyError: 'inner'" in err
    assert "Traceback" not in err
    kept = next(tmp_path.glob("molgen-error-*.txt"))
    assert str(kept) in err
    assert "Traceback" in kept.read_text()
    assert "Traceback" in run(capsys, "--debug", "runs")[2]
    assert "Traceback" not in run(capsys, "runs")[2]


def test_new_list_and_check_work_together(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    assert run(capsys, "new", "train", "-o", path) == (0, "", f"{path} written; next: molgen check {path}\n")
    code, _, err = run(capsys, "new", "train", "-o", path)
    assert code == 2
    assert "--overwrite" in err
    assert run(capsys, "new", "train", "-o", path, "--overwrite", "--quiet") == (0, "", "")
    code, out, err = run(capsys, "check", path, "--set", "trainer.epochs=0")
    assert (code, out) == (2, "")
    assert "trainer.epochs: must be more than 0, got 0 (set on the command line)" in err
    code, out, _ = run(capsys, "new", "--list", "--json")
    assert "denovo" in json.loads(out)["recipes"]
    assert "qed" in json.loads(out)["scorers"]
    assert run(capsys, "new")[0] == 2


def test_check_shows_the_trial(capsys: pytest.CaptureFixture[str], objective: Path) -> None:
    code, out, err = run(capsys, "check", objective)
    assert code == 0
    assert "aspirin" in out
    assert "no problems found" in err
    code, out, _ = run(capsys, "check", objective, "--json", "--quiet")
    assert json.loads(out)["trial"][0]["molecule"] == "aspirin"


def test_score_writes_data_to_stdout_and_messages_to_stderr(
    capsys: pytest.CaptureFixture[str], objective: Path, molecules: Path
) -> None:
    code, out, err = run(capsys, "score", molecules, "--objective", objective)
    rows = list(csv.DictReader(io.StringIO(out)))
    assert code == 0
    assert [row["id"] for row in rows] == ["a", "c"]
    assert all(0 < float(row["total"]) < 1 for row in rows)
    assert "line 3: unparsable" in err
    code, out, _ = run(capsys, "score", molecules, "--objective", objective, "--json", "-q")
    assert [json.loads(line)["id"] for line in out.splitlines()] == ["a", "c"]


@pytest.mark.parametrize("name", ["out.csv", "out.tsv", "out.json", "out.jsonl", "out.smi", "out.parquet"])
def test_tables_are_written_by_the_ending_of_the_name(
    name: str, capsys: pytest.CaptureFixture[str], objective: Path, molecules: Path, tmp_path: Path
) -> None:
    target = tmp_path / name
    code, out, _ = run(capsys, "score", molecules, "--objective", objective, "-o", target)
    assert (code, out) == (0, "")
    if name != "out.json" and name != "out.jsonl":
        assert len(api.read(target).molecules) == 2
    else:
        text = target.read_text()
        assert len(json.loads(text) if name == "out.json" else text.splitlines()) == 2


def test_nothing_is_overwritten_and_bad_names_are_refused_before_the_work(
    capsys: pytest.CaptureFixture[str], objective: Path, tmp_path: Path
) -> None:
    """The input does not exist: had the work begun, the message would be about it."""
    (tmp_path / "there.csv").write_text("keep me\n")
    for name, words in (
        ("there.csv", "add --overwrite"),
        ("out.xslx", "cannot tell the format"),
        ("no/where.csv", "there is no folder"),
    ):
        code, _, err = run(capsys, "score", "none.csv", "--objective", objective, "-o", tmp_path / name)
        assert code == 2
        assert words in err
    assert (tmp_path / "there.csv").read_text() == "keep me\n"


def test_rejected_rows_can_be_written_out(
    capsys: pytest.CaptureFixture[str], objective: Path, molecules: Path, tmp_path: Path
) -> None:
    rejected = tmp_path / "rejected.csv"
    assert run(capsys, "score", molecules, "--objective", objective, "--rejected", rejected)[0] == 0
    (row,) = csv.DictReader(io.StringIO(rejected.read_text()))
    assert (row["line"], row["text"], row["why"]) == ("3", "C1CC", "unparsable")


def test_standard_input_is_a_file_too(objective: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "molgen", "score", "-", "--objective", str(objective), "-q"],
        input="smiles\nCCO\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.splitlines()[1].startswith("CCO,")


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """``molgen new denovo | head -1`` used to be a traceback in many tools."""
    program = "import sys; from molgen.cli import main; main(['new', 'denovo'])"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


@pytest.mark.parametrize(("text", "words"), [("4/4", "0 to N-1"), ("x", "I/N"), ("1/0", "I/N")])
def test_bad_shards_are_refused(text: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "sample", "druglike", "--shard", text)
    assert code == 2
    assert words in err


def test_doctor_answers_in_words_and_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "doctor", "--json")
    report = json.loads(out)
    assert code == (0 if report["usable"] else 1)
    topics = {finding["topic"] for finding in report["findings"]}
    assert topics >= {"Python", "CPU", "memory", "torch", "GPU", "RDKit", "MLflow", "disk"}


def test_runs_of_an_empty_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert run(capsys, "runs", tmp_path)[:2] == (0, "")
    assert run(capsys, "runs", tmp_path / "none")[0] == 1
