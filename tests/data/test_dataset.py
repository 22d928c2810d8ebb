import gzip
import json

import pytest

from molgen.core.errors import DataError
from molgen.data.dataset import Dataset, prepare


@pytest.fixture
def inputs(tmp_path):
    (tmp_path / "a.smi").write_text("OCC a\nCC(=O)[O-].[Na+] b\nC1CC c\n")
    (tmp_path / "b.csv").write_text("smiles,v\nCCO,1\nC[CH]C,2\nc1ccccc1,3\n")
    return [tmp_path / "a.smi", tmp_path / "b.csv"]


def test_prepare_accounts_for_every_row(inputs, tmp_path):
    done = prepare(inputs, tmp_path / "out.smi.gz")
    assert gzip.decompress(done.path.read_bytes()).decode().split() == ["CCO", "CC(=O)O", "c1ccccc1"]
    assert (done.rows, done.written, done.duplicates) == (6, 3, 1)
    assert done.rejected == {"unparsable": 1, "radical": 1}
    report = json.loads(done.report.read_text())
    assert report["format"] == 1
    assert report["policy"] == "default/1"
    assert [source["rows"] for source in report["inputs"]] == [3, 3]
    assert report["output"]["sha256"] == done.sha256
    rejected = (tmp_path / "out.smi.gz.rejected.tsv").read_text().splitlines()
    assert rejected[1].split("\t")[1:3] == ["3", "unparsable"]
    assert len(rejected) == 3


def test_the_same_input_gives_the_same_bytes(inputs, tmp_path):
    one, two = prepare(inputs, tmp_path / "1.smi.gz"), prepare(inputs, tmp_path / "2.smi.gz")
    assert one.path.read_bytes() == two.path.read_bytes()


def test_nothing_is_overwritten_unasked(inputs, tmp_path):
    prepare(inputs, tmp_path / "out.smi.gz")
    with pytest.raises(DataError, match="--overwrite"):
        prepare(inputs, tmp_path / "out.smi.gz")
    prepare(inputs, tmp_path / "out.smi.gz", overwrite=True)


def test_a_failure_leaves_nothing_half_written(tmp_path):
    (tmp_path / "bad.smi").write_text("smiles\nx\n")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(DataError, match="not one usable molecule"):
        prepare([tmp_path / "bad.smi"], tmp_path / "out.smi.gz")
    assert sorted(tmp_path.iterdir()) == before


def test_dataset_from_file(inputs):
    dataset = Dataset.from_file(inputs[1], policy="default")
    assert list(dataset) == ["CCO", "c1ccccc1"]
    assert (len(dataset), dataset[1]) == (2, "c1ccccc1")
    assert dataset.info["rejected"] == {"radical": 1}
    assert dataset.sha256 == Dataset(["CCO", "c1ccccc1"]).sha256 != Dataset(["CCO"]).sha256
