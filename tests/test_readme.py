"""The README's commands and Python lines do what they say, in its order and with its file names, only smaller."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from molgen.cli import run

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
COMMANDS = [
    shlex.split(line, comments=True)[2:]
    for line in re.findall(r"^\$ molgen .*$", README, re.MULTILINE)
    if "doctor" not in line  # judges the machine, not the README
]
#: Smaller runs and references that need no download; the README shows the defaults.
SMALLER = {
    "optimize": "--set budget.molecules=48 --set batch_size=16 --set output.n=10 --set tracking.mlflow=false",
    "finetune": "--set trainer.epochs=1 --set trainer.sample_size=0 --set tracking.mlflow=false",
    "qsar": "--models gp",
    "evaluate": "--reference none --training none --suite audit",
    "benchmark": "--set batch_size=8 --set optimizer.name=random",
}
SIZES = {"1000": "12", "200": "8", "50": "5", "24": "4", "20": "4"}
AMINES = ["N", "NC", "N(C)C", "N1CCCC1", "N1CCOCC1", "N1CCNCC1", "NCC", "NC1CC1", "NCCO", "NC(C)C"]
RINGS = ["c1ccccc1", "c1ccncc1", "c1ccc(F)cc1", "c1ccc(C)cc1", "c1ccc(OC)cc1", "c1ccc2[nH]ccc2c1"]
SERIES = [f"O=C({amine}){ring}" for amine in AMINES for ring in RINGS]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the README's reader has: measured compounds, known ones, blocks, likes."""
    folder = tmp_path_factory.mktemp("readme")
    rows = [f"c{i},{smiles}" for i, smiles in enumerate(SERIES)]
    (folder / "mine.csv").write_text("\n".join(["id,smiles", *rows]) + "\n")
    (folder / "known.csv").write_text("\n".join(["id,smiles", *rows[:20]]) + "\n")
    (folder / "shelf.csv").write_text("id,smiles\nb1,OC(=O)c1ccccc1\nb2,C1CCNC1\nb3,CN\n")
    potency = [10 ** (3 - 0.1 * len(smiles)) for smiles in SERIES]  # nM: the longer, the stronger
    rows = [f"{row},{value:.4g}" for row, value in zip(rows, potency, strict=True)]
    (folder / "assay.csv").write_text("\n".join(["id,smiles,IC50", *rows]) + "\n")
    return folder


def smaller(words: list[str]) -> list[str]:
    """The same command with fewer molecules."""
    words = [
        SIZES.get(word, word) if before == "-n" else word
        for before, word in zip(["", *words], words, strict=False)
    ]
    words = [
        "60" if before == "--budget" else word for before, word in zip(["", *words], words, strict=False)
    ]
    return [*words, *SMALLER.get(words[0], "").split()]


def test_the_readme_has_its_commands() -> None:
    assert len(COMMANDS) > 20


def test_every_command_of_the_readme_works(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    for words in COMMANDS:
        if "--feedback" in words:
            candidates = (place / "runs" / "a" / "results" / "candidates.csv").read_text("utf-8").splitlines()
            ids = [line.split(",")[candidates[0].split(",").index("id")] for line in candidates[1:4]]
            likes = [f"{name},{like}" for name, like in zip(ids, (1, 0, 1), strict=True)]
            (place / "likes.csv").write_text("\n".join(["id,like", *likes]) + "\n")
        if words[:2] == ["qsar", "train"]:
            words = [*words, "--unit", "nM"]
        code = run(smaller(words))
        heard = capsys.readouterr()
        assert code in (0, 4), (
            f"{' '.join(words)} -> {code}\n{heard.err[-2000:]}"
        )  # 4: so few do not fill a list


def test_the_python_of_the_readme_works(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The block as it stands, where the commands have left their files; the search is there already."""
    (block,) = re.findall(r"```python\n(import molgen as mg\n.*?)```", README, re.DOTALL)
    monkeypatch.chdir(place)
    run(["new", "denovo", "-o", "run.yaml", "--overwrite"])
    text = (place / "run.yaml").read_text("utf-8")
    text = re.sub(r"molecules: \d+", "molecules: 64", text, count=1)
    (place / "run.yaml").write_text(re.sub(r"(?m)^  n: \d+", "  n: 10", text, count=1))
    scope: dict[str, object] = {}
    exec(compile(block.replace("runs/a", "runs/python"), "README.md", "exec"), scope)
    assert len(scope["result"].to_frame()) > 0  # type: ignore[attr-defined]


def test_the_own_score_of_the_readme_works(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"```python\n(# my_scores.py\n.*?)```", README, re.DOTALL)
    (objective,) = re.findall(r"```yaml\n(objective:\n.*?)```", README, re.DOTALL)
    monkeypatch.chdir(place)
    (place / "my_scores.py").write_text(code)
    (place / "objective.yaml").write_text(objective)
    assert run(["score", "mine.csv", "--objective", "objective.yaml", "-o", "own.csv"]) == 0
    assert "few_rings" in (place / "own.csv").read_text("utf-8").splitlines()[0]
