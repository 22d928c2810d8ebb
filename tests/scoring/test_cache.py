import json
import math
from pathlib import Path

import pytest

from molgen.chem.molecule import Molecule
from molgen.core.errors import RunError
from molgen.scoring.cache import ScoreCache
from molgen.scoring.evaluate import Value

CCO, CCN, CCC = (Molecule(text) for text in ("CCO", "CCN", "CCC"))


def test_values_survive_with_every_bit_and_word(tmp_path):
    path = tmp_path / "deep" / "scores.jsonl"
    with ScoreCache(path) as cache:
        cache.put("s1", CCO, Value(0.1 + 0.2, "", "nearest: x"))
        cache.put("s1", CCN, Value(math.nan, "timed out after 3 s"))
    with ScoreCache(path) as cache:
        assert cache.get("s1", CCO) == Value(0.1 + 0.2, "", "nearest: x")
        again = cache.get("s1", CCN)
        assert math.isnan(again.value)
        assert again.error == "timed out after 3 s"
        assert cache.get("s2", CCO) is None
        assert cache.get("s1", Molecule("CCO", "none")) is None
        assert (cache.hits, cache.misses, cache.lost, cache.repaired) == (2, 2, 0, 0)


def test_each_value_is_in_the_file_before_the_next_is_computed(tmp_path):
    path = tmp_path / "scores.jsonl"
    cache = ScoreCache(path)
    cache.put("s", CCO, Value(1.0))
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert rows == [{"format": 1, "kind": "scores"}, {"m": "CCO", "p": "default", "s": "s", "v": 1.0}]
    cache.close()


def test_a_torn_last_line_is_cut_off_and_the_journal_goes_on(tmp_path):
    path = tmp_path / "scores.jsonl"
    with ScoreCache(path) as cache:
        cache.put("s", CCO, Value(1.0))
        cache.put("s", CCN, Value(2.0))
    whole = path.read_bytes()
    first = whole.index(b'{"m": "CCN"')
    for length in range(first + 1, len(whole)):
        path.write_bytes(whole[:length])
        with ScoreCache(path) as cache:
            assert cache.repaired == length - first
            assert cache.get("s", CCO) == Value(1.0)
            assert cache.get("s", CCN) is None
            cache.put("s", CCN, Value(2.0))
        assert path.read_bytes() == whole


def test_a_torn_first_line_is_an_empty_journal(tmp_path):
    path = tmp_path / "scores.jsonl"
    path.write_text('{"form')
    with ScoreCache(path) as cache:
        cache.put("s", CCO, Value(1.0))
    with ScoreCache(path) as cache:
        assert cache.get("s", CCO) == Value(1.0)


def test_calls_in_flight_are_counted_each_time_they_were_lost(tmp_path):
    path = tmp_path / "scores.jsonl"
    with ScoreCache(path) as cache:
        cache.start("s", [CCO, CCN, CCC])
        cache.put("s", CCO, Value(1.0))
    with ScoreCache(path) as cache:
        assert cache.lost == 2
        cache.start("s", [CCN])
    with ScoreCache(path) as cache:
        assert cache.lost == 3
        cache.start("s", [CCN, CCC])
        cache.put("s", CCN, Value(1.0))
        cache.put("s", CCC, Value(1.0))
    with ScoreCache(path) as cache:
        assert cache.lost == 3


def test_damage_in_the_middle_is_refused_with_its_line(tmp_path):
    path = tmp_path / "scores.jsonl"
    with ScoreCache(path) as cache:
        cache.put("s", CCO, Value(1.0))
    path.write_bytes(
        path.read_bytes() + b"\x00\x00garbage\n" + b'{"m": "CCN", "p": "default", "s": "s", "v": 1}\n'
    )
    with pytest.raises(RunError, match="line 3 is damaged"):
        ScoreCache(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"format": 2, "kind": "scores"}\n', "has format 2"),
        ('{"format": 1, "kind": "ledger"}\n', "not a score journal"),
    ],
)
def test_files_of_another_kind_or_format_are_refused(tmp_path, content, words):
    path = tmp_path / "scores.jsonl"
    path.write_text(content)
    with pytest.raises(RunError, match=words):
        ScoreCache(path)


def test_an_unusable_path_is_a_run_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="cannot open the score journal"):
        ScoreCache(tmp_path / "file" / "scores.jsonl")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs the device that is always full")
def test_a_full_disk_is_a_run_error_with_the_cure(tmp_path, monkeypatch):
    cache = ScoreCache(tmp_path / "scores.jsonl")
    cache.close()
    cache._file = Path("/dev/full").open("ab", buffering=0)  # noqa: SIM115
    with pytest.raises(RunError, match="free some space, then resume"):
        cache.put("s", CCO, Value(1.0))
    cache.close()


def test_memory_is_bounded_and_the_oldest_goes_first():
    cache = ScoreCache(max_entries=2)
    for mol in (CCO, CCN, CCC):
        cache.put("s", mol, Value(1.0))
    assert len(cache) == 2
    assert cache.get("s", CCO) is None
