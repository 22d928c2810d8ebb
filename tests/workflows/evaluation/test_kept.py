"""What was prepared is kept: an interruption loses one part, a second call goes on, and says so."""

from __future__ import annotations

import numpy as np
import pytest

from molgen.core.errors import Interrupted
from molgen.data import catalog
from molgen.run.interrupt import Stop
from molgen.workflows.evaluation import inputs, kept
from molgen.workflows.evaluation.run import evaluate

TEXTS = ["OCC", "CCO.Cl", "broken(", "C[C@H](N)O", "", "c1ccccc1C", "OCC"]
SAID: list[tuple[str, int, int]] = []


def say(stage: str, done: int = 0, total: int = 0) -> None:
    SAID.append((stage, done, total))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MOLGEN_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr(kept, "_ROWS", 2)
    SAID.clear()
    return tmp_path / "cache"


def standard(**options):
    settings = {"stem": "set", "stage": "work", "workers": 1, "say": say}
    return kept.standardized(TEXTS, "flat", **(settings | options))


def test_parts_give_what_the_whole_gives_and_count_what_is_left():
    assert standard() == ["CCO", "CCO", "CC(N)O", "Cc1ccccc1", "CCO"]
    assert [(done, total) for _, done, total in SAID] == [(0, 7), (2, 7), (4, 7), (6, 7), (7, 7)]
    kept.forget_parts("set")
    assert not (kept.folder() / "set.parts").exists()


def test_an_interruption_loses_one_part_and_the_second_call_says_what_was_done(monkeypatch):
    whole = standard(stem="other")
    standardize, calls = kept._standard, []

    def cut(policy, texts):
        calls.append(texts)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return standardize(policy, texts)

    monkeypatch.setattr(kept, "_standard", cut)
    with pytest.raises(KeyboardInterrupt):
        standard()
    SAID.clear()
    assert standard() == whole
    assert len(calls) == 3 + 2  # the third once more, then the fourth
    assert SAID[0] == ("work (4 of 7 were done before)", 0, 3)
    assert SAID[-1][1:] == (3, 3)


def test_two_processes_give_the_same_parts():
    assert standard(workers=2) == standard(stem="alone")


def test_activations_are_kept_in_parts_and_damaged_ones_are_computed_again(monkeypatch):
    monkeypatch.setattr(kept, "_ACTIVATIONS", 2)
    asked: list[list[str]] = []

    class Toy:
        width = 3

        def activations(self, smiles, *, batch_size=512, progress=None):
            asked.append(list(smiles))
            if progress is not None:
                progress(len(smiles))
            return np.array([[len(text), text.count("C"), 1] for text in smiles], dtype=np.float32)

    counted: list[int] = []
    texts = ["C", "CC", "CCC", "O", "OCC"]
    first = kept.KeptChemNet(Toy(), "profile").activations(texts, progress=counted.append)
    assert first[:, 0].tolist() == [1, 2, 3, 1, 3]
    assert counted[-1] == 5
    assert counted == sorted(counted)
    damaged = sorted((kept.folder() / "profile.parts").glob("*.npy"))[0]
    damaged.write_bytes(b"cut off")
    before = len(asked)
    assert np.array_equal(kept.KeptChemNet(Toy(), "profile").activations(texts), first)
    assert len(asked) == before + 1


def test_druglike_is_split_once_with_a_total_that_is_known(monkeypatch, cache):
    cache.mkdir()
    files = {"zinc250k": cache / "zinc.smi", "chembl-sample": cache / "chembl.smi"}
    files["zinc250k"].write_text("".join(f"C{'C' * n}O\n" for n in range(60)))
    files["chembl-sample"].write_text("".join(f"N{'C' * n}O\n" for n in range(60)) + "CCO.Cl\nCCO\n")
    monkeypatch.setattr(catalog, "locate", files.__getitem__)
    monkeypatch.setattr(kept, "_ROWS", 50)
    training = inputs.resolve("druglike", "training", 1, say)
    assert {total for _, _, total in SAID} == {122}  # rate and time left need it
    reference = inputs.resolve("druglike", "reference", 1, say)
    both = [*training.read_text().split(), *reference.read_text().split()]
    assert len(both) == len(set(both)) == 120
    assert not any("." in text for text in both)
    assert 0 < len(reference.read_text().split()) < 10
    SAID.clear()
    inputs.resolve("druglike", "training", 1, say)
    assert SAID == []
    assert not list(kept.folder().glob("*.parts"))


def test_a_stopped_evaluation_goes_on_with_the_same_command(tmp_path, monkeypatch):
    """A signal killed it, and its empty folder then refused the second call."""
    training = tmp_path / "training.smi"
    training.write_text("".join(f"c1ccccc1{'C' * n}O\n" for n in range(12)))
    stops: list[Stop] = []
    init, standardize, calls = Stop.__init__, kept._standard, []

    def remember(self):
        init(self)
        stops.append(self)

    def stop_at_the_third(policy, texts):
        calls.append(texts)
        if len(calls) == 3:
            stops[-1]._handle(15, None)
        return standardize(policy, texts)

    monkeypatch.setattr(Stop, "__init__", remember)
    monkeypatch.setattr(kept, "_standard", stop_at_the_third)
    options = {"reference": str(training), "suites": ["audit"], "quiet": True}
    molecules = [f"c1ccncc1{'C' * n}N" for n in range(12)]
    with pytest.raises(Interrupted, match="the same command") as stopped:
        evaluate(molecules, tmp_path / "report", **options)
    assert stopped.value.exit_code == 75
    before = len(calls)
    result = evaluate(molecules, tmp_path / "report", **options)
    assert len(calls) - before == 4  # of six parts two were kept
    assert result.value("copies of training molecules") == 0.0
    with pytest.raises(Exception, match="already holds a run"):  # a finished one is not replaced unasked
        evaluate(molecules, tmp_path / "report", **options)
