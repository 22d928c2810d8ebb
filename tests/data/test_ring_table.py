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


def test_of_a_salt_or_mixture_the_largest_organic_fragment_is_counted(tmp_path):
    drugs = tmp_path / "drugs.csv"
    drugs.write_text(
        "smiles\nCl.c1ccc(C2CCNCC2)cc1\nII\nO.OC(=O)c1ccccc1.CN1CCCC1c1cccnc1\n[Na+].[O-]c1ccccc1\n"
    )
    out = tmp_path / "table.tsv.gz"
    main(["-o", str(out), f"drugs={drugs}"])
    text = lines(out)
    assert any(line.startswith("# source: drugs: 4 rows, 3 molecules counted, sha256 ") for line in text)
    assert text[-4:] == ["c1ccccc1\t2", "C1CCNC1\t1", "C1CCNCC1\t1", "c1ccncc1\t1"]
