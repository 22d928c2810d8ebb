import gzip

from molgen.data.ring_table import main


def lines(path):
    return gzip.decompress(path.read_bytes()).decode().splitlines()


def test_counts_each_molecule_once_and_each_ring_once_per_molecule(tmp_path):
    one, two = tmp_path / "one.smi", tmp_path / "two.smi"
    one.write_text("c1ccccc1c1ccccc1\nc1ccccc1-c1ccccc1\nC1CC[C@H]2CCCC[C@@H]2C1\nCCO\nC1CC\n")
    two.write_text("c1ccc(cc1)c1ccccc1\nC1CC[C@H]2CCCC[C@H]2C1\nCc1ccccc1\n")
    out = tmp_path / "table.tsv.gz"
    main(["-o", str(out), f"first={one}", f"second={two}"])
    text = lines(out)
    assert text[0] == "# format: 1"
    assert text[-2:] == ["C1CCC2CCCCC2C1\t2", "c1ccccc1\t2"]
    assert any(line.startswith("# source: second: 3 rows, 2 molecules counted, sha256 ") for line in text)
    before = out.read_bytes()
    main(["-o", str(out), f"first={one}", f"second={two}"])
    assert out.read_bytes() == before
