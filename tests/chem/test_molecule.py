import pickle

import pytest
from rdkit import Chem

from molgen.chem.molecule import Molecule, Rejected, parse_all
from molgen.chem.standardize import REASONS
from molgen.core.errors import MoleculeError


def test_equality_and_hash_are_structure_and_policy_only():
    one = Molecule.from_smiles("OCC", id="a", data={"pIC50": "7"})
    other = Molecule.from_smiles("C(O)C", id="b")
    assert one == other
    assert hash(one) == hash(other)
    assert one != Molecule.from_smiles("OCC", policy="none")


def test_pickling_sends_strings_and_keeps_everything():
    molecule = Molecule.from_smiles("CCO", id="a", data={"x": 1})
    assert molecule.mol.GetNumAtoms() == 3
    again = pickle.loads(pickle.dumps(molecule))
    assert (again, again.id, dict(again.data)) == (molecule, "a", {"x": 1})
    assert again._mol is None


def test_molecule_is_frozen():
    with pytest.raises(AttributeError):
        Molecule.from_smiles("C").smiles = "CC"


def test_inchikey_and_heavy_atoms():
    molecule = Molecule.from_smiles("CCO")
    assert molecule.inchikey == "LFQSCWFLJHTTHZ-UHFFFAOYSA-N"
    assert molecule.n_heavy == 3


def test_mol_depended_on_the_string_that_was_read(texts):
    # values computed from it then changed in the last digits when a written file was scored again
    for text in texts[:80]:
        molecule = Molecule.from_smiles(text)
        atoms = [atom.GetSymbol() for atom in molecule.mol.GetAtoms()]
        assert atoms == [atom.GetSymbol() for atom in Chem.MolFromSmiles(molecule.smiles).GetAtoms()]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("   ", "empty"),
        (None, "empty"),
        ("C1CC", "unparsable"),
        ("CCO ethanol", "unparsable"),
        ("CCO |$a$|", "unparsable"),
        ("C(C)(C)(C)(C)C", "valence"),
        ("c1cccc1", "aromaticity"),
        ("C*", "dummy_atom"),
        ("C[CH]C", "radical"),
        ("C[Hg]C", "element"),
        ("O", "no_carbon"),
        ("[Na+].[Cl-]", "no_carbon"),
        ("C" * 151, "too_large"),
    ],
)
def test_refused_with_a_reason_from_the_table(text, why):
    assert why in REASONS
    with pytest.raises(MoleculeError) as error:
        Molecule.from_smiles(text)
    assert error.value.why == why
    assert error.value.detail


def test_one_bad_row_lost_the_batch():
    raw = ["CCO", "C1CC", "", "c1ccccc1"]
    parsed = parse_all(raw, ids=["a", "b", "c", "d"], file="x.smi", first_line=10)
    assert [m.id for m in parsed.ok] == ["a", "d"]
    assert parsed.index == [0, 3]
    assert [(row.line, row.text, row.why) for row in parsed.rejected] == [
        (11, "C1CC", "unparsable"),
        (12, "", "empty"),
    ]
    assert parsed.reasons == {"unparsable": 1, "empty": 1}
    assert str(parsed.rejected[0]).startswith("x.smi:11: unparsable:")


def test_every_row_is_accounted_for(texts):
    raw = [*texts, "junk", "", "C*"]
    parsed = parse_all(raw)
    assert len(parsed.ok) + len(parsed.rejected) == len(raw)
    assert sorted([*parsed.index, *(row.line - 1 for row in parsed.rejected)]) == list(range(len(raw)))
    assert all(isinstance(row, Rejected) for row in parsed.rejected)
