import pytest
from rdkit import Chem

from molgen.chem.rings import FORMAT, frequencies, frequency, min_frequency, table_info


def test_the_table_says_what_it_is():
    info = table_info()
    assert info["format"] == str(FORMAT)
    assert "CC BY-SA" in info["license"]
    assert "ZINC250k" in info["source"]
    assert "chembl-sample" in info["source"]
    assert "chembl-drugs" in info["source"]
    assert int(info["molecules"]) > 500_000


def test_common_rings_are_common_and_silly_ones_unknown():
    assert frequency("c1ccccc1") > frequency("c1ccncc1") > frequency("c1ccc2[nH]ncc2c1") > 100
    assert frequency("C1=CC2=CC1=CC2") == 0


def test_stereo_does_not_split_the_counts():
    assert frequency("C1CC[C@H]2CCCC[C@@H]2C1") == frequency("C1CCC2CCCCC2C1") > 0


def test_the_rarest_ring_counts():
    mol = Chem.MolFromSmiles("c1ccccc1CC1CC2CCC1CC2")
    found = frequencies(mol)
    assert set(found) == {"c1ccccc1", "C1CC2CCC1CC2"}
    assert min_frequency(mol) == found["C1CC2CCC1CC2"] < found["c1ccccc1"]


def test_without_rings_there_is_no_frequency():
    assert min_frequency(Chem.MolFromSmiles("CCO")) is None


@pytest.mark.parametrize("text", ["Cn1cccc1", "O=C1CCCN1C", "O=S1(=O)CCN(C)CC1", "C/C=C1/CCCNC1"])
def test_substituents_do_not_change_the_ring(text):
    assert min_frequency(Chem.MolFromSmiles(text)) > 0
