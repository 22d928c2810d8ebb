"""From a messy table of one series to ranked new analogs, by the script that a chemist runs."""

from __future__ import annotations

import csv
import itertools
import os
import re
import runpy
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import openpyxl
import pytest
from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

import molgen as mg

MESSY = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("messy_series.py"))))
#: A series of 60 anilides whose activity follows from the two substituents, with noise.
LEFT = {"F": 0.3, "Cl": 0.7, "C": 0.2, "OC": -0.2, "C#N": 0.5, "N(C)C": -0.6, "CCN1CCOCC1": 0.9, "OCC": 0.0}
RIGHT = {"": 0.0, "C": 0.4, "Cl": 0.8, "OC": -0.5, "C(F)(F)F": 1.2, "N1CCNCC1": -0.9, "OCCO": -1.1, "CC": 0.6}
#: Beside each delivered molecule; a cell of these is never empty.
EVIDENCE = (
    "rank", "smiles", "inchikey", "score", "pIC50", "pIC50_low", "pIC50_high", "pIC50_in_domain", "pIC50_nearest",
    "pIC50_nearest_smiles", "pIC50_nearest_similarity", "pIC50_nearest_activity", "pIC50_capped", "pIC50_safe",
    "sa_score", "qed", "ring_frequency", "novelty", "novelty_level", "filter_preset",
    "nearest_reference", "undefined_stereo",
)  # fmt: skip
SMALL = (
    "randomize=false",
    "trainer.epochs=10",
    "trainer.batch_size=16",
    "trainer.learning_rate=0.003",
    "trainer.sample_size=0",
)
N, BUDGET = 10, 160


def series() -> list[tuple[str, str, str]]:
    noise = np.random.default_rng(2).normal(0, 0.15, len(LEFT) * len(RIGHT))
    pairs = itertools.product(LEFT.items(), RIGHT.items())
    rows = [
        (f"A{k}", f"O=C(Nc1ccc({left})cc1)c1cnccc1{right}", f"{6.5 + a + b + noise[k]:.2f}")
        for k, ((left, a), (right, b)) in enumerate(pairs)
    ]
    return rows[:60]


def quick(script: ModuleType, patch: pytest.MonkeyPatch) -> ModuleType:
    """The script with less training in it."""
    patch.setattr(script, "TEACHING", SMALL)
    patch.setattr("molgen.scoring.qsar.validate.SCRAMBLES", 19)
    patch.setattr("molgen.scoring.qsar.forest.TREES", 12)
    return script


def load() -> ModuleType:
    path = Path(__file__).parents[2] / "pipelines" / "hit_to_lead" / "run.py"
    module = ModuleType("hit_to_lead")
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), module.__dict__)
    return module


def line(file: Path, out: Path, n: int = N, budget: int = BUDGET) -> list[str]:
    fixed = ["--set", "batch_size=32", "--set", "tracking.mlflow=false", "-q"]
    return [str(file), "--target", "pIC50", "-o", str(out), "-n", str(n), "--budget", str(budget), *fixed]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The whole way at a small scale: folder with measured.csv and lead/."""
    folder = tmp_path_factory.mktemp("story")
    file = MESSY.write(folder / "measured.csv", MESSY.messy(series()))
    with pytest.MonkeyPatch.context() as patch:
        assert quick(load(), patch).main(line(file, folder / "lead")) == 0
    return folder


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "lead" / "search" / "results" / "candidates.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def compound(smiles: str) -> str:
    """One text for all salts, charge states, tautomers and stereo forms; without molgen."""
    mol = rdMolStandardize.FragmentParent(Chem.MolFromSmiles(smiles))
    mol = rdMolStandardize.Uncharger().uncharge(mol)
    Chem.RemoveStereochemistry(mol)
    return str(Chem.MolToSmiles(rdMolStandardize.TautomerEnumerator().Canonicalize(mol)))


def test_every_dirty_row_has_its_decision_and_its_reason(done: Path) -> None:
    with (done / "lead" / "activity" / "curation.csv").open(encoding="utf-8") as file:
        found = {row["id"]: row for row in csv.DictReader(file)}
    assert {name: found[name]["decision"] for name in MESSY.DECISIONS} == MESSY.DECISIONS
    assert all(found[name]["reason"] or found[name]["note"] for name in ("dirty-conflict", "dirty-smiles"))
    assert found["dirty-weak"]["qualifier"] == "<"
    assert float(found["dirty-micromolar"]["value"]) == pytest.approx(6.7, abs=0.01)


def test_each_delivered_row_has_its_evidence(done: Path) -> None:
    found = rows(done)
    assert len(found) == N
    for row in found:
        assert not [name for name in EVIDENCE if row[name] == ""]
        assert float(row["pIC50_low"]) < float(row["pIC50"]) < float(row["pIC50_high"])
        assert float(row["pIC50_safe"]) == pytest.approx(float(row["pIC50_low"]), abs=0.01)
        assert float(row["sa_score"]) < 4
        assert float(row["filter_preset"]) == 0
        assert {"flags", "filter_preset_shown"} <= row.keys()
    assert not [name for name in found[0] if name.startswith("pIC50_safe_nearest")]


def test_no_measured_compound_is_delivered_and_none_twice(done: Path) -> None:
    with (done / "measured.csv").open(encoding="utf-8") as file:
        table = [row["smiles"] for row in csv.DictReader(file)]
    measured = {compound(smiles) for smiles in table if Chem.MolFromSmiles(smiles)}
    delivered = [compound(row["smiles"]) for row in rows(done)]
    assert len(set(delivered)) == N
    assert not measured & set(delivered)


def test_all_four_files_say_the_same(done: Path) -> None:
    folder = done / "lead" / "search" / "results"
    expected = [row["smiles"] for row in rows(done)]
    sheet = openpyxl.load_workbook(folder / "candidates.xlsx").worksheets[0]
    table = list(sheet.iter_rows(values_only=True))
    header = table.index(next(row for row in table if row and "smiles" in row))
    place = table[header].index("smiles")
    assert [row[place] for row in table[header + 1 :] if row[place]] == expected
    in_file = list(Chem.SDMolSupplier(str(folder / "candidates.sdf")))
    assert [Chem.MolToSmiles(mol) for mol in in_file] == [Chem.CanonSmiles(s) for s in expected]
    assert all(mol.HasProp("pIC50_nearest") for mol in in_file)
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"(?:src|href)=[\"']https?:", page)


def test_the_same_line_shows_the_result_again(done: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = rows(done)
    assert load().main(line(done / "measured.csv", done / "lead")) == 0
    assert rows(done) == before
    out = capsys.readouterr().out
    assert f"{N} analogs; report: " in out
    assert "predicted pIC50: mean" in out


def test_a_folder_that_answers_another_question_is_refused(
    done: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert load().main(line(done / "measured.csv", done / "lead", n=N + 1)) == 2
    assert f"n {N}, now {N + 1}" in capsys.readouterr().err


def taught(done: Path, place: Path) -> Path:
    """A folder in which the activity model and the prior are there already."""
    for part in ("activity", "prior"):
        shutil.copytree(done / "lead" / part, place / part)
    return place


def test_a_stopped_search_goes_on_and_a_shortfall_is_said(
    done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from molgen.run.progress import Progress

    advance: Callable[..., None] = Progress.advance
    arguments = line(done / "measured.csv", taught(done, tmp_path / "lead"), n=130, budget=130)

    def stop(bar: Progress, count: int = 1, **shown: Any) -> None:
        advance(bar, count, **shown)
        if "mean" in shown:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        patch.setattr(Progress, "advance", stop)
        assert load().main(arguments) == 75
    capsys.readouterr()
    assert load().main(arguments) == 4
    out = capsys.readouterr().out
    delivered = len(rows(tmp_path))
    assert 0 < delivered < 130
    assert f"SHORTFALL: {delivered} of 130 delivered; lost: " in out
    assert mg.qsar_load(tmp_path / "lead" / "activity").useful


def test_a_useless_activity_model_stops_before_the_search_unless_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = MESSY.write(tmp_path / "measured.csv", MESSY.scrambled(series()))
    script = quick(load(), monkeypatch)
    assert script.main(line(file, tmp_path / "lead")) == script.USELESS == 5
    told = capsys.readouterr()
    assert told.out.startswith("USELESS")
    assert "nothing was searched" in told.err
    assert not (tmp_path / "lead" / "search").exists()
    monkeypatch.setattr(script, "search", lambda *_: SimpleNamespace(shortfall=3))
    monkeypatch.setattr(script, "tell", lambda *_: None)
    assert script.main([*line(file, tmp_path / "lead"), "--even-if-useless"]) == 4


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"file": "missing.csv"}, 3, "no such file"),
        ({"target": "pIC5O"}, 3, "did you mean 'pIC50'"),
        ({"more": ["--set", "output.selct=top"]}, 2, "did you mean 'select'"),
        ({"more": ["--budget", "100"]}, 2, "200 analogs cannot be delivered from a budget of 100"),
    ],
)
def test_wrong_input_is_refused_in_words(
    change: dict[str, Any], code: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    MESSY.write(tmp_path / "measured.csv", series())
    file = tmp_path / change.get("file", "measured.csv")
    given = [str(file), "-t", change.get("target", "pIC50"), "-o", str(tmp_path / "lead"), "-q"]
    given += change.get("more", [])
    assert load().main(given) == code
    assert words in capsys.readouterr().err
