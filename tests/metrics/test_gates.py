from __future__ import annotations

import gzip
import random
from pathlib import Path

import pytest
from rdkit import Chem

from molgen.chem.molecule import parse_all
from molgen.chem.rules.book import Options
from molgen.chem.sanity import fused_rings
from molgen.metrics.gates import GATES, STAGES, Gates, gate_shares, judge, reasons

GOOD = "CC(C)Cc1ccc(C(C)C(=O)O)cc1"


def mol(smiles: str) -> Chem.Mol:
    return Chem.MolFromSmiles(smiles)


@pytest.mark.parametrize(
    ("smiles", "near_miss", "stage", "reason"),
    [
        ("CC[Si](C)(C)c1ccccc1", "CCC(C)(C)c1ccccc1", "graph", "element Si"),
        ("C[N+](C)(C)Cc1ccccc1", "C[N+](C)([O-])Cc1ccccc1", "graph", "charge"),
        ("O=C1CCCCCCN1c1ccccc1", "O=C1CCCCCN1c1ccccc1", "graph", "ring of 8 atoms"),
        ("C1CC1c1ccccc1C1CC1", "CC(C)c1ccccc1C1CC1", "graph", "more than one ring of 3 atoms"),
        ("c1ccc2c(c1)ccc1c2ccc2c1ccc1ccccc12", "c1ccc2c(c1)ccc1ccccc12", "graph", "fused rings"),
        ("C1CCC2(C1)CCC1(CCCC1)CC2", "C1CCC2(C1)CCCCC2", "graph", "spiro"),
        ("c1ccc(C2=NSON2)cc1", "c1ccc(-c2ncon2)cc1", "ring systems", "ring system"),
        ("CC(O)Oc1ccccc1C(C)C", "CC(=O)Oc1ccccc1C(C)C", "motifs", "gem-diol or hemiacetal"),
        ("O=C1C(=Cc2ccccc2)SC(=S)N1CC(=O)O", "O=C1CSC(=O)N1CC(=O)Nc1ccccc1", "alerts", "PAINS"),
        ("CCCC(=O)c1ccc(CCS)cc1", "CCCC(=O)c1ccc(CCSC)cc1", "alerts", "Glaxo"),
        (
            "OCC1NC(Cc2c[nH]c3c(O)ncnc23)C(O)C1O",
            "CC(C)CN1CCOC(c2ccccc2)C1",
            "SA",
            "SA score",
        ),
        ("Cc1ccccc1", "Cc1ccccc1C(=O)NCC", "size and shape", "weight"),
        ("CCCCCCCOc1ccccc1", "CCCCCCOc1ccccc1", "size and shape", "chain"),
        (
            "Clc1cc(Cl)c(CNC(=O)c2cccnc2)c(Cl)c1Cl",
            "Clc1ccc(CNC(=O)c2cccnc2)c(Cl)c1Cl",
            "size and shape",
            "Cl",
        ),
        (
            "O=C(NCC(F)(F)C(F)(F)C(F)(F)F)c1ccccc1",
            "O=C(NCC(F)(F)C(F)(F)F)c1ccccc1",
            "size and shape",
            "fluor",
        ),
        (
            "CC(O)C(C)C(O)C(C)C(=O)NC(C)c1ccccc1",
            "CC(O)CCC(=O)NC(C)c1ccccc1",
            "size and shape",
            "stereo centers",
        ),
        ("CCOCCOCCOCCNC(=O)c1ccccc1", "CCOCCOCCNC(=O)c1ccccc1", "size and shape", "rotatable"),
    ],
)
def test_each_criterion_rejects_its_example_and_spares_the_neighbor(
    smiles: str, near_miss: str, stage: str, reason: str
) -> None:
    found = judge(mol(smiles))
    assert found is not None
    assert found.stage == stage
    assert any(reason in one.reason for one in reasons(mol(smiles)) if one.stage == stage)
    assert not any(reason in one.reason for one in reasons(mol(near_miss)) if one.stage == stage)


def test_a_usual_drug_passes_all_gates() -> None:
    assert judge(mol(GOOD)) is None
    assert reasons(mol(GOOD)) == []


def test_charges_that_face_each_other_are_no_reason() -> None:
    for smiles in ("CC(=O)Nc1ccc([N+](=O)[O-])cc1C", "CC[N+]#[C-]", "C[n+]1ccccc1[O-]", "c1cc[n+]([O-])cc1"):
        charged = [one for one in reasons(mol(smiles)) if "charge" in one.reason]
        assert bool(charged) is (smiles == "C[n+]1ccccc1[O-]"), smiles


def test_macrocycles_pass_in_macrocycle_mode_only() -> None:
    lactone = mol("O=C1CCCCCCCCCCCO1")
    assert "ring of 13 atoms" in [one.reason for one in reasons(lactone)]
    assert "ring of 13 atoms" not in [
        one.reason for one in reasons(lactone, Gates(Options(relax=("macrocycle",))))
    ]


def test_fused_rings_count_rings_that_share_bonds_not_spiro_ones() -> None:
    assert fused_rings(mol("c1ccc2c(c1)ccc1ccccc12")) == 3
    assert fused_rings(mol("C1CCC2(C1)CCCCC2")) == 1
    assert fused_rings(mol("CCO")) == 0


def test_each_gate_holds_the_one_before() -> None:
    pool = [GOOD, "CC(O)OC", "C[N+](C)(C)C", "C1CCCCCCC1", "CCCC(=O)c1ccc(CCS)cc1", "Cc1ccccc1"]
    shares = gate_shares([judge(mol(smiles)) for smiles in pool])
    assert list(shares) == list(GATES)
    assert list(shares.values()) == sorted(shares.values(), reverse=True)
    assert shares["A"] == pytest.approx(4 / 6)
    assert shares["E"] == pytest.approx(1 / 6)
    assert {gate for gate, _ in STAGES.values()} == set(GATES)
    assert gate_shares([]) == {}


def test_the_published_jtvae_sample_passes_as_often_as_in_the_study(test_data: Path) -> None:
    """Measured in the study on 1,500 of these molecules: A 99.7, B 95.9, C 93.7, D 93.1, E 92.7 %."""
    with gzip.open(test_data / "parity" / "jtvae_moses_sample.smi.gz", "rt") as file:
        raw = random.Random(0).sample(file.read().splitlines(), 300)
    shares = gate_shares([judge(molecule.mol) for molecule in parse_all(raw).ok])
    study = {"A": 0.997, "B": 0.959, "C": 0.937, "D": 0.931, "E": 0.927}
    assert {gate: abs(shares[gate] - value) < 0.04 for gate, value in study.items()} == dict.fromkeys(
        study, True
    )
