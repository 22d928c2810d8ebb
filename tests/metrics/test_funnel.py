from __future__ import annotations

import pytest

from molgen.chem.molecule import parse_all
from molgen.metrics.funnel import build_funnel
from molgen.metrics.gates import gate_shares, judge

RAW = [
    "CC(C)Cc1ccc(C(C)C(=O)O)cc1",
    "CC(C)Cc1ccc(C(C)C(=O)[O-])cc1.[Na+]",  # the same compound
    *("", "C1CC", "CC(C)(C)(C)(C)C"),  # three kinds of invalid
    "C[N+](C)(C)Cc1ccccc1",
    "O=C1CCCCCCN1c1ccccc1",
    "CC(O)Oc1ccccc1C(C)C",
    "CCCC(=O)c1ccc(CCS)cc1",
    "Cc1ccccc1",
    "CCCCCCCOc1ccccc1",
    "O=C(NCc1ccccc1)c1cccnc1",
]


def funnel_of(raw: list[str]):  # type: ignore[no-untyped-def]
    parsed = parse_all(raw)
    distinct = {molecule.smiles: molecule for molecule in parsed.ok}
    judged = [judge(molecule.mol) for molecule in distinct.values()]
    return build_funnel(len(raw), parsed.reasons, len(parsed.ok) - len(distinct), judged), judged


def test_the_counts_of_the_funnel_add_up() -> None:
    funnel, judged = funnel_of(RAW)
    assert [step.name for step in funnel.steps] == [
        *("raw", "parsed", "unique", "graph", "ring systems", "motifs", "alerts", "SA", "size and shape"),
        "delivered",
    ]
    for before, step in zip(funnel.steps, funnel.steps[1:], strict=False):
        assert before.kept - step.lost == step.kept, step.name
        assert sum(step.reasons.values()) == step.lost, step.name
    assert funnel.raw == len(RAW)
    assert funnel.raw - sum(step.lost for step in funnel.steps) == funnel.delivered == 2
    assert {step.name: step.lost for step in funnel.steps if step.lost} == {
        "parsed": 3,
        "unique": 1,
        "graph": 2,
        "motifs": 1,
        "alerts": 1,
        "size and shape": 2,
    }
    assert funnel.gates() == pytest.approx(gate_shares(judged))


def test_an_empty_funnel_has_no_shares() -> None:
    funnel, _ = funnel_of(["nothing", ""])
    assert (funnel.delivered, funnel.gates()) == (0, {})


def test_a_funnel_that_does_not_add_up_is_our_fault() -> None:
    with pytest.raises(AssertionError):
        build_funnel(3, {}, 0, [None])
