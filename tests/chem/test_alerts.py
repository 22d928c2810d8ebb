import pytest
from rdkit import Chem
from rdkit.Chem import FilterCatalog

from molgen.chem.alerts import (
    CATALOGS,
    Alert,
    alerts,
    check_catalogs,
    compile_all,
    compile_smarts,
    has_alert,
    hits,
)
from molgen.core.errors import ConfigError

RHODANINE = "O=C1CSC(=S)N1c1ccc(N=Nc2ccccc2)cc1"


def test_alerts_are_named_with_their_catalog():
    found = alerts(Chem.MolFromSmiles(RHODANINE), ["PAINS", "BRENK"])
    assert found[0] == Alert("PAINS", "azo_A(324)")
    assert {alert.catalog for alert in found} == {"PAINS", "BRENK"}
    assert has_alert(Chem.MolFromSmiles(RHODANINE))
    assert alerts(Chem.MolFromSmiles("CCO")) == []


@pytest.mark.parametrize("name", CATALOGS)
def test_every_catalog_is_rdkits(mols, name):
    parameters = FilterCatalog.FilterCatalogParams()
    parameters.AddCatalog(getattr(FilterCatalog.FilterCatalogParams.FilterCatalogs, name))
    reference = FilterCatalog.FilterCatalog(parameters)
    for mol in mols[::60]:
        expected = [match.GetDescription() for match in reference.GetMatches(mol)]
        assert [alert.name for alert in alerts(mol, [name])] == expected


def test_unknown_catalog_lists_the_known():
    with pytest.raises(ConfigError, match="'PAIN'; there are: PAINS_A"):
        check_catalogs(["PAIN"])


def test_own_substructures():
    patterns = compile_all({"nitro": "[N+](=O)[O-]", "acid": "C(=O)[OH]"})
    assert hits(Chem.MolFromSmiles("OC(=O)c1ccccc1"), patterns) == ["acid"]
    assert Chem.MolFromSmiles("C[N+](=O)[O-]") in patterns[0]


def test_all_bad_smarts_are_reported_at_once():
    with pytest.raises(ConfigError, match=r"one: 'C\(C'; two: ''") as error:
        compile_all({"one": "C(C", "fine": "CC", "two": ""})
    assert "fine" not in str(error.value)
    with pytest.raises(ConfigError, match="brackets"):
        compile_smarts("C1CC(")
