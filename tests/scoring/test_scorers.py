"""The built-in scorers give what RDKit gives."""

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import QED, Crippen, Descriptors, FilterCatalog, Lipinski, MolSurf, rdFingerprintGenerator

from molgen.chem.molecule import Molecule, parse_all
from molgen.chem.rings import KNOWN
from molgen.chem.sanity import Limits
from molgen.core.errors import ConfigError
from molgen.scoring.protocol import Context
from molgen.scoring.registry import SCORERS
from molgen.testing import SCORER_SMILES

SMILES = [mol.smiles for mol in parse_all(SCORER_SMILES, "none").ok]


def build(name, tmp_path=None, **params):
    record = SCORERS[name]
    checked, problems = record.check_params(params, "params")
    assert not problems, problems
    return record.build(checked, Context(tmp_path, "default"))


def score(name, smiles=SMILES, **params):
    return build(name, **params)([Molecule(text) for text in smiles])


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("qed", QED.qed),
        ("logp", Crippen.MolLogP),
        ("tpsa", MolSurf.TPSA),
        ("mol_weight", Descriptors.MolWt),
        ("hbd", Lipinski.NumHDonors),
        ("hba", Lipinski.NumHAcceptors),
        ("rotatable_bonds", Lipinski.NumRotatableBonds),
        ("fraction_csp3", Lipinski.FractionCSP3),
        ("formal_charge", Chem.GetFormalCharge),
    ],
)
def test_properties_are_bit_identical_to_rdkit(name, function):
    expected = [float(function(Chem.MolFromSmiles(text))) for text in SMILES]
    assert score(name).values.tolist() == expected


@pytest.mark.parametrize("counts", [False, True])
@pytest.mark.parametrize("mode", ["max", "mean"])
def test_similarity_is_bit_identical_to_rdkit_and_names_the_nearest(counts, mode):
    references = ["Oc1ccccc1C(=O)O", "CCN"]
    make = rdFingerprintGenerator.GetMorganGenerator(radius=3, fpSize=1024)
    make = make.GetCountFingerprint if counts else make.GetFingerprint
    prints = [make(Chem.MolFromSmiles(text)) for text in references]
    scorer = build("similarity", references=references, radius=3, n_bits=1024, counts=counts, mode=mode)
    mols = [Molecule(text) for text in SMILES]
    values, nearest = scorer.with_nearest(mols)
    for value, k, text in zip(values, nearest, SMILES, strict=True):
        row = [DataStructs.TanimotoSimilarity(make(Chem.MolFromSmiles(text)), p) for p in prints]
        assert value == (max(row) if mode == "max" else sum(row) / 2)
        assert row[k] == max(row)
    assert scorer(mols).notes[0] == "nearest: O=C(O)c1ccccc1O"


def test_similarity_of_a_reference_to_itself_is_1_in_any_spelling():
    assert score("similarity", ["CCO"], references=["OCC"]).values.tolist() == [1.0]


def test_similarity_reads_a_file_and_hashes_it(tmp_path):
    (tmp_path / "known.csv").write_text("name,smiles\nethanol,OCC\n")
    scorer = build("similarity", tmp_path, file="known.csv")
    assert scorer([Molecule("CCO")]).values.tolist() == [1.0]
    assert list(scorer.files) == [str(tmp_path / "known.csv")]


def test_similarity_refuses_bad_references_with_their_place(tmp_path):
    with pytest.raises(ConfigError, match=r"references\[1\]: not a usable molecule.*'C1CC'"):
        build("similarity", tmp_path, references=["CC", "C1CC"])
    with pytest.raises(ConfigError, match=r"nowhere\.csv"):
        build("similarity", tmp_path, file="nowhere.csv")


def test_matching_substructure_all_or_any():
    smiles = ["c1ccccc1O", "c1ccccc1", "CCO"]
    assert score("matching_substructure", smiles, smarts=["c1ccccc1", "[OH]"]).values.tolist() == [1, 0, 0]
    scored = score("matching_substructure", smiles, smarts=["c1ccccc1", "[OH]"], require="any")
    assert scored.values.tolist() == [1, 1, 1]
    assert score("matching_substructure", smiles, smarts=["c1ccccc1", "[OH]"]).notes == {
        1: "has no [OH]",
        2: "has no c1ccccc1",
    }


def test_stereo_of_a_pattern_counts_only_when_asked():
    smiles, smarts = ["C[C@H](N)O", "C[C@@H](N)O"], ["C[C@H](N)O"]
    assert score("matching_substructure", smiles, smarts=smarts).values.tolist() == [1, 1]
    assert sorted(score("matching_substructure", smiles, smarts=smarts, chirality=True).values) == [0, 1]


def test_forbidden_patterns_are_counted_and_named():
    smiles = ["CCO", "O=CCOO"]
    listed = score("forbidden_substructure", smiles, smarts=["[CX3H1]=O", "OO"])
    assert listed.values.tolist() == [0, 2]
    named = score("custom_alerts", smiles, smarts={"aldehyde": "[CX3H1]=O", "peroxide": "OO"})
    assert named.notes == {1: "aldehyde, peroxide"}
    assert score("substructure_count", ["CCO", "FC(F)(F)CCl"], smarts=["F", "Cl"]).values.tolist() == [0, 4]


def test_every_bad_smarts_is_reported_at_its_place():
    for name in ("forbidden_substructure", "matching_substructure", "substructure_count"):
        with pytest.raises(ConfigError) as caught:
            build(name, smarts=["CC", "C((", "[X"])
        assert [problem.key for problem in caught.value.problems] == ["smarts[1]", "smarts[2]"]
    with pytest.raises(ConfigError) as caught:
        build("custom_alerts", smarts={"good": "C", "bad": "[X"})
    assert [problem.key for problem in caught.value.problems] == ["smarts.bad"]


def test_catalog_alerts_are_those_of_rdkit_and_can_be_allowed():
    parameters = FilterCatalog.FilterCatalogParams()
    parameters.AddCatalog(FilterCatalog.FilterCatalogParams.FilterCatalogs.BRENK)
    catalog = FilterCatalog.FilterCatalog(parameters)
    expected = [len(catalog.GetMatches(Chem.MolFromSmiles(text))) for text in SMILES]
    assert score("alerts", catalogs=["BRENK"]).values.tolist() == expected
    quinone = ["O=C1C=CC(=O)C(c2ccccc2)=C1"]
    scored = score("alerts", quinone, catalogs=["PAINS"])
    assert scored.notes == {0: "PAINS quinone_A(370)"}
    assert score("alerts", quinone, catalogs=["PAINS"], allow=["quinone_A(370)"]).values.tolist() == [0]


def test_ring_frequency_knows_common_rings_and_forgives_molecules_without():
    scored = score("ring_frequency", ["c1ccccc1", "CCO", "C1CC2CC3CC1C23C"])
    benzene, acyclic, exotic = scored.values
    assert benzene > 1000
    assert acyclic >= benzene
    assert exotic == 0
    assert "ring system" in scored.notes[2]
    assert np.array_equal(
        scored.values, score("ring_frequency", ["c1ccccc1", "CCO", "C1CC2CC3CC1C23C"]).values
    )


def test_a_ring_had_to_be_five_times_in_our_table_to_pass_what_the_filters_call_known():
    assert SCORERS["ring_frequency"].default_transform().low == KNOWN == Limits().ring_frequency
