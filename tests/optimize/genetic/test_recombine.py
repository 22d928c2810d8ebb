"""Pieces are ranked by what their molecules are worth, and put together to new molecules."""

import numpy as np
from rdkit import Chem

from molgen.optimize.genetic.recombine import from_table, pieces_of, ranked_pieces, recombine

POOL = [
    ("Cc1ccc(C(=O)NC2CCCCC2)cc1", 0.9),
    ("O=C(Nc1ccccn1)c1ccc(F)cc1", 0.8),
    ("CCOC(=O)c1ccco1", 0.2),
    ("CN1CCN(c2ccccc2)CC1", 0.1),
]


def test_pieces_have_one_to_three_wildcards_and_cover_the_molecule():
    pieces = pieces_of("O=C(Nc1ccccn1)c1ccc(F)cc1")
    assert "*c1ccc(F)cc1" in pieces
    assert "*c1ccccn1" in pieces
    assert all(1 <= text.count("*") <= 3 for text in pieces)
    assert pieces_of("no molecule") == ()


def test_an_oxide_is_not_cut_from_the_charge_it_balances():
    assert not any(text.startswith("*[O-]") for text in pieces_of("C[N+]([O-])(C)c1ccc([N+](=O)[O-])cc1"))


def test_pieces_of_better_molecules_rank_higher_and_name_the_best_of_them():
    ranked = ranked_pieces(POOL)[1]
    place = {text: rank for rank, (text, _) in enumerate(ranked)}
    assert place["*C1CCCCC1"] < place["*c1ccco1"]
    assert dict(ranked)["*C1CCCCC1"] == 0


def test_one_lucky_molecule_does_not_outrank_many_good_ones():
    pool = [("FC1CCCCC1", 0.62), *[(f"ClC1CC{'C' * k}CC1", 0.6) for k in range(1, 4)], ("CCO", 0.0)]
    place = {text: rank for rank, (text, _) in enumerate(ranked_pieces(pool)[1])}
    assert place["*Cl"] < place["*F"]


def test_children_are_new_and_made_of_pieces_of_the_parents():
    children = recombine(POOL, 20, np.random.default_rng(1), known={"Cc1ccccc1"})
    assert len(children) == 20
    assert children == recombine(POOL, 20, np.random.default_rng(1), known={"Cc1ccccc1"})
    for smiles, origin, positions in children:
        assert origin == "recombination"
        assert Chem.MolFromSmiles(smiles) is not None
        assert smiles not in {text for text, _ in POOL}
        assert smiles != "Cc1ccccc1"
        assert all(0 <= k < len(POOL) for k in positions)


def test_nothing_to_cut_gives_nothing():
    assert recombine([], 5, np.random.default_rng(0)) == []
    assert recombine([("C", 1.0)], 5, np.random.default_rng(0)) == []


def test_molecules_of_common_pieces_need_no_parents():
    made = from_table(10, np.random.default_rng(2))
    assert len(made) == 10
    assert all(Chem.MolFromSmiles(smiles) is not None for smiles in made)
