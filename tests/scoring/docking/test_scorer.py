"""Docking with a toy engine: contract, time limit, death, cache, poses; and with Vina where it is installed."""

from __future__ import annotations

import math
from importlib.util import find_spec

import numpy as np
import pytest
from rdkit import Chem

from molgen.chem.molecule import Molecule
from molgen.core.errors import ConfigError, Interrupted, ScorerError
from molgen.core.schema import ObjectiveConfig
from molgen.scoring.docking.params import DockingParams
from molgen.scoring.docking.receptor import find_receptor
from molgen.scoring.docking.sanity import NOT_CHECKED
from molgen.scoring.docking.scorer import Docking
from molgen.scoring.objective import build_objective
from molgen.testing import check_scorer


def mols(*smiles):
    return [Molecule(text) for text in smiles]


def test_the_contract_is_kept(make):
    check_scorer(make(), ["CCO", "C", "OB(O)c1ccccc1", "CC/C=C/C"])


def test_what_fails_has_its_reason_and_no_number_and_the_rest_is_docked(make, here):
    """One that hangs, one that kills its process, one that raises, one without a pose: none takes another with it."""
    scorer = make(parallel=2, time_limit=2)
    scored = scorer(mols("CCO", "CCCl", "CCBr", "OB(O)c1ccccc1", "CC/C=C/C", "CCCC"))
    assert np.isnan(scored.values).tolist() == [False, True, True, True, True, False]
    assert scored.values[[0, 5]].tolist() == [-0.75, -1.0]
    assert scored.errors == {
        1: "docking took longer than 2 s",
        2: "docking ended: the worker process ended with exit code 3",
        3: "ValueError: no type for B",
        4: "Vina found no pose inside the box",
    }
    calls = (here / "calls.txt").read_text().split()
    assert sorted(calls) == sorted(["CCO", "CCCl", "CCBr", "OB(O)c1ccccc1", "CC/C=C/C", "CCCC"]), (
        "each is paid for once"
    )


def test_the_same_molecule_is_docked_once_and_its_pose_and_evidence_cost_nothing_more(
    make, here, monkeypatch
):
    monkeypatch.setattr("molgen.scoring.docking.sanity.find_spec", lambda name: None)
    scorer = make()
    twice = mols("CCO", "CCO", "CC(F)Cl")
    marked = []
    rows = sorted(scorer.stream(twice, marked.append))
    assert [row[1] for row in rows] == [-0.75, -0.75, -1.0]
    assert marked == [[0, 1], [2]]
    assert scorer.evidence(twice) == {
        "efficiency": [-0.25] * 3,
        "receptor": ["shell"] * 3,
        "stereo": ["defined", "defined", "one isomer docked"],
        "pose_check": [NOT_CHECKED] * 3,
        "form": ["CCO", "CCO", "CC(F)Cl"],
    }
    assert Chem.MolToSmiles(Chem.MolFromMolBlock(scorer.poses(twice)[0])) == "CCO"
    assert (here / "calls.txt").read_text().split() == ["CCO", "CC(F)Cl"]


def test_the_cache_keeps_values_and_poses_but_not_for_another_box(make, here):
    first = make(cache="kept.jsonl")
    value, pose = first(mols("CCO")).values[0], first.poses(mols("CCO"))
    again = make(cache="kept.jsonl", parallel=2)
    assert again(mols("CCO")).values[0] == value
    assert again.poses(mols("CCO")) == pose
    assert (here / "calls.txt").read_text().split() == ["CCO"]
    other = make(cache="kept.jsonl", size=[15, 15, 15])
    other(mols("CCO"))
    assert (here / "calls.txt").read_text().split() == ["CCO", "CCO"]


def test_a_stop_ends_a_docking_that_is_in_flight(make):
    scorer = make(time_limit=600)
    asked = []
    scorer.heed(lambda: "SIGTERM" if asked else None)
    with pytest.raises(Interrupted):
        for _ in scorer.stream(mols("CCCl"), asked.append):
            pass
    scorer.heed(None)
    assert scorer(mols("CCO")).values.tolist() == [-0.75]


def test_an_engine_that_cannot_use_the_receptor_ends_the_run_with_its_words(make):
    with pytest.raises(ScorerError, match="could not start: PDBQT parsing error"):
        make(exhaustiveness=99)(mols("CCO"))


def objective(here, **more):
    params = {"receptor": "shell.pdbqt", "center": [0, 0, 0], "size": [14, 14, 14]}
    component = {"use": "docking", "params": params, **more}
    return build_objective(ObjectiveConfig.model_validate({"components": [component]}), base_dir=here)


def test_without_the_engine_the_check_says_what_installs_it(here, monkeypatch):
    monkeypatch.setattr("molgen.scoring.docking.scorer.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"vina, meeko, gemmi.*pip install 'molgen-toolkit\[dock\]'"):
        objective(here)


def test_stronger_binding_to_a_channel_of_the_heart_is_not_searched_for(here, installed):
    """A docking score falls with the strength; read as a probability its default curve would look harmless."""
    with pytest.raises(ConfigError, match="rewards toxicity"):
        objective(here, name="hERG")
    with objective(here, name="hERG", transform={"type": "sigmoid", "low": -9, "high": -6}) as built:
        assert built.names == ["hERG"]


def test_the_receptor_is_among_the_files_of_a_run(here, installed):
    with objective(here) as built:
        assert list(built.user_files) == [str(here / "shell.pdbqt")]
        assert "exhaustiveness 8" in built.describe()[0]["summary"]


@pytest.mark.skipif(
    any(find_spec(name) is None for name in ("vina", "meeko", "gemmi")),
    reason="AutoDock Vina and Meeko are not installed (extra `dock`)",
)
def test_vina_docks_into_the_shell_with_the_same_result_each_time(here):
    params = DockingParams.model_validate(
        {"receptor": "shell.pdbqt", "center": [0, 0, 0], "size": [16, 16, 16], "exhaustiveness": 1}
    )
    scorer = Docking("docking", params, find_receptor(params, here), here)
    try:
        scored = scorer(mols("CCO", "OB(O)c1ccccc1", "C[C@H](N)C(=O)O"))
        assert math.isnan(scored.values[1])
        assert scored.errors[1] == "Vina has no atom type for B"
        assert -6 < scored.values[2] < 0
        blocks = scorer.poses(mols("C[C@H](N)C(=O)O"))
        pose = Chem.MolFromMolBlock(blocks[0])
        assert Chem.MolToSmiles(pose) == "C[C@H](N)C(=O)O"
        assert np.abs(pose.GetConformer().GetPositions()).max() <= 8
        scorer._known.clear()
        assert scorer(mols("C[C@H](N)C(=O)O")).values[0] == scored.values[2]
    finally:
        scorer.close()


def test_the_form_that_is_docked_is_told_and_a_choice_of_another_is_another_answer(make):
    charged, drawn = make(), make(protonation="drawn")
    acid = mols("CCC(=O)O")
    assert charged.evidence(acid)["form"] == ["CCC(=O)[O-]"]
    assert drawn.evidence(acid)["form"] == ["CCC(=O)O"]
    assert charged.fingerprint != drawn.fingerprint
