from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from molgen.core.errors import DataError
from molgen.metrics.filters import MosesFilters

MCF = "\n".join(
    [
        "names,smarts",
        "MCF1,[#6]=&!@[#6]-[#6]#[#7]",
        'MCF2,"[H]C([H])([#6])[F,Cl,Br,I]"',
        "MCF3,[C;!R]=[N&H1]",
        "MCF4,c:n-[#7;!H0]",
    ]
)
PAINS = '"c1(nn(c([c;!H0,$(c-[#6;!H0])]1)-[#8]-[#1]))"   ,"<regId=a>"\n"[#7]-[#7]-[#6]=[#16]"  ,"<regId=b>"\n'
MOLECULES = [
    *(
        "CCO",
        "C=CC#N",
        "CCF",
        "CC(C)(C)F",
        "CC=N",
        "CC=NC",
        "c1cccn1NC",
        "NNC(=S)C",
        "NNC(=O)C",
        "C1CC=CC1C#N",
    ),
    *("C1CCCCCCC1", "C1CCCCCC1", "C[N+](C)(C)C", "CI", "CCBr", "[2H]CC", "c1ccccc1", "CC(C#N)=C", "CCP"),
]


@pytest.fixture
def filters(tmp_path: Path) -> MosesFilters:
    (tmp_path / "mcf.csv").write_text(MCF)
    (tmp_path / "wehi_pains.csv").write_text(PAINS)
    return MosesFilters.read(tmp_path / "mcf.csv", tmp_path / "wehi_pains.csv")


@pytest.mark.parametrize(
    ("smiles", "passes"),
    [
        ("CCO", True),
        ("CC=CC#N", False),
        ("CCF", False),  # a CH2F: the hydrogens of the pattern are atoms
        ("CC(C)(C)F", True),
        ("NNC(=S)C", False),
        ("C1CCCCCCC1", False),  # ring of eight
        ("C1CCCCCC1", True),
        ("C[N+](C)(C)C", False),  # charge
        ("CCI", False),  # element
    ],
)
def test_each_rule_of_moses(filters: MosesFilters, smiles: str, passes: bool) -> None:
    assert filters.passes([Chem.MolFromSmiles(smiles)]).tolist() == [passes]


def test_the_cheap_first_test_never_changes_the_answer(filters: MosesFilters) -> None:
    unaided = MosesFilters(filters.queries, filters.features, np.zeros_like(filters.needs))
    mols = [Chem.MolFromSmiles(text) for text in MOLECULES]
    assert filters.needs.any(axis=1).all()  # every pattern here has something cheap to test
    assert filters.passes(mols).tolist() == unaided.passes(mols).tolist()


def test_a_bad_line_and_a_missing_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "mcf.csv").write_text("names,smarts\na,CC\nb,[C\n")
    (tmp_path / "pains.csv").write_text(PAINS)
    with pytest.raises(DataError, match=r"mcf\.csv, line 3"):
        MosesFilters.read(tmp_path / "mcf.csv", tmp_path / "pains.csv")
    with pytest.raises(DataError, match=r"absent\.csv"):
        MosesFilters.read(tmp_path / "mcf.csv", tmp_path / "absent.csv")
