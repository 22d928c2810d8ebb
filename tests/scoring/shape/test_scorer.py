"""Likeness in space: the reference itself, isomers, what cannot be laid, and where the pose goes."""

from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from molgen.chem.conformers import embed
from molgen.chem.molecule import Molecule
from molgen.core.errors import ConfigError
from molgen.core.schema import ObjectiveConfig
from molgen.scoring.objective import build_objective
from molgen.scoring.protocol import Context
from molgen.scoring.registry import SCORERS
from molgen.testing import check_scorer

LIGAND = "CCOc1ccc(NC(C)=O)cc1"


def build(base_dir=Path(), **params):
    typed, problems = SCORERS["shape"].check_params({"conformers": 3, **params}, "params")
    assert not problems, problems
    return SCORERS["shape"].build(typed, Context(base_dir, "default"))


@pytest.fixture
def sdf(tmp_path):
    full = embed(Chem.MolFromSmiles(LIGAND), 1, seed=5)
    full.SetProp("_Name", "LIG1")
    with Chem.SDWriter(str(tmp_path / "ligand.sdf")) as writer:
        writer.write(full)
    return tmp_path


def test_with_a_pose_from_a_file_the_contract_is_kept(sdf):
    check_scorer(build(sdf, file="ligand.sdf"), [LIGAND, "CCO", "C", "C[C@H](N)C(=O)O", "CC/C=C/C"])


def test_what_is_like_the_reference_is_above_what_is_not_and_the_file_is_named(sdf):
    scorer = build(sdf, file="ligand.sdf", conformers=10)
    mols = [Molecule(s) for s in (LIGAND, "CC(=O)Nc1ccc(O)cc1", "CCCCCCCCCC")]
    scored = scorer(mols)
    assert scored.values[0] > 0.75, scored.notes
    assert scored.values[:2].min() > scored.values[2] + 0.2 > 0.2
    assert scored.notes[0].startswith("on LIG1: shape ")
    assert list(scorer.files) == [str(sdf / "ligand.sdf")]
    assert "computed" not in scorer.summary
    evidence = scorer.evidence(mols)
    assert evidence["reference"] == ["LIG1"] * 3
    assert (evidence["shape"][0] + evidence["color"][0]) / 2 == pytest.approx(scored.values[0])


def test_results_are_compared_with_the_reference_as_a_molecule_and_not_with_its_record(sdf):
    """A run ended after its last step: `references` of a scorer are molecules, and ours were something else."""
    (reference,) = build(sdf, file="ligand.sdf").references
    assert isinstance(reference, Molecule)
    assert (reference.id, reference.smiles) == ("LIG1", LIGAND)


def test_shape_alone_knows_no_pharmacophore_and_says_so(sdf):
    mols = [Molecule("CCCCC(C)CCCC")]
    evidence = build(sdf, file="ligand.sdf", score="shape").evidence(mols)
    assert evidence["color"] == [None]
    assert build(sdf, file="ligand.sdf", score="shape")(mols).values[0] == evidence["shape"][0]
    assert build(sdf, file="ligand.sdf", score="color")(mols).values[0] < 0.1


def test_the_charge_in_the_file_of_the_ligand_does_not_hide_its_likeness(tmp_path):
    """A protonated amine in a crystal structure and the neutral one that is scored are the same pharmacophore."""
    values = {}
    for charge, smiles in (("neutral", "C1CCN(CC1)CCc1ccccc1"), ("charged", "C1CC[NH+](CC1)CCc1ccccc1")):
        full = embed(Chem.MolFromSmiles(smiles), 1)
        (tmp_path / f"{charge}.mol").write_text(Chem.MolToMolBlock(full))
        reference = build(tmp_path, file=f"{charge}.mol").ligands[0].mol
        values[charge] = Chem.MolToSmiles(reference)
    assert values["neutral"] == values["charged"]


def test_what_cannot_be_laid_has_a_reason_and_no_number():
    scorer = build(references=[LIGAND])
    mols = [Molecule("CCO.CCN"), Molecule("C" * 151), Molecule("CCO")]
    scored = scorer(mols)
    assert np.isnan(scored.values).tolist() == [True, True, False]
    assert "several parts" in scored.errors[0]
    assert "151 heavy atoms" in scored.errors[1]
    assert scorer.poses(mols)[:2] == [None, None]
    assert scorer.evidence(mols)["stereo"] == [None, None, "defined"]


def test_open_stereo_is_told_and_a_computed_reference_too():
    scorer = build(references={"mine": LIGAND})
    assert "computed conformer, not a measured pose: mine" in scorer.summary
    assert scorer.evidence([Molecule("CC(F)Cl")])["stereo"] == ["one isomer picked"]


@pytest.mark.parametrize(
    ("params", "key", "words"),
    [
        ({"file": "missing.sdf"}, "file", "missing.sdf"),
        ({"file": "broken.sdf"}, "file", "not a readable molecule"),
        ({"file": "wet.sdf"}, "file", "leave only the ligand"),
        ({"references": {"a": "nonsense"}}, "references.a", "nonsense"),
        ({"references": [LIGAND] * 21}, "file", "20 are allowed"),
    ],
)
def test_an_unusable_reference_is_a_problem_at_its_key(tmp_path, monkeypatch, params, key, words):
    monkeypatch.setattr("molgen.scoring.shape.reference._CONFORMERS", 1)
    (tmp_path / "broken.sdf").write_text("nothing\n\n\nat all\n$$$$\n")
    wet = embed(Chem.MolFromSmiles("CCO"), 1)
    wet = Chem.CombineMols(wet, wet)
    (tmp_path / "wet.sdf").write_text(Chem.MolToMolBlock(wet) + "$$$$\n")
    with pytest.raises(ConfigError) as caught:
        build(tmp_path, **params)
    (problem,) = caught.value.problems
    assert problem.key == key
    assert words in problem.message


def test_neither_file_nor_references_is_refused_without_rdkit():
    _, problems = SCORERS["shape"].check_params({}, "params")
    assert "give file" in problems[0].message


def test_poses_are_those_of_the_scored_overlay_and_reach_the_sdf(sdf):
    from molgen.report.sdf import to_sdf
    from molgen.report.table import Column, ResultTable

    config = ObjectiveConfig.model_validate(
        {"components": [{"use": "shape", "params": {"file": "ligand.sdf", "conformers": 3}}, {"use": "qed"}]}
    )
    mols = [Molecule(LIGAND), Molecule("CCN.CCO"), Molecule("C[C@H](N)C(=O)O")]
    with build_objective(config, base_dir=sdf) as objective:
        found = objective.evidence(mols)
    blocks = found.poses["shape"]
    assert blocks[1] is None
    reference = Chem.MolFromMolFile(str(sdf / "ligand.sdf"))
    center = reference.GetConformer().GetPositions().mean(axis=0)
    lying = Chem.MolFromMolBlock(blocks[0])
    assert np.linalg.norm(lying.GetConformer().GetPositions().mean(axis=0) - center) < 1.0
    table = ResultTable(
        (Column("id", "text"), Column("smiles", "text")),
        tuple((str(k), m.smiles) for k, m in enumerate(mols)),
    )
    supplier = Chem.SDMolSupplier()
    supplier.SetData(to_sdf(table, found.poses))
    records = list(supplier)
    assert [r.GetConformer().Is3D() for r in records] == [True, False, True]
    assert [r.GetProp("pose") for r in records] == ["shape", "", "shape"]
    assert [Chem.MolToSmiles(r) for r in records] == [m.smiles for m in mols]
    assert records[0].GetProp("_Name") == "0"


def test_without_poses_the_sdf_has_no_column_about_them():
    from molgen.report.sdf import to_sdf
    from molgen.report.table import Column, ResultTable

    assert "<pose>" not in to_sdf(ResultTable((Column("smiles", "text"),), (("CCO",),)))
