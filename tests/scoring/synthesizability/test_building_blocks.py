from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem

from molgen.chem.molecule import Molecule
from molgen.chem.reactions import reactions
from molgen.core.errors import ConfigError
from molgen.core.schema import ObjectiveConfig
from molgen.scoring.objective import build_objective
from molgen.scoring.synthesizability import stock as module
from molgen.scoring.synthesizability.search import find_route
from molgen.scoring.synthesizability.stock import inline, open_stock

SHELF = [
    "OC(=O)c1ccc(Br)cc1",
    "NCc1ccccc1",
    "OB(O)c1ccncc1",
    "C1COCCN1.Cl",
    "Clc1ncccn1",
    "CC(C)(C)OC(=O)N1CCC(C(=O)O)CC1",
]


def route(smiles: str, steps: int = 2, shelf: list[str] = SHELF):
    return find_route(Chem.MolFromSmiles(smiles), inline(shelf), reactions(), steps)


def test_a_block_needs_no_step() -> None:
    found = route("NCc1ccccc1")
    assert found.steps == ()
    assert found.share == 1
    assert str(found) == "is the block NCc1ccccc1"


def test_one_step_is_found_and_named_with_its_blocks() -> None:
    found = route("O=C(NCc1ccccc1)c1ccc(Br)cc1")
    assert found.steps is not None
    assert [step.reaction for step in found.steps] == ["amide coupling"]
    assert set(found.steps[0].blocks) == {"O=C(O)c1ccc(Br)cc1", "NCc1ccccc1"}


def test_two_steps_are_told_in_the_order_in_which_they_are_run() -> None:
    smiles = "O=C(NCc1ccccc1)c1ccc(-c2ccncc2)cc1"
    found = route(smiles)
    assert found.steps is not None
    assert {step.reaction for step in found.steps} == {"amide coupling", "Suzuki coupling"}
    assert found.steps[1].blocks[0] == "intermediate"
    assert str(found).startswith("1. ")
    short = route(smiles, steps=1)
    assert short.steps is None
    assert 0 < short.share < 1


def test_a_protected_block_counts_with_its_deprotection() -> None:
    found = route("O=C(NCc1ccccc1)C1CCNCC1")
    assert found.steps is not None
    assert [step.reaction for step in found.steps] == ["amide coupling", "Boc deprotection"]


def test_salts_on_the_shelf_are_their_free_bases() -> None:
    found = route("c1cnc(N2CCOCC2)nc1")
    assert found.steps is not None
    assert len(found.steps) == 1


def test_what_cannot_be_made_says_so_and_has_a_share() -> None:
    found = route("CC12CCC3C(CCC4CC(O)CCC43C)C1CCC2=O")
    assert found.steps is None
    assert found.share == 0
    assert str(found) == "no way found from the blocks"


def config(**params: object) -> ObjectiveConfig:
    return ObjectiveConfig.model_validate(
        {"components": [{"use": "building_blocks", "role": "filter", "threshold": 1.0, "params": params}]}
    )


def test_as_a_filter_it_lets_through_what_can_be_made_and_names_the_route(tmp_path: Path) -> None:
    (tmp_path / "shelf.smi").write_text("".join(f"{s} B{i}\n" for i, s in enumerate(SHELF)), encoding="utf-8")
    mols = [Molecule.from_smiles(s) for s in ("O=C(NCc1ccccc1)c1ccc(Br)cc1", "CCCCC1CC1")]
    with build_objective(config(file="shelf.smi"), base_dir=tmp_path) as objective:
        table = objective(mols)
        scorer = objective.components[0].scorer
    assert table.passed.tolist() == [True, False]
    assert table.notes["building_blocks"][0] == "1. amide coupling: B0 + B1"
    assert "no way found" in table.reasons[1]
    told = scorer.evidence(mols)  # type: ignore[attr-defined]
    assert told == {"steps": [1, None], "route": ["1. amide coupling: B0 + B1", None]}
    copied = pickle.loads(pickle.dumps(scorer))
    assert np.array_equal(copied(mols).values, scorer(mols).values)


def test_bad_parameters_are_named(tmp_path: Path) -> None:
    for params, words in (
        ({"file": "none.smi"}, "no such file"),
        ({"references": ["nonsense"]}, "no building block in it"),
        ({"references": ["CCO"], "without": ["Suzuki couplin"]}, "did you mean 'Suzuki coupling'"),
        ({}, "give references"),
    ):
        with pytest.raises(ConfigError, match=words):
            build_objective(config(**params), base_dir=tmp_path)


def test_a_long_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOLGEN_DATA", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "KEPT_ROWS", 2)
    path = tmp_path / "shelf.smi"
    path.write_text("".join(f"{s} B{i}\n" for i, s in enumerate(SHELF)), encoding="utf-8")
    first = open_stock(path)
    monkeypatch.setattr(module, "parse_all", None)  # reading again would fail
    again = open_stock(path)
    assert np.array_equal(first.keys, again.keys)
    assert again.find("NCc1ccccc1") == "B1"
    assert again.find("CCO") is None
