from __future__ import annotations

import pytest
from rdkit import Chem
from rdkit.Chem import FilterCatalog

from molgen.chem.alerts import _PARAMETERS, COLLECTIONS, _pattern, alerts
from molgen.chem.screen import Screen, features, needs_of, skeleton


def query(smarts: str) -> Chem.Mol:
    return Chem.MolFromSmarts(smarts)


@pytest.mark.parametrize(
    ("smarts", "without", "with_it"),
    [
        ("[F,Cl,Br,I]c1ncccc1", "c1ccncc1", "Fc1ccccn1"),
        ("C=N", "CN", "CC=N"),
        ("[N+]", "CN", "C[N+](C)(C)C"),
        ("[$(C#N),$(C(F)(F)F)]C", "CCO", "CC#N"),
        ("a1aaa2aaaaa2a1", "c1ccccc1", "c1ccc2ccccc2c1"),
        ("[r9]", "C1CCCCC1", "C1CCCCCCCC1"),
        ("[#80,#26,#33]", "CCO", "[Fe]"),
    ],
)
def test_a_query_is_tried_only_where_what_it_needs_is_there(smarts: str, without: str, with_it: str) -> None:
    screen = Screen([query(smarts)])
    assert screen.possible(features(Chem.MolFromSmiles(without))) in ([], [0])
    if smarts != "[$(C#N),$(C(F)(F)F)]C":  # either of two groups: only carbon is sure
        assert screen.possible(features(Chem.MolFromSmiles(without))) == []
    assert screen.possible(features(Chem.MolFromSmiles(with_it))) == [0]


@pytest.mark.parametrize(
    "smarts", ["[!#6]", "*~*", "[!$(C=O)]", "[C,N,O,S,P,F,Cl]", "[R0&D2]", "[#6]@[#6;H0]"]
)
def test_what_a_query_leaves_open_promises_nothing(smarts: str) -> None:
    for smiles in ("CCO", "c1ccccc1", "C[N+](C)(C)C"):
        mol = Chem.MolFromSmiles(smiles)
        if mol.HasSubstructMatch(query(smarts)):
            assert Screen([query(smarts)]).possible(features(mol)) == [0]
    assert not any("ring" in str(key) for key in needs_of(query(smarts)))


def test_a_skeleton_matches_whatever_the_query_matches() -> None:
    full = query("[$(S(=O)=O),$(C#N)]C=[C;!$(CN)]")
    plain = skeleton(full)
    assert plain is not None
    for smiles in ("N#CC=C", "CS(=O)(=O)C=CC", "CCC=C"):
        mol = Chem.MolFromSmiles(smiles)
        assert mol.HasSubstructMatch(plain) or not mol.HasSubstructMatch(full)
    assert skeleton(query("CCC")) is None


@pytest.mark.parametrize(
    "same", [one for one in COLLECTIONS.values() if one.same_as], ids=lambda one: one.name
)
def test_the_collections_that_rdkit_has_twice_are_the_same(same) -> None:
    def patterns(name: str) -> dict[str, str]:
        parameters = FilterCatalog.FilterCatalogParams()
        parameters.AddCatalog(getattr(_PARAMETERS, name))
        catalog = FilterCatalog.FilterCatalog(parameters)
        entries = [catalog.GetEntry(i) for i in range(catalog.GetNumEntries())]
        return {Chem.MolToSmarts(_pattern(entry)): entry.GetDescription() for entry in entries}

    ours, theirs = patterns(same.name), patterns(same.same_as)
    assert len(set(ours) - set(theirs)) <= 3  # the same alert, here and there written a little differently


def test_features_may_be_handed_in() -> None:
    mol = Chem.MolFromSmiles("O=C1C=CC(=O)C=C1")
    assert alerts(mol, ["PAINS"], has=features(mol)) == alerts(mol, ["PAINS"]) != []
