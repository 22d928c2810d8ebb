from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from molgen.chem.molecule import Molecule
from molgen.chem.rules.book import PRESETS
from molgen.core.errors import ConfigError
from molgen.scoring.filter_params import FilterPresetParams
from molgen.scoring.objective import build_objective
from molgen.scoring.protocol import Context
from molgen.scoring.registry import SCORERS
from molgen.testing import check_evidence

NITRO = "O=[N+]([O-])c1ccc(CC(C)C(N)=O)cc1"
HEMIACETAL = "CC(O)Oc1ccccc1"


def build(folder: Path, **params):
    record = SCORERS["filter_preset"]
    checked, problems = record.check_params(params, "params")
    assert not problems, problems
    return record.build(checked, Context(folder))


def test_the_presets_of_the_parameters_are_those_of_the_book():
    assert set(FilterPresetParams.model_fields["preset"].annotation.__args__) == set(PRESETS)


def test_the_notes_name_every_broken_rule(tmp_path):
    scored = build(tmp_path)([Molecule(HEMIACETAL), Molecule("CC(C)Cc1ccc(C(C)C(=O)O)cc1")])
    assert scored.values.tolist() == [1, 0]
    assert scored.notes == {0: "acyclic gem-diol or hemiacetal (loses water or alcohol)"}


def test_what_is_excused_is_evidence_and_travels_to_workers(tmp_path):
    (tmp_path / "parents.smi").write_text(f"{HEMIACETAL} lead-1\n")
    scorer = build(
        tmp_path, preset="strict", relax=["nitroarene"], allow_inherited_from="parents.smi", windows={}
    )
    mols = [Molecule(NITRO), Molecule(HEMIACETAL)]
    again = pickle.loads(pickle.dumps(scorer))
    assert again(mols).values.tolist() == scorer(mols).values.tolist()
    evidence = scorer.evidence(mols)
    assert evidence["relaxed"][0].startswith("nitroarene")
    assert "as lead-1" in evidence["inherited"][1]
    assert "relaxed: nitroarene" in scorer.summary
    assert list(scorer.files) == [str(tmp_path / "parents.smi")]
    check_evidence(scorer, mols)


def test_in_an_objective_it_is_a_filter_with_a_reason(tmp_path):
    objective = {
        "components": [
            {"use": "qed"},
            {"use": "filter_preset", "role": "filter", "params": {"preset": "default"}},
        ]
    }
    from molgen.core.schema import ObjectiveConfig

    with build_objective(ObjectiveConfig.model_validate(objective), base_dir=tmp_path) as built:
        table = built([Molecule(HEMIACETAL), Molecule("CC(C)Cc1ccc(C(C)C(=O)O)cc1")])
    assert table.passed.tolist() == [False, True]
    assert "gem-diol" in table.to_frame([Molecule(HEMIACETAL), Molecule("CCO")])["reason"][0]


def test_mistakes_are_found_before_the_run(tmp_path):
    with pytest.raises(ConfigError, match="nitroarene"):
        build(tmp_path, relax=["nitroaren"])
    with pytest.raises(ConfigError, match="nowhere"):
        build(tmp_path, allow_inherited_from="nowhere.smi")
