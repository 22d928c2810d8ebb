from __future__ import annotations

from pathlib import Path

import pytest
from rdkit import Chem

from molgen.chem.motifs import (
    ANTI_BREDT,
    Motif,
    check_names,
    failing_examples,
    first_motif,
    motif_hits,
    motifs,
    read_motifs,
    version,
)
from molgen.core.errors import ConfigError


@pytest.mark.parametrize("motif", motifs(), ids=lambda motif: motif.name)
def test_every_motif_finds_its_examples_and_spares_its_near_misses(motif: Motif) -> None:
    assert motif.hits
    assert motif.misses
    assert motif.why
    assert failing_examples(motif) == []
    for smiles in motif.hits:
        assert motif.name in motif_hits(Chem.MolFromSmiles(smiles), motif.tier)
        assert motif.count(Chem.MolFromSmiles(smiles)) > 0


@pytest.mark.parametrize("motif", motifs(), ids=lambda motif: motif.name)
def test_every_alternative_of_a_motif_has_an_example_of_its_own(motif: Motif) -> None:
    assert len(set(motif.smarts)) == len(motif.smarts) == len(motif.queries)
    examples = [Chem.MolFromSmiles(smiles) for smiles in motif.hits]
    for smarts, query in zip(motif.smarts, motif.queries, strict=True):
        assert any(mol.HasSubstructMatch(query) for mol in examples), smarts


def test_the_table_has_two_tiers_and_a_version() -> None:
    assert {motif.tier for motif in motifs()} == {1, 2}
    assert len({motif.name for motif in motifs()}) == len(motifs()) > 50
    assert [motif.name for motif in motifs() if not motif.queries] == [ANTI_BREDT]
    assert version() >= 2


def test_looking_first_for_what_a_motif_needs_loses_no_hit(mols: list[Chem.Mol]) -> None:
    for mol in mols[::10]:
        assert set(motif_hits(mol)) == {motif.name for motif in motifs() if mol in motif}


@pytest.mark.parametrize(
    "smiles",
    [
        "CC(=O)Oc1ccccc1C(=O)O",
        "CC(C)Cc1ccc(C(C)C(=O)O)cc1",
        "CN1CCN(c2ccc3c(c2)N(CC2CC2)C=C3)CC1",
        "O=C(O)c1cn(C2CC2)c2cc(N3CCNCC3)c(F)cc2c1=O",
        "CN1C2CCC1CC(OC(=O)C(CO)c1ccccc1)C2",  # a bridged ring without a double bond at its bridgehead
    ],
)
def test_ordinary_drugs_have_no_motif_of_tier_1(smiles: str) -> None:
    assert motif_hits(Chem.MolFromSmiles(smiles), 1) == []
    assert first_motif(Chem.MolFromSmiles(smiles), 1) is None


def test_a_motif_is_relaxed_by_its_name() -> None:
    acrylamide = Chem.MolFromSmiles("C=CC(=O)Nc1ccccc1")
    assert first_motif(acrylamide, 2) == "Michael acceptor"
    assert motif_hits(acrylamide, 2, allow=["Michael acceptor"]) == []
    with pytest.raises(ConfigError, match="nitroarene"):
        check_names(["nitroarenes"])


def own(folder: Path, text: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(f"format: 1\nmotifs:\n{text}", encoding="utf-8")
    return path


def test_a_table_of_the_user_has_the_same_form(tmp_path: Path) -> None:
    path = own(tmp_path, '  - {name: sulfonamide, smarts: "NS(=O)=O", hits: [CS(N)(=O)=O], misses: [CSC]}\n')
    (found,) = read_motifs(path)
    assert (found.name, found.tier) == ("sulfonamide", 2)
    assert Chem.MolFromSmiles("CNS(C)(=O)=O") in found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('  - {name: a, smarts: "C(("}\n', "line 3.*not a SMARTS"),
        ('  - {name: a, smart: "C"}\n', "did you mean 'smarts'"),
        ('  - {name: a, smarts: "C"}\n  - {name: a, smarts: "N"}\n', "line 4.*given twice"),
        ('  - {name: a, smarts: "N", hits: [CC]}\n', "'CC' has it not"),
        ('  - {name: a, smarts: "N", misses: [CN]}\n', "'CN' has it, and should not"),
        ('  - {name: a, smarts: "N", hits: [C1C]}\n', "not a SMILES"),
        ('  - {name: a, smarts: "N", tier: 3}\n', "tier is 1"),
        ('  - {smarts: "N"}\n', "has a name"),
        ("  - CC\n", "at least a name"),
        ("  - {name: a}\n", "smarts is missing"),
        ("  []\n", "not a table of motifs"),
    ],
)
def test_what_is_wrong_with_a_table_is_said_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read_motifs(own(tmp_path, text))
