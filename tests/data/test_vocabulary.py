import gzip
import json

import pytest

from molgen.core.errors import ModelError
from molgen.data.vocabulary import END, Vocabulary, atom_tokens

SMILES = [
    "CCCl",
    "BrCCBr",
    "c1ccccc1C(=O)N",
    "C[C@@H](N)C(=O)O",
    "c1ccccc1C(=O)O",
    "[nH]1cccc1",
    "C%10CCCCC%10",
]


def test_pieces_shorten_and_joining_gives_the_string_back():
    vocabulary = Vocabulary.learn(SMILES * 5, pieces=20)
    for smiles in SMILES:
        assert "".join(vocabulary.split(smiles)) == smiles
        assert vocabulary.decode(vocabulary.encode(smiles)) == smiles
    assert len(vocabulary.encode("c1ccccc1C(=O)N")) < len(atom_tokens("c1ccccc1C(=O)N"))


def test_a_piece_that_ends_in_carbon_does_not_swallow_half_of_chlorine():
    vocabulary = Vocabulary((END, "C", "Cl", "B", "Br", "CC", "CB"))
    assert vocabulary.split("CCCl") == ["CC", "Cl"]
    assert vocabulary.split("CCl") == ["C", "Cl"]
    assert vocabulary.split("CBr") == ["C", "Br"]
    assert vocabulary.split("CB") == ["CB"]


def test_the_longest_piece_wins_whatever_the_order_in_the_vocabulary():
    vocabulary = Vocabulary((END, "C", "O", "CC", "CCO", "CCOC"))
    assert vocabulary.split("CCOC") == ["CCOC"]
    assert vocabulary.split("CCOO") == ["CCO", "O"]
    assert vocabulary.split("CCCO") == ["CC", "C", "O"]


def test_unknown_tokens_are_reported_per_row_and_never_fatal():
    vocabulary = Vocabulary.learn(["CCO", "CCN"], pieces=0)
    ids, index, unknown = vocabulary.encode_all(["CCO", "CC[Se]C", "CN", "C%11"])
    assert index == [0, 2]
    assert [vocabulary.decode(row) for row in ids] == ["CCO", "CN"]
    assert [(u.index, u.token) for u in unknown] == [(1, "[Se]"), (3, "%11")]
    assert "row 1" in str(unknown[0])
    assert "[Se]" in str(unknown[0])


def test_encoding_one_string_names_the_unknown_token():
    with pytest.raises(ModelError, match=r"'\[Na\+\]' is not in the vocabulary"):
        Vocabulary.learn(["CCO"], pieces=0).encode("[Na+].CCO")


def test_json_round_trip_and_refusal_of_another_format():
    vocabulary = Vocabulary.learn(SMILES, pieces=5)
    assert Vocabulary.from_json(json.loads(json.dumps(vocabulary.to_json()))) == vocabulary
    with pytest.raises(ModelError, match="format 99"):
        Vocabulary.from_json({"format": 99, "tokens": [END]})


def test_tokens_must_be_distinct_and_start_with_the_end_token():
    for tokens in ((), ("C", END), (END, "C", "C")):
        with pytest.raises(ModelError, match="distinct tokens"):
            Vocabulary(tokens)


def test_learning_is_a_pure_function_of_its_input():
    assert Vocabulary.learn(SMILES * 9, 30) == Vocabulary.learn(SMILES * 9, 30)


def test_round_trip_of_foreign_molecules(test_data):
    """Every token that the pieces are made of is known, so QM9 survives a vocabulary that never saw most of it."""
    smiles = gzip.decompress((test_data / "qm9.csv.gz").read_bytes()).decode().split()[1:20_001]
    vocabulary = Vocabulary.learn(smiles, pieces=100)
    assert all("".join(vocabulary.split(s)) == s for s in smiles)
    assert all(vocabulary.decode(vocabulary.encode(s)) == s for s in smiles)
