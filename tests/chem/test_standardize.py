import pytest

from molgen.chem.molecule import Molecule, parse_all
from molgen.chem.standardize import POLICIES, Policy, get_policy, standardize, tautomer_key
from molgen.core.errors import ConfigError, MoleculeError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CC(=O)O[Na]", "CC(=O)O"),
        ("CC(=O)[O-].[Na+]", "CC(=O)O"),
        ("C[NH3+].[Cl-]", "CN"),
        ("[2H]C([2H])([2H])O", "CO"),
        ("[13CH4]", "C"),
        ("C[S@+]([O-])CC", "CC[S@](C)=O"),
        ("C[P+](C)(C)[O-]", "CP(C)(C)=O"),
        ("CC(=O)O.OCCN1CCCCC1", "OCCN1CCCCC1"),
        ("[CH3:1][OH:2]", "CO"),
        # these charges stay: they are the molecule
        ("C[N+](C)(C)CC(=O)[O-]", "C[N+](C)(C)CC(=O)[O-]"),
        ("C[N+](=O)[O-]", "C[N+](=O)[O-]"),
        ("[O-][n+]1ccccc1", "[O-][n+]1ccccc1"),
        ("C[N+](C)(C)C.[I-]", "C[N+](C)(C)C"),
    ],
)
def test_default_policy(text, expected):
    assert Molecule.from_smiles(text).smiles == expected


def test_a_center_that_was_one_by_its_isotope_is_none_without_it():
    assert Molecule.from_smiles("[2H][C@](F)(C)[H]").smiles == "CCF"


def test_flat_drops_stereo_and_none_keeps_all():
    text = "C[C@H](F)/C=C/C.[Na+].[Cl-]"
    assert Molecule.from_smiles(text, "flat").smiles == "CC=CC(C)F"
    assert Molecule.from_smiles(text, "default").smiles == "C/C=C/[C@H](C)F"
    assert Molecule.from_smiles(text, "none").smiles == "C/C=C/[C@H](C)F.[Cl-].[Na+]"
    assert Molecule.from_smiles("C*", "none").smiles == "*C"


@pytest.mark.parametrize("policy", list(POLICIES))
def test_standardizing_twice_changes_nothing(texts, policy):
    once = parse_all(texts, policy)
    assert not once.rejected
    twice = parse_all([molecule.smiles for molecule in once.ok], policy)
    assert twice.ok == once.ok


def test_the_shortcut_for_plain_molecules_gives_what_the_long_way_gives(texts, mols):
    from rdkit import Chem

    for text, mol in zip(texts, mols, strict=True):
        short = Chem.MolToSmiles(standardize(mol, text=text))
        assert short == Chem.MolToSmiles(standardize(mol)), text


def test_radical_in_a_chiral_bracket_slipped_through_the_shortcut():
    with pytest.raises(MoleculeError, match="radical"):
        Molecule.from_smiles("C[C@]C")


def test_several_fragments_where_the_policy_allows_one():
    from molgen.chem.molecule import parse

    with pytest.raises(MoleculeError) as error:
        standardize(parse("CC.CCC"), Policy("strict", largest_fragment=False))
    assert error.value.why == "multiple_fragments"


def test_unknown_policy_lists_the_known():
    with pytest.raises(ConfigError, match="default, flat, none"):
        get_policy("defualt")


def test_policy_tag_carries_the_version():
    assert POLICIES["default"].tag == "default/1"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Oc1ccccn1", "O=c1cccc[nH]1"),
        ("CC(=O)CC(C)=O", "CC(=O)C=C(C)O"),
        ("CC(=O)[O-].[Na+]", "CC(=O)O"),
        ("C[NH3+].[Cl-]", "CN"),
        ("c1ccc2[nH]ncc2c1", "c1ccc2n[nH]cc2c1"),
        ("Cc1cnc[nH]1", "Cc1c[nH]cn1"),
        ("CNC(=N)NC#N", "CN=C(N)NC#N"),
        ("CC(=O)Nc1ccccc1", "CC(O)=Nc1ccccc1"),
        ("CC=CO", "CCC=O"),
        ("[2H]CCO", "CCO"),
    ],
)
def test_tautomer_key_merges(one, other):
    assert tautomer_key(one) == tautomer_key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("C[C@H](N)C(=O)O", "C[C@@H](N)C(=O)O"),
        ("C/C=C/C", "C/C=C\\C"),
        ("CC(=O)[C@H](C)CC", "CC(=O)[C@@H](C)CC"),
        ("CCC=O", "CC(C)=O"),
        ("CCN", "CC=N"),
        ("Cc1ccncc1", "Cc1cccnc1"),
    ],
)
def test_tautomer_key_keeps_apart(one, other):
    assert tautomer_key(one) != tautomer_key(other)


def test_tautomer_key_takes_rdkit_molecules_and_leaves_them_alone(mols):
    from rdkit import Chem

    before = Chem.MolToSmiles(mols[0])
    assert tautomer_key(mols[0]) == tautomer_key(before)
    assert Chem.MolToSmiles(mols[0]) == before
