import math

import pytest

from molgen.chem.molecule import Molecule
from molgen.core.schema import OutputConfig
from molgen.optimize.memory import Entry, Memory
from molgen.optimize.rank import candidate_rows, choose, funnel, pick


def entry(number, smiles, total, status="scored", origin="reinforce"):
    return Entry(
        number, 1, origin, (), smiles, smiles, status, total, total,
        values={"qed": total, "docking": math.nan}, desirability={"qed": total, "docking": math.nan}, nll=12.5,
    )  # fmt: skip


MEMORY = [
    entry(0, "CCO", 0.2, origin="seed"),
    entry(1, "CC(=O)CC(C)=O", 0.9),
    entry(2, "CC(=O)C=C(C)O", 0.8),  # the enol of 1
    entry(3, "c1ccccc1CCN", 0.95),
    entry(4, "Cc1ccccc1", 0.0),
    entry(5, "c1ccccc1CCNC", 0.7),
    entry(6, "CCCCO", 0.5, status="filtered"),
    entry(7, "c1ccccc1CC[NH3+]", 0.94),  # 3, charged
]


def picked(inputs=(), **output):
    chosen, passed_over = pick(
        Memory(MEMORY), OutputConfig(**output), "none", [Molecule.from_smiles(s) for s in inputs]
    )
    return [e.id for e, _ in chosen], passed_over


def test_best_first_without_tautomers_charge_states_seeds_filtered_ones_and_zeros():
    ids, passed_over = picked()
    assert ids == [3, 1, 5]
    assert sum(passed_over.values()) == 2


def test_no_input_is_delivered_in_any_tautomer_or_salt():
    ids, passed_over = picked(inputs=["CC(O)=CC(C)=O", "Cl.NCCc1ccccc1"])
    assert ids == [5]
    assert passed_over["one of your compounds"] == 4


def test_a_radical_that_the_policy_lets_through_did_not_stop_the_delivery():
    chosen, _ = pick(Memory([entry(0, "CC[CH]C", 0.9), entry(1, "CCO", 0.8)]), OutputConfig(), "none", [])
    assert [e.id for e, _ in chosen] == [0, 1]


@pytest.mark.parametrize(("output", "expected"), [({"n": 1}, [3]), ({"min_score": 0.85}, [3, 1])])
def test_limits(output, expected):
    assert picked(**output)[0] == expected


def test_similar_ones_are_passed_over_if_asked():
    ids, passed_over = picked(max_similarity=0.4)
    assert ids == [3, 1]
    assert passed_over["too similar to a better one"] == 1


def test_rows_have_evidence_and_missing_values_stay_missing():
    chosen, _ = pick(Memory(MEMORY), OutputConfig(), "none", [])
    rows = candidate_rows(chosen, [Molecule("NCCc1ccccc1O", id="ref-1")])
    assert [row["rank"] for row in rows] == [1, 2, 3]
    first = rows[0]
    assert first["inchikey"] == "BHHGXPLMPWCGHP-UHFFFAOYSA-N"
    assert first["docking"] is None
    assert first["nearest_reference"] == "ref-1"
    assert 0 < first["nearest_similarity"] < 1
    assert candidate_rows(chosen, [])[0]["nearest_reference"] is None


def test_an_unknown_ring_system_is_flagged_and_a_known_rare_one_is_not():
    smiles = ["C1=CC2=CC1=CC2", "C1CC2CCC1CC2", "CCO"]
    rows = candidate_rows(
        [(entry(i, text, 0.5), Molecule(text, "none")) for i, text in enumerate(smiles)], []
    )
    assert ["unknown ring system" in row["flags"] for row in rows] == [True, False, False]
    assert rows[0]["flags"].endswith("unknown ring system C1=CC2=CC1=CC2")


def test_the_funnel_adds_up():
    memory = Memory([*MEMORY, entry(8, None, math.nan, "invalid"), entry(9, "CCO", 0.2, "duplicate")])
    steps, _ = funnel(memory, delivered=3)
    assert dict(steps) == {
        "proposed": 10, "valid": 9, "unique": 8, "scored": 8, "passed the filters": 7, "delivered": 3,
    }  # fmt: skip
    counts = [count for _, count in steps]
    assert counts == sorted(counts, reverse=True)


def with_parts(number, smiles, a, b):
    total = (a * b) ** 0.5
    return Entry(
        number, 1, "reinforce", (), smiles, smiles, "scored", total, total,
        values={"a": a, "b": b}, desirability={"a": a, "b": b},
    )  # fmt: skip


PAIRS = [
    with_parts(0, "CCCCCC", 0.9, 0.12),
    with_parts(1, "c1ccccc1CCN", 0.8, 0.8),
    with_parts(2, "c1ccccc1CCCN", 0.7, 0.7),
    with_parts(3, "c1ccncc1", 0.1, 0.95),
    with_parts(4, "c1ccccc1CCNC", 0.75, 0.75),
]


def chosen(**output):
    choice = choose(Memory(PAIRS), OutputConfig(**output), "none", [], objectives=["a", "b"])
    return [entry.id for entry, _ in choice.picked], choice


def test_a_pareto_ranking_puts_the_first_front_before_better_totals():
    assert chosen()[0] == [1, 4, 2, 0, 3]
    ids, choice = chosen(ranking="pareto")
    assert ids == [0, 3, 1, 4, 2], (
        "the ends of the front have endless room, then the middle, then front 2 and 3"
    )
    assert choice.columns["front"] == [1, 1, 1, 2, 3]
    assert choice.columns["crowding"][:2] == [None, None]
    assert "3 of 5 molecules are on the first front" in choice.notes[0]


def test_selection_takes_one_of_each_cluster_and_says_so():
    ids, choice = chosen(n=3, select="clusters")
    assert ids == [1, 0, 3], "in the order of their totals, without the two analogues of 1"
    assert choice.columns == {"cluster": [1, 2, 3], "cluster_size": [3, 1, 1]}
    assert choice.passed_over["left out for variety (output.select: clusters)"] == 2
    assert "each of 3 clusters among the 5 best" in choice.notes[0]
    assert chosen(n=4, select="clusters")[0] == [1, 4, 0, 3]


def test_maxmin_chooses_from_the_pool_only():
    assert chosen(n=2, select="maxmin", pool=3)[0] in ([1, 4], [1, 2])
    assert chosen(n=3, select="maxmin")[0] == [1, 0, 3]
