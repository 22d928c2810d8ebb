import gzip
import itertools
from pathlib import Path

import pytest
from rdkit import Chem

from molgen.core.errors import DataError
from molgen.data.reader import open_source, raw_rows, read, stream


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def sdf_record(smiles: str, title: str, **fields: str) -> str:
    mol = Chem.MolFromSmiles(smiles)
    mol.SetProp("_Name", title)
    data = "".join(f">  <{name}>\n{value}\n\n" for name, value in fields.items())
    return Chem.MolToMolBlock(mol) + data + "$$$$\n"


def content(table):
    return [(molecule.smiles, molecule.id, dict(molecule.data)) for molecule in table.molecules]


def test_csv_with_rejected_rows_accounts_for_each(tmp_path):
    path = write(tmp_path, "a.csv", 'name,Smiles,pIC50\nx,OCC,6.1\ny,"C1CC",2\n\nz,,3\n')
    table = read(path)
    assert content(table) == [("CCO", "x", {"pIC50": "6.1"})]
    assert [(row.line, row.text, row.why, row.file) for row in table.rejected] == [
        (3, "C1CC", "unparsable", str(path)),
        (5, "", "empty", str(path)),
    ]
    assert table.n_rows == 3
    assert table.summary() == f"{path}: 3 rows = 1 kept + 2 rejected (1 unparsable, 1 empty)"
    assert table.notes == ["structures are taken from column 'Smiles'", "ids are taken from column 'name'"]
    assert len(table.sha256) == 64
    assert list(table.to_frame().columns) == ["smiles", "id", "pIC50"]


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("semicolon.csv", "﻿compound;structure;v\nx;CCO;1,5\ny;CCN;2\n", [("CCO", "x", {"v": "1,5"})]),
        ("tab.tsv", "CCO\tx\nCCCC\ty\n", [("CCO", "x", {})]),
        ("names.smi", "CCO ethanol, pure\nCCN\n", [("CCO", "ethanol, pure", {})]),
        ("header.smi", "smiles\nCC\nCN\n", [("CC", None, {})]),
        ("small.csv", "smiles\nC\nCC\n", [("C", None, {})]),
        ("single.csv", "CCO\n", [("CCO", None, {})]),
        ("mac.csv", "smiles,name\rCCO,x\rCCN,y\r", [("CCO", "x", {})]),
        ("bar.txt", "id|smiles\nx|CCO\ny|CCN\n", [("CCO", "x", {})]),
        ("ragged.csv", "smiles,id,v\nCCO,x\nCCN,y,1,2\n", [("CCO", "x", {"v": ""})]),
        ("quoted.csv", 'smiles,id\n"CCO","a ""b"", c"\n', [("CCO", 'a "b", c', {})]),
        ("flags.csv", "ok,n,mine\nN,C,CCO\nN,N,CCCCO\n", [("CCO", None, {"ok": "N", "n": "C"})]),
    ],
)
def test_tables_as_chemists_have_them(tmp_path, name, text, expected):
    table = read(write(tmp_path, name, text))
    assert content(table)[:1] == expected
    assert not table.rejected


def test_utf16_as_excel_writes_it(tmp_path):
    path = write(tmp_path, "u.csv", "smiles\tname\r\nCCO\tcafé\r\n".encode("utf-16"))
    assert content(read(path)) == [("CCO", "café", {})]


def test_latin1_is_read_and_said(tmp_path):
    table = read(write(tmp_path, "l.csv", "smiles,name\nCCO,café\n".encode("latin-1")))
    assert content(table) == [("CCO", "café", {})]
    assert any("line 2 is not UTF-8" in note for note in table.notes)


def test_gzip_by_content(tmp_path):
    packed = gzip.compress(b"smiles,name\nCCO,x\n")
    assert content(read(write(tmp_path, "a.csv.gz", packed))) == [("CCO", "x", {})]
    assert content(read(write(tmp_path, "b.csv", packed))) == [("CCO", "x", {})]


def test_columns_can_be_named(tmp_path):
    path = write(tmp_path, "a.csv", "smiles,product_smiles,code\nCCO,CCN,x\n")
    table = read(path, smiles_column="product_smiles", id_column="code")
    assert content(table) == [("CCN", "x", {"smiles": "CCO"})]
    assert any("other candidates: product_smiles" in note for note in read(path).notes)


def test_excel(tmp_path):
    import openpyxl

    book = openpyxl.Workbook()
    for row in (["ID", "SMILES", "v"], ["a", "CCO", 1.5], [3, None, 2]):
        book.active.append(row)
    book.create_sheet("other")
    book.save(tmp_path / "x.xlsx")
    table = read(tmp_path / "x.xlsx")
    assert content(table) == [("CCO", "a", {"v": 1.5})]
    assert [(row.line, row.why) for row in table.rejected] == [(3, "empty")]
    assert any("not read: other" in note for note in table.notes)


def test_parquet(tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"v": [1.0, 2.0], "smiles": ["CCO", "x"]}), tmp_path / "p.parquet")
    table = read(tmp_path / "p.parquet")
    assert content(table) == [("CCO", None, {"v": 1.0})]
    assert [row.line for row in table.rejected] == [2]


def test_sdf_with_fields_and_titles(tmp_path):
    records = sdf_record("OCC", "m1", act="5", cid="k1") + sdf_record("C[C@H](F)O", "m2", act="6", cid="k2")
    path = write(tmp_path, "a.sdf.gz", gzip.compress(records.encode()))
    assert content(read(path)) == [
        ("CCO", "m1", {"act": "5", "cid": "k1"}),
        (Chem.CanonSmiles("C[C@H](F)O"), "m2", {"act": "6", "cid": "k2"}),
    ]
    assert content(read(path, id_column="cid"))[0] == ("CCO", "k1", {"act": "5"})


def test_truncated_sdf_loses_only_its_last_record(tmp_path):
    first, second = sdf_record("CCO", "m1"), sdf_record("CCN", "m2")
    path = write(tmp_path, "t.sdf", first + second[: len(second) // 2])
    table = read(path)
    assert [m.id for m in table.molecules] == ["m1"]
    (row,) = table.rejected
    assert (row.why, row.line, row.text) == ("truncated", first.count("\n") + 1, "m2")
    assert "record 2" in row.detail
    assert "the file ends" in row.detail


def test_bad_sdf_records_are_named_by_number_and_reason(tmp_path):
    bad = sdf_record("CC(C)C", "m2").replace(" C   0", " F   0")
    path = write(tmp_path, "b.sdf", sdf_record("CCO", "m1") + bad + "junk\n$$$$\n" + sdf_record("CCN", "m4"))
    table = read(path)
    assert [m.id for m in table.molecules] == ["m1", "m4"]
    assert [(row.why, row.detail.split(":")[0]) for row in table.rejected] == [
        ("valence", "record 2"),
        ("unparsable", "record 3"),
    ]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("e.csv", b"", "is empty"),
        ("e.sdf", b"", "is empty"),
        ("h.csv", b"smiles,id\n", r"has a header \(smiles, id\) but no rows"),
        ("b.csv", bytes(range(256)) * 50, "is binary data"),
        ("b.smi", b"\x89\x88\x01\x02garbage\x9f" * 50, "is binary data"),
        ("z.csv", b"PK\x03\x04" + b"\0" * 100, "looks like an Excel workbook"),
        ("p.csv", b"PAR1" + b"\0" * 100, "looks like a Parquet file"),
        ("y.xlsx", b"garbage", "not a readable Excel workbook"),
        ("y.parquet", b"garbage", "not a readable Parquet file"),
        ("n.csv", b"compound,act\nx,1\ny,2\n", "name one with smiles_column"),
        ("q.csv", b'smiles,act\nCCO,"1\nCCN,2\n', "line 2: .*quotation mark"),
        ("g.csv.gz", b"smiles\nCCO\n", "not gzip data"),
        ("t.csv.gz", gzip.compress(b"smiles\n" + b"CCO\n" * 30000)[:100], "damaged gzip data after line"),
        ("x.foo", b"smiles\nCCO\n", "cannot tell the format"),
    ],
)
def test_unusable_files_are_named_with_the_reason(tmp_path, name, data, message):
    path = write(tmp_path, name, data)
    with pytest.raises(DataError, match=message) as error:
        read(path)
    assert str(path) in str(error.value)


def test_missing_file_and_missing_column(tmp_path):
    write(tmp_path, "actives.csv", "Smile,act\nCCO,1\n")
    with pytest.raises(DataError, match=r"no such file; beside it: actives\.csv"):
        read(tmp_path / "actives.smi")
    with pytest.raises(DataError, match="did you mean 'Smile'"):
        read(tmp_path / "actives.csv", smiles_column="smiles")


def test_streaming_reads_no_further_than_it_must(tmp_path, monkeypatch):
    path = write(tmp_path, "big.smi", "".join(f"{'C' * (1 + i % 50)} m{i}\n" for i in range(5000)))
    source = open_source(path)
    taken = itertools.count()
    rows = source.rows

    def counted():
        for row in rows:
            next(taken)
            yield row

    source.rows = counted()
    parts = stream(source, chunk=100)
    first = next(parts)
    assert len(first.ok) == 100
    assert next(taken) <= 101
    assert sum(len(part.ok) + len(part.rejected) for part in parts) == 4900


def test_workers_give_the_same_in_the_same_order(tmp_path):
    path = write(
        tmp_path,
        "w.csv",
        "smiles,n\n" + "".join(f"{'C' * (1 + i % 9)}{'(' * (i % 7 == 3)},{i}\n" for i in range(60)),
    )
    seen: list[int] = []
    alone = list(stream(path, chunk=16))
    together = list(stream(path, chunk=16, workers=2, progress=seen.append))
    assert alone == together
    assert [dict(m.data) for part in together for m in part.ok] == [
        dict(m.data) for part in alone for m in part.ok
    ]
    assert seen == [16, 16, 16, 12]


def test_limit_and_raw_rows(tmp_path):
    path = write(tmp_path, "a.csv", "id,smiles,v\na,OCC,1\nb,x,2\nc,CC,3\n")
    assert read(path, limit=2).n_rows == 2
    assert list(raw_rows(path))[1] == (3, "x", "b", {"v": "2"})
