from __future__ import annotations

import pytest
from rdkit import Chem

from molgen.chem.motifs import ANTI_BREDT, Motif, check_names, first_motif, motif_hits, motifs
from molgen.core.errors import ConfigError


@pytest.mark.parametrize("motif", motifs(), ids=lambda motif: motif.name)
def test_every_motif_finds_its_example_and_spares_its_near_miss(motif: Motif) -> None:
    hit, miss = Chem.MolFromSmiles(motif.hit), Chem.MolFromSmiles(motif.miss)
    assert hit in motif
    assert motif.name in motif_hits(hit, motif.tier)
    assert miss not in motif


def test_every_alternative_of_a_motif_is_another_pattern() -> None:
    for motif in motifs():
        assert len(set(motif.smarts)) == len(motif.smarts) == len(motif.queries)
    assert {motif.tier for motif in motifs()} == {1, 2}
    assert len({motif.name for motif in motifs()}) == len(motifs())
    assert [motif.name for motif in motifs() if not motif.queries] == [ANTI_BREDT]


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
    assert first_motif(acrylamide, 2) == "Michael acceptor with free terminus"
    assert motif_hits(acrylamide, 2, allow=["Michael acceptor with free terminus"]) == []
    with pytest.raises(ConfigError, match="nitroarene"):
        check_names(["nitroarenes"])
