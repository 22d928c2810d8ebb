"""The receptor and its box: what is refused, where a box comes from."""

from __future__ import annotations

import importlib.machinery
from pathlib import Path

import pytest
from rdkit import Chem

from molgen.chem.conformers import embed
from molgen.core.errors import ConfigError
from molgen.scoring.docking.params import DockingParams
from molgen.scoring.docking.receptor import find_receptor
from molgen.scoring.registry import SCORERS

BOX = {"center": [0, 0, 0], "size": [14, 14, 14]}


def problem(base_dir: Path, **given):
    with pytest.raises(ConfigError) as caught:
        find_receptor(DockingParams.model_validate(given), base_dir)
    (found,) = caught.value.problems
    return found


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "give receptor"),
        ({"receptor": "a.pdbqt", "target": "DRD2"}, "one of the two"),
        ({"receptor": "a.pdbqt"}, "needs a box"),
        ({"receptor": "a.pdbqt", "center": [0, 0], "size": [9, 9, 9]}, "3"),
        ({"receptor": "a.pdbqt", "center": [0, 0, 0], "size": [9, 9, 200]}, "3 to 126"),
        ({"receptor": "a.pdbqt", **BOX, "around": "l.sdf"}, "center or around"),
    ],
)
def test_bad_parameters_are_refused_before_any_file_is_read(given, words):
    _, problems = SCORERS["docking"].check_params(given, "params")
    assert any(words in p.message for p in problems), problems


def test_a_receptor_is_found_and_hashed(here):
    found = find_receptor(DockingParams.model_validate({"receptor": "shell.pdbqt", **BOX}), here)
    assert found.name == "shell"
    assert found.center == (0.0, 0.0, 0.0)
    assert len(found.sha256) == 64


def test_a_box_that_is_not_at_the_protein_is_refused_and_not_docked_into_nothing(here):
    found = problem(here, receptor="shell.pdbqt", center=[50, 0, 0], size=[14, 14, 14])
    assert found.key == "center"
    assert "holds 0 atoms" in found.message
    assert "from [-6.0, -6.0, -6.0] to [6.0, 6.0, 6.0]" in found.message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "cannot be read"),
        ("ATOM      1  N   ALA A   1      11.104   6.134  -6.504  1.00  0.00           N\n", "is not PDBQT"),
        ("", "is not PDBQT"),
        (
            "ROOT\nATOM      1  C   LIG     1       0.0     0.0     0.0    1.00  0.00     0.0 C\n",
            "is a ligand",
        ),
    ],
)
def test_what_is_no_prepared_receptor_is_refused_with_the_way_to_one(here, text, words):
    if text is not None:
        (here / "other.pdbqt").write_text(text)
    found = problem(here, receptor="other.pdbqt", **BOX)
    assert found.key == "receptor"
    assert words in found.message
    if words == "is not PDBQT":
        assert "mk_prepare_receptor.py" in found.message


def test_a_box_around_a_ligand_encloses_it(here):
    ligand = embed(Chem.MolFromSmiles("c1ccccc1"), 1)
    (here / "ligand.sdf").write_text(Chem.MolToMolBlock(ligand) + "$$$$\n")
    found = find_receptor(
        DockingParams.model_validate({"receptor": "shell.pdbqt", "around": "ligand.sdf"}), here
    )
    places = ligand.GetConformer().GetPositions()
    assert all(abs(c) < 1 for c in found.center)
    assert all(
        side == pytest.approx(extent + 16, abs=0.01)
        for side, extent in zip(found.size, places.max(0) - places.min(0), strict=True)
    )
    flat = problem(here, receptor="shell.pdbqt", around="shell.pdbqt")
    assert flat.key == "around"


def test_a_prepared_target_brings_its_box_and_a_mistyped_one_gets_the_nearest(here, monkeypatch):
    folder = here / "dockstring" / "resources" / "targets"
    folder.mkdir(parents=True)
    (folder / "DRD2_target.pdbqt").write_text((here / "shell.pdbqt").read_text())
    (folder / "DRD2_conf.txt").write_text(
        "center_x = 0.5\ncenter_y = 0\ncenter_z = -1.5\n\nsize_x = 14\nsize_y = 15\nsize_z = 16.0\n"
    )
    spec = importlib.machinery.ModuleSpec("dockstring", None, is_package=True)
    spec.submodule_search_locations = [str(here / "dockstring")]
    monkeypatch.setattr("molgen.scoring.docking.receptor.find_spec", lambda name: spec)
    found = find_receptor(DockingParams.model_validate({"target": "DRD2"}), here)
    assert (found.center, found.size) == ((0.5, 0.0, -1.5), (14.0, 15.0, 16.0))
    assert "did you mean 'DRD2'" in problem(here, target="DRD3").message
    monkeypatch.setattr("molgen.scoring.docking.receptor.find_spec", lambda name: None)
    assert "pip install --no-deps 'dockstring" in problem(here, target="DRD2").message
