"""The traps of cutting molecules into fragments, and exact round trips."""

import numpy as np
import pytest
from rdkit import Chem

from molgen.models.graph_vae.cutting import Cutter, OutsideError, canonical_fragment
from molgen.models.graph_vae.forest import from_trees
from molgen.models.graph_vae.order import reordered
from molgen.models.graph_vae.table import FragmentTable
from molgen.models.graph_vae.trees import Trees, cut_all
from molgen.models.graph_vae.writer import SmilesWriter

HARD = [
    "CS(=O)(=O)Nc1ccc(S(C)=O)cc1",  # sulfone and sulfoxide with both bonds cut
    "CP(=O)(O)OP(=O)(O)O",
    "C[Si](C)(C)C#CC[Se]C",
    "OB(O)c1cc[nH]c1",
    "Cn1cc(-c2c[nH]nn2)c(-c2nn[nH]n2)n1",  # pyrazole, triazole, tetrazole: N and NH look alike to a matcher
    "C[n+]1ccccc1[N-]S(C)(=O)=O",
    "[O-][n+]1ccccc1C[N+](=O)[O-]",
    "CN=[N+]=[N-]",
    "C[N+](C)(C)CC([O-])=O",
    "C[NH2+]CC[NH3+]",
    "O=C1C=CC(=O)c2ccccc21",
    "CC1=CC2CCC1C2(C)C",
    "c1ccc2c(c1)c1ccccc1n2-c1ccccc1",
    "FC(F)(F)C(Cl)(Br)I",
    "CC=C=CC#CC=C(C)C",
    "C1CC2(C1)OCCO2",
    "C12C3C4C1C5C2C3C45",  # cubane: 48 symmetries, more than are used
    "O=c1[nH]c(=O)c2[nH]cnc2[nH]1",
    "CSSC",
    "NNC(=O)OO",
    "C[S+](C)CC",
    "c1ccc(-c2ccc(-c3ccccc3)s2)nc1",
    "O",
    "c1cc2cc3ccc(cc4nc(cc5ccc(cc1n2)[nH]5)C=C4)[nH]3",
]


def flat(smiles):
    return Chem.MolToSmiles(Chem.MolFromSmiles(smiles), isomericSmiles=False)


def round_trips(smiles, random_order):
    trees = cut_all(smiles)
    assert len(trees) == len(smiles), trees.outside()
    table, forest = from_trees(trees, FragmentTable.build([]))
    rows = np.arange(len(smiles))
    grown = forest.padded(rows)
    if random_order:
        grown = reordered(grown, np.ones(len(rows), bool), np.random.default_rng(0))
    writer = SmilesWriter(table)
    fields = (grown.fragment, grown.parent, grown.entry, grown.parent_site)
    return [writer.write(*(x[k, : grown.n[k]].tolist() for x in fields)) for k in rows]


@pytest.mark.parametrize("random_order", [False, True])
def test_molecules_that_are_hard_to_cut_come_back(random_order):
    back = round_trips(HARD, random_order)
    assert [flat(text) for text in back] == [flat(text) for text in HARD]


def test_a_sulfone_between_two_cut_bonds_became_sulfur_dioxide_without_a_place_to_bind():
    tree = Cutter().cut_smiles("CS(C)(=O)=O")
    assert "O=[SH2]=O" in tree.fragments
    table = FragmentTable.build(tree.fragments)
    site = table.number["O=[SH2]=O"]
    assert table.free[table.start[site] : table.start[site + 1]].tolist() == [0, 2, 0]


@pytest.mark.parametrize("ring", ["c1cn[nH]c1", "c1c[nH]nn1", "c1nn[nH]n1", "c1c[nH]cn1"])
def test_symmetries_swapped_the_two_kinds_of_nitrogen(ring):
    table = FragmentTable.build([ring])
    if table.symmetric[0] >= 0:
        hydrogens = table.atoms[:, 2]
        for image in table.permutations[0]:
            assert (hydrogens[image] == hydrogens).all()


def test_a_fragment_had_several_strings_depending_on_the_order_of_its_atoms():
    texts = set()
    mol = Chem.MolFromSmiles("Cc1cc(CC)n[nH]1")
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(mol.GetNumAtoms()).tolist()
        texts.add(tuple(sorted(Cutter().cut(Chem.RenumberAtoms(mol, order)).fragments)))
    assert len(texts) == 1


def test_only_hydrogens_of_the_stored_fragment_can_be_given_away():
    table = FragmentTable.build(["c1ccncc1", "c1cc[nH]c1", "C"])
    by_name = {
        name: table.free[table.start[i] : table.start[i + 1]].tolist() for i, name in enumerate(table.smiles)
    }
    assert by_name == {"c1ccncc1": [1, 1, 1, 0, 1, 1], "c1cc[nH]c1": [1, 1, 1, 1, 1], "C": [4]}


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("C.C", "more than one component"),
        ("[2H]CC", "explicit hydrogen"),
        ("[13CH4]", "isotope"),
        ("C[CH2]", "radical"),
        ("*CC", "attachment point"),
        ("C" * 70, "more than 64 heavy atoms"),
        ("C" * 40, "more than 32 fragments"),
        ("nonsense(", "not a molecule"),
        ("", "no atom"),
    ],
)
def test_what_is_outside_is_named(smiles, reason):
    with pytest.raises(OutsideError, match=reason):
        Cutter().cut_smiles(smiles)
    assert cut_all([smiles, "CCO"]).outside() == {reason: 1}


def test_the_order_belongs_to_the_molecule_and_not_to_the_way_it_is_written():
    mol = Chem.MolFromSmiles("Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1")
    seen = set()
    for seed in range(10):
        order = np.random.default_rng(seed).permutation(mol.GetNumAtoms()).tolist()
        trees = cut_all([Chem.MolToSmiles(Chem.RenumberAtoms(mol, order), canonical=False)])
        _, forest = from_trees(trees, FragmentTable.build(sorted(trees.names)))
        padded = forest.padded(np.array([0]))
        fields = (padded.fragment, padded.parent, padded.entry, padded.parent_site)
        seen.add(tuple(tuple(x[0].tolist()) for x in fields))
    assert len(seen) == 1


def test_trees_survive_storage_in_plain_arrays():
    trees = cut_all([*HARD, "C.C"])
    again = Trees.from_arrays(trees.to_arrays())
    assert again.names == trees.names
    assert again.outside() == trees.outside() == {"more than one component": 1}
    for name in ("index", "start", "fragment", "parent", "entry", "parent_site"):
        assert np.array_equal(getattr(again, name), getattr(trees, name))


def test_a_table_survives_json():
    table = FragmentTable.build(["C", "c1ccccc1", "O=[SH2]=O"], [5, 3, 1])
    again = FragmentTable.from_json(table.to_json())
    assert again.smiles == table.smiles
    assert np.array_equal(again.permutations, table.permutations)
    assert np.array_equal(again.site_features, table.site_features)


def test_the_raw_fragment_knows_where_its_atoms_went():
    carbon, nitrogen = (6, 0, 1, True), (7, 0, 0, True)
    ring = [(i, (i + 1) % 6, 4) for i in range(6)]
    smiles, place = canonical_fragment(((carbon, carbon, nitrogen, carbon, carbon, carbon), tuple(ring)))
    mol = Chem.MolFromSmiles(smiles)
    assert smiles == "c1ccncc1"
    assert mol.GetAtomWithIdx(place[2]).GetSymbol() == "N"
